"""Another target in a comparison: of all sides where they explained one, else of the side it is chosen on."""

import pytest
import torch
import traitlets

from tests.show.conftest import PATIENCE
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox, Logit, Probability
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.explore import explore

METHOD = Wcam(Sobol(rows=2), levels=1, grid=2)


@pytest.fixture
def pair(gate, image, without_front_end_code):
    with explore(BlackBox(gate, class_names=["a", "b", "c"]), [image, image / 2], 0, METHOD) as one:
        one.wait(PATIENCE)
        yield one


def targets(explorer):
    return [side.session.probe.target for side in explorer.sides]


def choose(front_end, class_id, side=0):
    params = {"class_id": class_id, "other": None}
    front_end.say(t="req", id="1", client="tab", method="target", params=params, side=side)


@pytest.mark.parametrize("side", [0, 1])
def test_what_is_chosen_on_either_side_is_explained_on_both(front_end, pair, side):
    assert pair._sides["linked"]
    choose(front_end, 2, side)
    assert targets(pair) == [Logit(2), Logit(2)]
    pair.wait(PATIENCE)
    assert [one.target for one in pair.attributions] == ["logit of c"] * 2
    assert pair.target == 2
    assert front_end.updates("_target")[-1]["about"] == front_end.updates("_target_1")[-1]["about"]
    assert len(front_end.custom("res")) == 1


def test_what_python_sets_is_explained_on_both(pair):
    pair.target = "b"
    pair.wait(PATIENCE)
    assert [one.target for one in pair.attributions] == ["logit of b"] * 2


def test_what_one_side_lacks_is_explained_on_none(front_end, pair):
    choose(front_end, 7)
    (refusal,) = front_end.custom("err")
    assert "target" in refusal["message"]
    with pytest.raises(traitlets.TraitError, match="target: "):
        pair.target = "d"
    assert targets(pair) == [Logit(0), Logit(0)]


def test_each_side_keeps_the_kind_of_its_score(front_end, gate, image, without_front_end_code):
    methods = [Wcam.as_published(grid=2, rows=2, levels=1), METHOD]
    with explore(gate, image, 0, methods) as explorer:
        explorer.wait(PATIENCE)
        before = targets(explorer)
        choose(front_end, 1)
        explorer.wait(PATIENCE)
        assert [type(one) for one in targets(explorer)] == [type(one) for one in before]
        assert {one.class_id for one in targets(explorer)} == {1}
        assert {Logit, Probability} >= {type(one) for one in before}


@pytest.mark.parametrize("given", [[0, 1], None])
def test_sides_with_targets_of_their_own_keep_them(front_end, gate, image, without_front_end_code, given):
    images = [image, image.flip(0)] if given else [image, image.flip(0), image.roll(1, 0)]
    with explore(gate, images, given, METHOD) as explorer:
        explorer.wait(PATIENCE)
        assert not explorer._sides["linked"]
        first, second, *rest = targets(explorer)
        other = next(one for one in range(3) if one != second.class_id)
        choose(front_end, other, side=1)
        explorer.wait(PATIENCE)
        assert targets(explorer) == [first, Logit(other), *rest]
        explorer.target = next(one for one in range(3) if one != first.class_id)
        assert targets(explorer)[1:] == [Logit(other), *rest]


def test_models_of_other_classes_are_not_linked(image, without_front_end_code):
    nets = [torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, classes)) for classes in (2, 3)]
    with explore(nets, image, 0, METHOD) as explorer:
        explorer.wait(PATIENCE)
        assert not explorer._sides["linked"]
