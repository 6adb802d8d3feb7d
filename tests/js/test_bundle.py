"""What the front end's build writes."""

from importlib import resources

import pytest

STATIC = resources.files("wcam_widget.show") / "static"


@pytest.mark.parametrize("name", ["widget.js", "standalone.js", "widget.css"])
def test_built_files_are_ascii(name):
    """A page that says no encoding may read other characters than were hashed for its policy."""
    beyond = {character for character in (STATIC / name).read_text("utf-8") if not character.isascii()}
    assert beyond == set()
