"""What the front end's build writes, and the names that it may change."""

import ast
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from wcam_widget.show.traits import NAMES

ROOT = Path(__file__).parents[2]
STATIC = resources.files("wcam_widget.show") / "static"


@pytest.mark.parametrize("name", ["widget.js", "standalone.js", "widget.css"])
def test_built_files_are_ascii(name):
    """A page that says no encoding may read other characters than were hashed for its policy."""
    beyond = {character for character in (STATIC / name).read_text("utf-8") if not character.isascii()}
    assert beyond == set()


def keys_in(tree: ast.AST) -> set[str]:
    """The keys of dictionaries, which messages and headers are."""
    keys = set()
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=written):
                keys |= {key.value for key in written if isinstance(key, ast.Constant)}
            case ast.Call(func=ast.Name(id="dict"), keywords=written):
                keys |= {keyword.arg for keyword in written}
    return keys


def test_the_build_changes_only_names_that_stay_in_the_bundle():
    """Not those of traits, messages and headers, nor what the front end itself reads by its text."""
    mangled = set(json.loads((ROOT / "js/mangled.json").read_text("utf-8")))
    # The headers of frames, which this module writes, are read by their texts alone.
    modules = [path for path in (ROOT / "wcam_widget/show").rglob("*.py") if path.name != "frames.py"]
    sent = set(NAMES).union(*(keys_in(ast.parse(path.read_text("utf-8"))) for path in modules))
    # Outside of what reads frames, no text that may be looked up in an object: types and attributes are not.
    other = re.compile(r"""Pick<[^>]*>|wcam: "\w+\"""")
    read = {
        name
        for path in (ROOT / "js/src").rglob("*.ts")
        if path.parent.name != "frame"
        for name in re.findall(r"""["'](\w+)["']""", other.sub("", path.read_text("utf-8")))
    }
    # What pages call on a widget that they show.
    called = {
        name
        for path in (ROOT / "tests/browser").glob("*.py")
        for name in re.findall(r"mounted\.(\w+)", path.read_text("utf-8"))
    }
    assert mangled & called == set()
    assert mangled & sent == set()
    assert mangled & read == set()
    assert {"run", "selection", "_frame"} <= sent | read  # the test sees names that travel
