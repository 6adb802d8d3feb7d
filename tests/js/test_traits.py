"""One table of traits: the front end's interface and the states that tests make have its names and types."""

import re
from pathlib import Path

import pytest
import traitlets

from tests.browser.scene import make_scene, state_of
from wcam_widget.show.traits import LevelNames, EACH_SIDE, NAMES, PROTOCOL, TABLE

TRANSPORT = Path(__file__).parents[2] / "js/src/transport"
INTERFACES = {"kernel": "KernelState", "both": "SharedState"}
TYPES = {  # the first that fits
    traitlets.Bytes: "DataView",
    traitlets.Dict: "unknown",
    LevelNames: "readonly string[]",
    traitlets.List: "number[]",
    (traitlets.Int, traitlets.Float): "number",
    (traitlets.Enum, traitlets.Unicode): "string",
}


@pytest.mark.parametrize("direction", INTERFACES)
def test_the_interface_has_the_names_and_types_of_the_table(direction):
    body = re.search(
        rf"export interface {INTERFACES[direction]} {{(.*?)^}}",
        (TRANSPORT / "afm.ts").read_text("utf-8"),
        re.M | re.S,
    )
    theirs = dict(re.findall(r"^  (\w+): (.+);$", body[1], re.M))
    assert theirs == {
        trait.name: next(name for kind, name in TYPES.items() if issubclass(trait.kind, kind))
        for trait in TABLE
        if trait.direction == direction
    }


def test_every_trait_has_a_direction_and_a_meaning():
    assert {trait.direction for trait in TABLE} == set(INTERFACES)
    assert all(trait.meaning for trait in TABLE)


def test_the_page_of_the_browser_tests_has_every_trait():
    assert set(state_of(make_scene())) == set(NAMES)


def test_both_languages_have_one_version_of_the_protocol():
    text = (TRANSPORT / "connection.ts").read_text("utf-8")
    assert re.findall(r"PROTOCOL = (\d+);", text) == [str(PROTOCOL)]


def test_both_languages_know_which_traits_every_side_has():
    text = (TRANSPORT / "side_model.ts").read_text("utf-8")
    listed = re.search(r"EACH_SIDE.*?= \[(.*?)\]", text, re.DOTALL)
    assert tuple(re.findall(r'"(\w+)"', listed[1])) == EACH_SIDE
