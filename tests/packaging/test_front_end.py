"""What the front end must never hold: addresses on the network, and text taken for markup."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import wcam_widget

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "wcam_widget/show/static"
SOURCES = sorted((ROOT / "js/src").rglob("*.ts"))
MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML"
CODE = r"\beval\(|new Function\(|import\(\s*[^\"']"
# A saved page carries other packages' widgets as their own modules, which are code and nothing else: the
# notebook ran them before. This is the one door, and the bundle that kernels show has none.
FOREIGN_MODULES = ROOT / "js/src/transport/module_widget.ts"
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "http://www.w3.org/1999/xlink"}


@pytest.mark.parametrize("name", ["widget.js", "widget.css", "standalone.js", "network.js"])
def test_built_files_name_no_address(name):
    text = (STATIC / name).read_text("utf-8")
    assert set(re.findall(r"(?:https?|wss?):/{2}[^\s\"'`)]*", text)) <= NAMESPACES
    assert re.findall(r"@import|url\(\s*['\"]?(?!data:)[^)]", text) == []


def test_widget_stays_under_its_size():
    assert (STATIC / "widget.js").stat().st_size < 130_000


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sources_never_take_text_for_markup_or_code(path):
    text = path.read_text("utf-8")
    assert re.findall(MARKUP, text) == []
    doors = ["import(u"] if path == FOREIGN_MODULES else []
    assert re.findall(CODE, text) == doors


def test_the_bundle_of_kernels_loads_no_module_of_others():
    assert re.findall(CODE, (STATIC / "widget.js").read_text("utf-8")) == []


def test_there_are_sources():
    assert {"widget.ts", "standalone.ts"} <= {path.name for path in SOURCES}


def test_both_languages_carry_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    package = json.loads((ROOT / "js/package.json").read_text("utf-8"))
    lock = json.loads((ROOT / "js/package-lock.json").read_text("utf-8"))
    assert {wcam_widget.__version__, project["version"], package["version"], lock["version"]} == {
        project["version"]
    }


def test_the_lock_file_names_no_registry():
    lock = json.loads((ROOT / "js/package-lock.json").read_text("utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
