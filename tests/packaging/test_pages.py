"""The pages for people: short, complete, and pointing at what is there."""

import importlib
import re
from pathlib import Path

import pytest
from PIL import Image

import wcam_widget
from tools.docstring_examples import fenced

ROOT = Path(__file__).parents[2]
FACES = ("basis", "demo", "evaluate", "explain", "model", "sensitivity", "stress", "study", "zoo")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PICTURES = ROOT / "docs" / "pictures"


def text_of(path):
    return path.read_text("utf-8")


def test_the_readme_is_read_in_a_minute():
    assert len(text_of(ROOT / "README.md").splitlines()) <= 120


def test_the_moving_picture_moves_and_is_light():
    picture = PICTURES / "explorer.webp"
    assert picture.stat().st_size < 1_000_000
    with Image.open(picture) as frames:
        assert frames.n_frames > 10


def test_every_public_name_has_its_place_in_the_reference():
    reference = "\n".join(text_of(path) for path in (ROOT / "docs/api").glob("*.md"))
    named = set(re.findall(r"^(?:::: wcam_widget\.(?:\w+\.)?|\| `)(\w+)", reference, re.MULTILINE))
    public = set(wcam_widget.__all__)
    for face in FACES:
        public |= set(importlib.import_module(f"wcam_widget.{face}").__all__)
    assert public - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(page))
    own = [target for target in targets if "://" not in target]
    assert [target for target in own if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md", "docs/guide/index.md"])
def test_files_that_are_named_exist(page):
    words = re.findall(r"`([\w./-]*/[\w./-]*|[\w./-]+\.(?:py|ts|css|md|ipynb))`", text_of(ROOT / page))
    parents = [ROOT, ROOT / "wcam_widget", ROOT / "wcam_widget/sensitivity", ROOT / "tests/browser"]
    assert [word for word in words if not any((parent / word).exists() for parent in parents)] == []


@pytest.mark.parametrize("folder", ["wcam_widget", "js/src"])
def test_the_picture_of_the_stages_has_every_folder(folder):
    named = set(re.findall(r'class="n">([^<]+)<', text_of(PICTURES / "stages.svg")))
    folders = {
        path.name for path in (ROOT / folder).iterdir() if any(path.glob("*.py")) or any(path.glob("*.ts"))
    }
    assert folders - named - {"style"} == set()


def test_the_pictures_are_all_shown():
    shown = "\n".join(text_of(page) for page in PAGES)
    assert [path.name for path in PICTURES.iterdir() if path.name not in shown] == []


@pytest.mark.parametrize(
    ("docstring", "shown"),
    [
        ("Adds.\n\n>>> 1 + 1\n2", "Adds.\n\n```pycon\n>>> 1 + 1\n2\n```"),
        ("Adds.\n\nExamples:\n    >>> 1 + 1\n    2", "Adds.\n\nExamples:\n    >>> 1 + 1\n    2"),
        ("Two.\n\n>>> 1\n1\n\n>>> 2\n2", "Two.\n\n```pycon\n>>> 1\n1\n```\n\n```pycon\n>>> 2\n2\n```"),
    ],
    ids=["an example at the end", "a section", "two examples"],
)
def test_examples_in_docstrings_are_shown_as_code(docstring, shown):
    assert fenced(docstring) == shown
