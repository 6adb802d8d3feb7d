"""The search for a browser: what is named comes first, what does not start is passed over."""

import os
import sys

import pytest

from tools import chromium


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing on PATH, no browser of Playwright's, and installers that do nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("WCAM_CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "of_playwright", lambda: iter(()))
    monkeypatch.setattr(chromium, "install_with_playwright", lambda: None)
    monkeypatch.setattr(chromium, "install_with_apt", lambda: None)
    return tmp_path


def program(path, code):
    path.write_text(f"#!{sys.executable}\nimport sys\nsys.exit({code})\n")
    path.chmod(0o755)
    return str(path)


def test_a_named_browser_comes_before_path(machine, monkeypatch):
    program(machine / "chromium", 0)
    named = program(machine / "mine", 0)
    monkeypatch.setenv("WCAM_CHROMIUM", named)
    assert chromium.find() == named


def test_what_does_not_start_is_passed_over(machine):
    program(machine / "chromium", 1)
    works = program(machine / "google-chrome", 0)
    assert chromium.find() == works


def test_one_that_gets_installed_is_found(machine, monkeypatch):
    monkeypatch.setattr(chromium, "install_with_apt", lambda: program(machine / "chromium", 0))
    assert chromium.find() is None
    assert chromium.ensure() == os.fspath(machine / "chromium")


def test_none_is_an_error_that_says_what_to_do(machine):
    with pytest.raises(RuntimeError, match="install chromium or google-chrome, or set WCAM_CHROMIUM"):
        chromium.ensure()
