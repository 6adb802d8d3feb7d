"""The tools on a bare machine: the search for a browser, a demo without one, the commands README names."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from tools import chromium, demo, try_lab

ROOT = Path(__file__).parents[1]
OF_PLAYWRIGHT = chromium.of_playwright  # the real one: it starts a process


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing on PATH, no browser remembered, and no installer."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("WCAM_CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "of_playwright", lambda: iter(()))
    monkeypatch.setattr(chromium, "INSTALLERS", ())
    return tmp_path


def program(path, code):
    path.write_text(f"#!{sys.executable}\nimport sys\nsys.exit({code})\n")
    path.chmod(0o755)
    return str(path)


def directly(function):
    return function()


def inside_a_running_loop(function):
    """As inside of Playwright, which holds a loop that runs in its thread."""

    async def call():
        return function()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, call()).result()


@pytest.fixture(params=[directly, inside_a_running_loop])
def call(request):
    return request.param


def test_a_named_browser_comes_before_path(machine, monkeypatch):
    program(machine / "chromium", 0)
    named = program(machine / "mine", 0)
    monkeypatch.setenv("WCAM_CHROMIUM", named)
    assert chromium.find() == named


def test_what_does_not_start_is_passed_over(machine):
    program(machine / "chromium", 1)
    works = program(machine / "google-chrome", 0)
    assert chromium.find() == works


def test_playwright_that_keeps_no_browser_is_none_and_no_crash(machine, monkeypatch, call):
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(machine / "browsers"))
    monkeypatch.setattr(chromium, "of_playwright", OF_PLAYWRIGHT)
    assert call(chromium.find) is None


def test_an_installer_that_puts_one_on_path(machine, monkeypatch, call):
    def install():
        program(machine / "chromium", 0)
        return iter(())

    monkeypatch.setattr(chromium, "INSTALLERS", (install,))
    assert call(chromium.ensure) == os.fspath(machine / "chromium")


def test_an_installer_that_puts_one_elsewhere(machine, monkeypatch, call):
    def install():
        (machine / "opt").mkdir()
        yield program(machine / "opt/chromium", 0)

    monkeypatch.setattr(chromium, "INSTALLERS", (lambda: iter(()), install))
    assert call(chromium.ensure) == os.fspath(machine / "opt/chromium")


@pytest.mark.parametrize("left", [None, 1], ids=["nothing", "one that does not start"])
def test_installers_that_leave_nothing_that_works(machine, monkeypatch, call, left):
    def install():
        yield os.fspath(machine / "chromium") if left is None else program(machine / "chromium", left)

    monkeypatch.setattr(chromium, "INSTALLERS", (install,))
    with pytest.raises(
        chromium.NoBrowserError, match="install chromium or google-chrome, or set WCAM_CHROMIUM"
    ):
        call(chromium.ensure)


def test_installers_are_not_run_where_a_browser_is(machine, monkeypatch):
    monkeypatch.setattr(chromium, "INSTALLERS", (lambda: pytest.fail("installs"),))
    works = program(machine / "chrome", 0)
    assert chromium.ensure() == works


def test_what_the_package_manager_says_is_seen_and_what_it_leaves_is_used(machine, monkeypatch, capfd):
    program(machine / "chromium", 1)
    package = machine / "package"
    manager = machine / "apt-get"
    manager.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        "print('fetching', *sys.argv[1:])\n"
        f"made = pathlib.Path({str(package)!r})\n"
        f"made.write_text('#!{sys.executable}\\n')\n"
        "made.chmod(0o755)\n"
    )
    manager.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(chromium, "DEBIANS", os.fspath(package))
    monkeypatch.setattr(chromium, "INSTALLERS", (chromium.install_with_apt,))
    assert chromium.ensure() == os.fspath(package)
    said = capfd.readouterr()
    assert said.out == ""
    assert "fetching update" in said.err
    assert "fetching install" in said.err


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A demo whose notebook is already run, and whose report is a word."""

    def report(notebook, path):
        path.write_text("a page", "utf-8")
        return path

    monkeypatch.setattr(demo, "execute", lambda path, folder: nbformat.v4.new_notebook())
    monkeypatch.setattr(demo, "notebook_report", report)
    return tmp_path / "demo"


def test_a_demo_without_a_browser_is_a_report_and_a_word(machine, tiny, capsys):
    demo.main(tiny, demo.QUICKSTART)
    report, picture = capsys.readouterr().out.splitlines()
    assert report == f"report   {tiny / 'quickstart.html'}"
    assert picture.startswith("picture  none: no Chromium was found or could be installed: install chromium")
    assert "a page" in (tiny / "quickstart.html").read_text("utf-8")


def test_a_demo_whose_browser_does_not_open_is_a_report_and_a_word(machine, tiny, capsys):
    """It tells its version, as a browser whose libraries or sandbox are missing may, and then ends."""
    browser = program(machine / "chromium", 0)
    with ThreadPoolExecutor(1) as pool:  # Playwright starts once in a thread, and other tests hold one here
        pool.submit(demo.main, tiny, demo.QUICKSTART).result()
    report, picture = capsys.readouterr().out.splitlines()
    assert report == f"report   {tiny / 'quickstart.html'}"
    assert picture.startswith(f"picture  none: {browser} does not open (")
    assert picture.endswith(chromium.WAYS_OUT)


def test_a_picture_of_an_earlier_demo_does_not_stay(machine, tiny):
    tiny.mkdir()
    (tiny / "quickstart.png").write_bytes(b"earlier")
    demo.main(tiny, demo.QUICKSTART)
    assert not (tiny / "quickstart.png").exists()


def test_continuous_integration_runs_the_commands_of_the_readme_in_their_order():
    section = (ROOT / "README.md").read_text("utf-8").split("## Try it\n")[1].split("\n## ")[0]
    block = section.split("```sh\n")[1].split("```")[0]
    commands = [line.partition("#")[0].strip() for line in block.splitlines()]
    listed = subprocess.run([ROOT / ".ci/run", "--list"], capture_output=True, text=True, check=True)
    assert listed.stdout.splitlines() == commands
    assert commands[0] == "make demo"  # on a machine where nothing else has been run
    assert commands[-1] == "make test"  # whose closing line ends the output


def test_a_server_that_ends_before_it_answers_is_said():
    ended = [sys.executable, "-c", "import sys; sys.exit(3)"]
    with pytest.raises(RuntimeError, match="ended with 3 before JupyterLab answered"):
        try_lab.main(ended)
