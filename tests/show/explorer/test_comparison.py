"""Several sides in one widget: what each is given, what is sent of it, and what the reader's choices do."""

import threading

import numpy as np
import pytest
import torch
import traitlets

from tests.show.conftest import PATIENCE
from wcam_widget.evaluate.embedding import embedded
from wcam_widget.explain import GradCam, Wcam
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.comparison import ComparisonExplorer
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.explorer.side_sessions import in_turn
from wcam_widget.show.frame import decode
from wcam_widget.show.traits import EACH_SIDE


@pytest.fixture
def pair(gate, image, method, without_front_end_code):
    with explore(gate, {"clean": image, "dark": image / 2}, method=method) as one:
        yield one
        gate.open.set()


def test_two_images_are_two_sides_with_traits_of_their_own(front_end, pair):
    assert isinstance(pair, ComparisonExplorer)
    assert pair.shown == [0, 1]
    assert pair._sides["names"] == ["clean", "dark"]
    attribution = pair.wait(PATIENCE)
    assert pair.attribution is attribution
    assert [one.complete for one in pair.attributions] == [True, True]
    runs = [decode(getattr(pair, name)).header["run"] for name in ("_picture", "_picture_1")]
    assert runs[0] != runs[1]
    assert [decode(pair._frame).header["run"], decode(pair._frame_1).header["run"]] == runs
    assert front_end.updates("_status_1")[-1]["state"] == "done"
    assert set(front_end.updates("_known_1")[-1]) > {"all", "keep:0-3"}


def test_both_sides_explain_the_class_of_the_first(gate, image, without_front_end_code):
    """A difference of maps says something of the images when both maps are of one score."""
    other = image.flip(0)
    with explore(gate, [image, other], method=Wcam(Sobol(rows=4), levels=1, grid=2)) as explorer:
        first, second = (explorer.wait(PATIENCE), explorer.attributions[1])
    assert first.target == second.target
    with explore(gate, [image, other], [0, 1], Wcam(Sobol(2), levels=1, grid=2)) as explorer:
        explorer.wait(PATIENCE)
    assert [one.target for one in explorer.attributions] == ["logit of class 0", "logit of class 1"]


def test_both_sides_draw_the_same_masks(pair):
    """So a map less itself is nothing, and what masks do to both cancels."""
    pair.wait(PATIENCE)
    one, other = pair.attributions
    paired = decode(pair._difference)
    runs = [side.session.picture.run for side in pair.sides]
    assert [paired.header["first"], paired.header["second"]] == runs
    difference = other.compare(one)
    np.testing.assert_allclose(paired.sections["cells_low"], difference.cells.low, rtol=1e-5)
    np.testing.assert_allclose(paired.sections["bands_high"], difference.groups.high, rtol=1e-5)
    assert set(paired.sections["cells_certain"].tolist()) <= {0, 1}
    pair.shown = [1, 0]
    pair.wait(PATIENCE)
    assert decode(pair._difference).header["first"] == runs[1]


def test_a_front_end_of_the_second_side_asks_and_is_answered(front_end, pair):
    pair.wait(PATIENCE)
    front_end.set(selection_1=[5, 7, 5], mode="remove")
    ask = {"t": "req", "id": "1", "client": "tab", "method": "score"}
    front_end.say(**ask, side=1, params={"selection": [5, 7], "mode": "remove"})
    front_end.wait_for(lambda: front_end.custom("res"))
    assert front_end.updates("_scores_1")[-1]["key"] == "remove:5-5,7-7"
    assert all(scores.get("key") != "remove:5-5,7-7" for scores in front_end.updates("_scores"))
    assert [side.selection for side in pair.sides] == [[], [5, 7]]
    assert pair.sides[1].scores == {
        one["label"]: (one["original"], one["reconstruction"]) for one in pair._scores_1["classes"]
    }
    assert (~pair.sides[1].mask).sum() == 2
    assert pair.sides[1].reconstruction.shape == (3, 16, 16)


@pytest.mark.parametrize("side", [2, -1, True, "1", None, [1]])
def test_messages_of_no_side_are_those_of_the_first_or_dropped(front_end, pair, side):
    pair.wait(PATIENCE)
    front_end.say(t="hello", client="tab", proto=1, have={}, side=side)
    assert [said["run"] for said in front_end.custom("hello-ack")] == [pair._status["run"]]


