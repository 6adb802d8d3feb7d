"""Explorers and other widgets that share what a reader chose."""

import gc
import weakref

import ipywidgets
import numpy as np
import pytest
import torch
import traitlets

from tests.show.conftest import PATIENCE
from wcam_widget.explain import Attribution, Wcam
from wcam_widget.model import BlackBox, Margin
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.explore import explore

pytestmark = pytest.mark.usefixtures("without_front_end_code")


@pytest.fixture
def make(gate, image, method):
    made = []

    def one(method=method, image=image):
        made.append(explore(BlackBox(gate), image, method=method))
        return made[-1]

    yield one
    for explorer in made:
        explorer.close()


def test_two_explorers_share_choices_until_they_are_unlinked(make):
    one, other = make(), make(image=torch.rand(3, 16, 16))
    one.selection, one.mode = [1, 2], "remove"
    link = one.link(other)
    assert (other.selection, other.mode) == ([1, 2], "remove")
    other.level, other.selection = ["level 1"], [3]
    assert (one.level, one.selection) == (["level 1"], [3])
    other.add_layer(Wcam(Sobol(rows=2), levels=1, grid=2), "mine")
    other.layer = "mine"  # which the first explorer has not
    assert one.layer == ""
    link.unlink()
    link.unlink()
    one.selection = []
    assert other.selection == [3]


def test_a_link_ends_with_either_explorer_and_keeps_none_alive(make):
    one, other = make(), make()
    one.link(other)
    one.close()
    assert not other.links
    other.selection = [5]
    assert one.selection == []
    gone = weakref.ref(one)
    assert not other._trait_notifiers.get("selection", {}).get("change", [])[1:]  # its own observers alone
    del one, gone
    gc.collect()


def test_explorers_of_other_cells_are_refused(make):
    one, other = make(), make(Wcam(Sobol(rows=2), levels=1, grid=2))
    with pytest.raises(ValueError, match="other: its 16 cells are not the 28 of this explorer"):
        one.link(other)
    one.link(other, ["mode"])
    one.mode = "remove"
    assert other.mode == "remove"


def test_levels_are_named_or_refused(make):
    explorer = make()
    with pytest.raises(
        traitlets.TraitError, match="level: found 'level 9'; accepted are A2, level 2, level 1"
    ):
        explorer.level = ["level 9"]


def test_widgets_are_linked_with_its_traits(make):
    explorer = make()
    chosen, bar = ipywidgets.Dropdown(options=[("a", 0), ("b", 1), ("c", 2)]), ipywidgets.FloatProgress(max=1)
    mode, level = (
        ipywidgets.ToggleButtons(options=["keep", "remove"]),
        ipywidgets.SelectMultiple(options=["A2", "level 2", "level 1"]),
    )
    traitlets.link((explorer, "target"), (chosen, "value"))
    traitlets.link((explorer, "mode"), (mode, "value"))
    traitlets.link((explorer, "level"), (level, "value"))
    traitlets.dlink((explorer, "progress"), (bar, "value"))
    explorer.wait(PATIENCE)
    chosen.value, mode.value, level.value = 2, "remove", ("level 1",)
    assert explorer.wait(PATIENCE).target == "logit of class 2"
    assert (explorer.mode, explorer.level, bar.value) == ("remove", ["level 1"], 1.0)


def test_the_copied_lines_run(make, gate, image, method):
    explorer = make()
    explorer.wait(PATIENCE)
    explorer.target = Margin(1, 2)
    code = explorer._target["code"]
    names = {"model": BlackBox(gate), "image": image}
    exec(code, names)
    with names["explorer"] as again:
        assert again.target == Margin(1, 2)
        assert again.wait(PATIENCE).method == explorer.attribution.method


def test_the_map_is_sent_as_the_file_that_is_read_again(front_end, make, tmp_path):
    explorer = make()
    explorer.wait(PATIENCE)
    sent = []
    explorer.send = lambda content, buffers=None: sent.append((content, buffers))
    explorer._messages.receive({"t": "req", "id": "1", "client": "tab", "method": "file", "params": {}})
    ((content, (bytes_,)),) = sent
    assert content["t"] == "res"
    (path := tmp_path / "map.npz").write_bytes(bytes_)
    np.testing.assert_array_equal(Attribution.load(path).values, explorer.attribution.values)


def test_an_explorer_that_was_refused_is_let_go_of_without_a_word():
    with pytest.raises(ValueError, match="image"):
        explore(lambda images: images.mean((2, 3)), torch.rand(2, 2, 2, 2))
    gc.collect()  # an error in what ends it would be one of the test
