"""What the command line does with images that cannot be explained, odd names and interrupts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.command_line import QUICK, enter_folder
from wcam_widget.cli import app as cli
from wcam_widget.cli import report as batch
from wcam_widget.cli.photographs import jobs_of
from wcam_widget.explain import Attribution, Wcam
from wcam_widget.sensitivity import Sobol
from wcam_widget.zoo import load_model

MODELS = """
import torch
from wcam_widget.model import BlackBox

def channels():
    names = ("red", "green", "b\\ud800\\u202e\\n")
    return BlackBox(lambda images: images.square().mean((2, 3)), class_names=names)

def dark():
    def net(images):
        if images.amax() < 0.1:
            raise RuntimeError("too dark")
        return images.mean((2, 3))
    return BlackBox(net)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    enter_folder(tmp_path, monkeypatch, MODELS, ["cat", "dog", "cut"])
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:900])
    Image.new("RGB", (40, 32)).save(tmp_path / "night.png")
    return tmp_path


def wcam(*arguments, model="channels"):
    arguments = ["explain", *map(str, arguments), "--model", f"cli_models:{model}", *QUICK]
    return CliRunner().invoke(cli.app, arguments)


def test_good_files_are_explained_and_bad_ones_named_at_the_end(folder):
    (folder / "text.jpg").write_text("text")
    result = wcam("cat.png", "cut.png", "missing.png", "text.jpg", "dog.png", "--npz", "maps")
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stdout.splitlines()[:2]] == ["cat.png", "dog.png"]
    assert {path.name for path in (folder / "maps").iterdir()} == {"cat.npz", "dog.npz"}
    lines = result.stderr.splitlines()
    assert lines[0] == "2 of 5 images were explained"
    assert [line.partition(": ")[0] for line in lines[1:]] == ["Error"] * 3
    for line, name in zip(lines[1:], ("cut.png", "missing.png", "text.jpg"), strict=True):
        assert name in line