def test_each_side_validates_its_own_cells(pair):
    with pytest.raises(traitlets.TraitError, match="there is no cell 28; accepted are cell ids, 0 to 27"):
        pair.selection_1 = [28]
    with pytest.raises(traitlets.TraitError, match=r"shown: found \[0, 2\]; accepted are one or two"):
        pair.shown = [0, 2]
    pair.shown = [1]
    pair.select_band("HL2")
    assert pair.selection == pair.selection_1 != []


def test_one_worker_serves_all_sides_two_of_them_in_turn(gate, pair):
    pair.wait(PATIENCE)
    assert gate.threads - {threading.current_thread().name} == {"wcam comparison"}
    assert list(in_turn([iter("ab"), iter("xyz")])) == ["a", "x", "b", "y", "z"]


def test_closing_ends_all_sides_and_keeps_their_maps(front_end, gate, image, method, without_front_end_code):
    gate.shuts_after = 2  # the looks that the sides take when they are made
    explorer = explore(gate, [image, image / 2], method=method)
    explorer.cancel()
    gate.open.set()
    with pytest.raises(RuntimeError, match="cancelled before its first map"):
        explorer.wait(PATIENCE)
    explorer.close()
    explorer.close()
    assert explorer.attributions == (None, None)
    assert explorer._frame_1 == b""
    with pytest.raises(RuntimeError, match="the explorer is closed"):
        _ = explorer.sides


def test_all_sides_are_deepened(pair):
    pair.wait(PATIENCE)
    before = [one.evaluations for one in pair.attributions]
    pair.deepen()
    pair.wait(PATIENCE)
    after = [one.evaluations for one in pair.attributions]
    assert [more > less for more, less in zip(after, before, strict=True)] == [True, True]
    runs = [side.session.picture.run for side in pair.sides]
    assert decode(pair._difference).header["first"] == runs[0]


def test_many_images_get_places_by_their_profiles(gate, image, without_front_end_code):
    images = [image, image.flip(2), image / 2, image.mean(0, keepdim=True).expand(3, -1, -1)]
    with explore(gate, images, method=Wcam(Sobol(rows=8), levels=2, grid=2)) as explorer:
        assert explorer.shown == [0]
        explorer.wait(PATIENCE)
        points = explorer._sides["points"]
        assert np.array(points).shape == (4, 2)
        assert points[0] == pytest.approx(points[1], abs=0.2)
        assert "share of importance" in explorer._sides["words"]
        assert decode(explorer._thumbnails).sections["images"].shape == (4, 64, 64, 3)


def test_methods_and_models_can_be_compared(gate, image, without_front_end_code):
    methods = [Wcam(Sobol(rows=4), levels=1, grid=2), Wcam(Sobol(rows=8), levels=1, grid=2)]
    with explore(gate, image, method=methods) as explorer:
        explorer.wait(PATIENCE)
        assert explorer._sides["compared"] == "method"
    with explore({"red": gate, "blue": lambda images: gate(images.flip(1))}, image, method=methods[0]) as one:
        one.wait(PATIENCE)
        assert one._sides["names"] == ["red", "blue"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": [torch.rand(3, 8, 8)]}, "image: found a list of 1; accepted are 2 to 64 sides"),
        (
            {"image": [torch.rand(3, 8, 8)] * 2, "method": [Wcam(), GradCam()]},
            "image and method: found",
        ),
        ({"image": [torch.rand(3, 8, 8)] * 2, "target": [1]}, "target: found a list of 1; image has 2"),
        ({"image": [torch.rand(3, 8, 8), torch.rand(3, 8)]}, r"image\[1\]: "),
    ],
)
def test_what_cannot_be_compared_is_refused_in_the_callers_words(
    gate, arguments, message, without_front_end_code
):
    with pytest.raises(ValueError, match=message):
        explore(gate, **arguments)


def test_a_page_of_sides_has_the_traits_of_all(pair, tmp_path):
    pair.wait(PATIENCE)
    state = pair.page_state()
    assert {f"{name}_1" for name in EACH_SIDE} <= set(state)


def test_an_embedding_keeps_distances_that_fit_a_plane():
    profiles = np.array([[0.5, 0.5, 0.0], [0.2, 0.8, 0.0], [0.9, 0.1, 0.0]])
    points, share = embedded(profiles)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    assert apart[0, 1] == pytest.approx(0.3)
    assert apart[1, 2] == pytest.approx(0.7)
    assert share == pytest.approx(1.0)
    assert embedded(np.ones((4, 1))).share == 1.0
