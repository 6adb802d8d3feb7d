"""Folders of images on the command line, and the examples of its help."""

import json
import re

import pytest
from PIL import Image

from tests.cli.test_app import MODELS, states, wcam
from tests.command_line import QUICK, enter_folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with models to name and two images, as the working directory."""
    enter_folder(tmp_path, monkeypatch, MODELS, ["cat", "dog"])
    return tmp_path


def test_a_folder_gives_an_index_and_a_page_for_each_image(folder):
    photos = folder / "photos"
    photos.mkdir()
    hostile = "<img src=x onerror=alert(1)>&quot;.png"
    for name in ("cat.png", hostile):
        (photos / name).write_bytes((folder / "cat.png").read_bytes())
    (photos / "broken.jpg").write_bytes(b"no image")
    (photos / "notes.txt").write_text("no image")
    result = wcam("explain", "photos", "--model", "cli_models:channels", *QUICK, "-o", "out", "--json")
    assert result.exit_code == 1
    assert "2 of 3 images were explained" in result.stderr
    assert "broken.jpg" in result.stderr
    said = json.loads(result.stdout)
    assert [one["image"] for one in said["failed"]] == ["broken.jpg"]
    assert said["files"] == ["out/index.html", "out/001.html", "out/002.html"]
    index = (folder / "out" / "index.html").read_text("utf-8")
    assert re.findall(r'href="([^"]*)"', index) == ["001.html", "002.html"]
    assert index.count("data:image/png;base64,iVBOR") == 2
    assert "<script" not in index
    assert "<img src=x" not in index
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;quot;.png" in index
    assert "broken.jpg" in index
    for page in ("001.html", "002.html"):
        assert len(states(folder / "out" / page)) == 1


def test_a_folder_without_images_is_refused(folder):
    (folder / "empty").mkdir()
    result = wcam("explain", "empty", "--model", "cli_models:channels")
    assert result.exit_code == 2
    assert "images: empty has no image" in result.stderr
    result = wcam("explain", "cat.png", "--model", "cli_models:channels", "-o", "empty")
    assert result.exit_code == 2
    assert "--out: empty is a folder" in result.stderr


def test_the_examples_of_the_help_are_commands_that_run(folder):
    shown = wcam("explain", "--help").stdout
    lines = re.findall(r"^\s*│?\s*wcam (explain .*?)\s*│?$", shown, flags=re.MULTILINE)
    assert len(lines) >= 4
    (folder / "photos").mkdir()
    for name in ("cat.jpg", "dog.jpg", "photos/one.jpg"):
        Image.open(folder / "cat.png").save(folder / name)
    for line in lines:
        words = line.replace("efficientnet-lite0", "cli_models:small").split()
        words += [] if "--model" in words else ["--model", "cli_models:small"]
        quick = [] if "--method" in words else ["--levels", "1", "--grid", "2", "--rows", "2"]
        result = wcam(*words, *quick)
        assert result.exit_code == 0, (line, result.stderr)