def test_json_lists_what_failed(folder):
    result = wcam("cut.png", "cat.png", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert [one["image"] for one in told["images"]] == ["cat.png"]
    (failed,) = told["failed"]
    assert failed["image"] == "cut.png"
    assert "cut.png: not an image that can be read" in failed["error"]
    alone = wcam("cut.png", "--json", "--out", "other.html")
    assert alone.exit_code == 2
    assert json.loads(alone.stdout)["files"] == []
    assert not (folder / "other.html").exists()


def test_a_model_that_fails_on_one_image_explains_the_others(folder):
    result = wcam("night.png", "cat.png", model="dark")
    assert result.exit_code == 1
    assert "Error: night.png: net: raised RuntimeError: too dark" in result.stderr
    assert result.stdout.startswith("cat.png: ")
    assert wcam("night.png", model="dark").exit_code == 3


def test_what_is_wrong_with_all_images_is_said_once(folder):
    result = wcam("cat.png", "dog.png", "--target", "gren")
    assert result.exit_code == 2
    assert result.stderr.count("is not a class name") == 1


def test_files_are_read_when_their_turn_comes(folder, monkeypatch):
    seen = []
    monkeypatch.setattr(batch, "ensure_image", lambda path, *_: seen.append(path.name) or np.ones((3, 8, 8)))
    jobs = jobs_of([folder / "cat.png", folder / "missing.png"], load_model("demo"), None)
    assert seen == []
    batch.explain_all(jobs, Wcam(Sobol(rows=2), levels=1, grid=2), lambda *_: None)
    assert seen == ["cat.png", "missing.png"]


def test_what_a_reader_has_to_know_of_an_image_is_in_the_report(folder):
    Image.new("RGBA", (40, 32), (9, 9, 9, 100)).save(folder / "clear.png")
    result = wcam("clear.png", "--json")
    assert result.exit_code == 0, result.stderr
    (one,) = json.loads(result.stdout)["images"]
    assert one["notes"] == ["clear.png: has transparent parts; they are laid over #ffffff"]
    assert f"<p>{one['notes'][0]}</p>" in (folder / "report.html").read_text("utf-8")
    assert f"Note: {one['notes'][0]}" in wcam("clear.png").stderr


ODD = [b"caf\xe9.png", b"a\nb.png", b"\xe2\x80\xaegnp.png", b"\x1b[31mred.png", b"<b>&.png"]


HIDDEN = {"\x1b", "\u202e", "\ud800"}


@pytest.mark.parametrize(("odd", "options"), [(ODD, []), (ODD[:2], ["--json"])])
def test_odd_names_are_written_with_an_escape_everywhere(folder, odd, options):
    names = [os.fsdecode(name) for name in odd]
    for name in names:
        shutil.copy(folder / "cat.png", folder / name)
    page = names[len(options)].replace(".png", ".html")
    command = [sys.executable, "-c", "from wcam_widget.cli.app import app; app()", "explain", *names]
    command += ["--model", "cli_models:channels", *QUICK, "--target", "2", "--npz", "maps", "--out", page]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": f"{folder}:{':'.join(sys.path)}"}
    result = subprocess.run([*command, *options], capture_output=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    printed = result.stdout.decode("ascii")
    assert len(printed.splitlines()) == 2 * len(names) + 1 or json.loads(printed)["failed"] == []
    assert not set(printed) & HIDDEN
    saved = list((folder / "maps").iterdir())
    assert len(saved) == len(names)
    assert {Attribution.load(path).target for path in saved} == {"logit of b\\ud800\\u202e\\n"}
    assert not set((folder / page).read_text("utf-8")) & {"\x1b", "\u202e"}


@pytest.mark.parametrize("name", ODD)
def test_a_page_with_an_odd_name_is_printed_with_an_escape(folder, name):
    page = os.fsdecode(name.replace(b".png", b".html"))
    result = wcam("cat.png", "--out", page)
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2
    assert not set(result.stdout) & HIDDEN
    assert (folder / page).exists()


def interrupted_writing(times, monkeypatch, calls):
    write = batch.write_report

    def interrupting(*arguments):
        calls.append(1)
        if len(calls) <= times:
            raise KeyboardInterrupt
        return write(*arguments)

    monkeypatch.setattr(batch, "write_report", interrupting)


def test_an_interrupt_while_the_report_is_written_waits_for_it(folder, monkeypatch):
    interrupted_writing(1, monkeypatch, [])
    result = wcam("cat.png", "--npz", "maps")
    assert result.exit_code == 130
    assert (folder / "report.html").exists()
    assert (folder / "maps" / "cat.npz").exists()
    assert result.stdout.startswith("cat.png: ")


def test_a_second_interrupt_gives_the_report_up_and_says_what_was_explained(folder, monkeypatch):
    interrupted_writing(2, monkeypatch, [])
    result = wcam("cat.png")
    assert result.exit_code == 130
    assert not (folder / "report.html").exists()
    assert result.stdout.startswith("cat.png: ")
    assert not list(folder.glob(".*.part"))


def test_a_signal_while_the_report_is_written_waits_for_it(folder, monkeypatch):
    write, before = batch.write_report, signal.getsignal(signal.SIGINT)

    def signalled(*arguments):
        signal.raise_signal(signal.SIGINT)
        return write(*arguments)

    monkeypatch.setattr(batch, "write_report", signalled)
    result = wcam("cat.png")
    assert result.exit_code == 130
    assert (folder / "report.html").exists()
    assert "press Ctrl-C again" in result.stderr
    assert signal.getsignal(signal.SIGINT) is before


def test_a_report_that_cannot_be_written_does_not_lose_the_words(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(batch, "write_report", full)
    result = wcam("cat.png", "--npz", "maps")
    assert result.exit_code == 2
    assert result.stdout.startswith("cat.png: ")
    assert (folder / "maps" / "cat.npz").exists()
    assert "No space left" in result.stderr


def test_outside_the_main_thread_interrupts_are_left_alone():
    held = []

    def hold():
        with cli.holding_interrupts() as interrupts:
            held.append(interrupts)

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert held == [[]]
