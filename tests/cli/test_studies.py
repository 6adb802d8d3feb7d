"""`wcam study`: what it writes, prints and exits with."""

import json

import pytest
from typer.testing import CliRunner

from tests.command_line import enter_folder
from wcam_widget.cli import app as cli
from wcam_widget.study import read_table

MODELS = """
from wcam_widget.model import BlackBox

def channels():
    return BlackBox(lambda images: images.mean((2, 3)), class_names=("red", "green", "blue"))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a model to name and two images in another one, as the working directory."""
    (tmp_path / "photos").mkdir()
    enter_folder(tmp_path, monkeypatch, MODELS, ["photos/cat", "photos/dog"])
    return tmp_path


def wcam(*arguments):
    command = ["study", "photos", "--model", "cli_models:channels", *map(str, arguments)]
    return CliRunner().invoke(cli.app, command)


def test_a_study_prints_means_and_goes_on(folder):
    (folder / "labels.csv").write_text("cat.png,red\ndog.png,2\n")
    command = ("--ask", "prediction,profile", "--rows", 2, "--labels", "labels.csv")
    result = wcam(*command, "--out", "results")
    assert result.exit_code == 0, (result.stderr, result.exception)
    assert "prediction.correct" in result.stdout
    assert result.stdout.splitlines()[-1] == "results"
    first = read_table(folder / "results")
    assert sorted(first["label"]) == [0, 2]
    assert wcam(*command, "--out", "results").exit_code == 0
    assert list(read_table(folder / "results")["seconds"]) == list(first["seconds"])


def test_failures_are_named_and_exit_with_1(folder):
    (folder / "photos" / "text.png").write_text("text")
    result = wcam("--ask", "prediction", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["images"], told["out"], [one["image"] for one in told["failed"]]) == (
        3,
        "study",
        ["text.png"],
    )
    assert told["summary"]["prediction.probability"]["count"] == 2
    words = wcam("--ask", "prediction")
    assert "2 of 3 images were measured" in words.stderr
    assert words.stderr.count("text.png: not an image that can be read") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ask", "profle"), "Error: --ask: 'profle' is not valid; did you mean 'profile'?"),
        (("--out", "photos"), "Error: --out: 'photos' holds other files"),
        (("--labels", "no.csv"), "no.csv"),
        (("--ray", "--workers", "0"), "Error: workers: found 0; accepted is at least 1"),
    ],
)
def test_bad_input_exits_with_2(folder, arguments, message):
    result = wcam(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
