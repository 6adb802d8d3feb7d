"""NISSIM, MOD and VID: their definitions, their bounds, and whole runs with every kind of map."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from torch import nn

from wcam_widget.demo import load_demo
from wcam_widget.evaluate.dissimilarity import (
    Dissimilarity,
    Protocol,
    dissimilarity,
    maps_of,
    mod,
    nissim,
    vid,
)
from wcam_widget.evaluate.similarity import Ssim
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.explain.wcam.wcam import Wcam
from wcam_widget.model import ModelError
from wcam_widget.sensitivity import Derivative, Sobol
from wcam_widget.stress import Schedule, Threat, fgsm, pgd

LEVELS = arrays(float, st.tuples(st.integers(2, 5), st.integers(1, 6)), elements=st.floats(0, 1))
FAST = Wcam(Derivative(rows=4), levels=2, grid=4)


def maps_of_seed(seed, count=2):
    return torch.rand(count, 12, 14, generator=torch.Generator().manual_seed(seed))


def network(seed=0, side=16):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.SELU(), nn.Flatten(), nn.Linear(6 * (side - 4) ** 2, 3)
    ).eval()


def images_of(count=2, side=16):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def explained(net, image, stream):
    return list(FAST.steps(net, image, None, stream))[-1]


@given(st.integers(0, 99), st.integers(0, 99))
def test_nissim_is_a_symmetric_distance_from_0_to_1(one, other):
    first, second = maps_of_seed(one), maps_of_seed(other)
    found = nissim(first, second)
    np.testing.assert_allclose(found, nissim(second, first), atol=1e-12)
    assert (found >= 0).all()
    assert (found <= 1).all()
    assert (nissim(first, first) == 0).all()
    assert (one == other) == bool((found == 0).all())


def test_opposite_maps_are_further_apart_than_unlike_ones():
    heat = maps_of_seed(0)
    assert (nissim(heat, 1 - heat) > 0.6).all()
    assert (nissim(heat, maps_of_seed(1)) < 0.6).all()


@given(LEVELS)
def test_vid_has_the_bounds_of_a_standard_deviation(values):
    found = vid(values)
    means = mod(values).value
    assert found.model <= (means.max() - means.min()) / 2 + 1e-12
    assert found.low <= found.model + 1e-12
    assert found.model <= found.high + 1e-12
    assert (found.per_image <= np.ptp(values, axis=0) / 2 + 1e-12).all()
    assert (found.per_level <= np.ptp(values, axis=1) / 2 + 1e-12).all()


def test_the_three_readings_of_vid_and_when_they_vanish():
    values = np.array([[0.1, 0.3], [0.3, 0.1], [0.2, 0.2]])  # the same mean at every level
    found = vid(values)
    assert found.model == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_allclose(found.per_image, np.sqrt(0.02 / 3))
    np.testing.assert_allclose(found.per_level, [0.1, 0.1, 0.0], atol=1e-15)


def test_mod_has_students_interval_over_images():
    values = 0.5 + 0.05 * np.random.default_rng(0).normal(size=(3, 12))
    found = mod(values)
    for level, row in enumerate(values):
        low, high = stats.t.interval(0.95, 11, row.mean(), stats.sem(row))
        assert found.value[level] == pytest.approx(row.mean())
        # Heavy tails take degrees of freedom away, never add some.
        assert found.low[level] == pytest.approx(low, abs=0.01)
        assert found.high[level] == pytest.approx(high, abs=0.01)
        assert found.low[level] < row.mean() < found.high[level]


def test_one_image_limits_nothing():
    found = mod(np.array([[0.2], [0.4]]))
    assert found.low.tolist() == [0.0, 0.0]
    assert found.high.tolist() == [1.0, 1.0]
    only = vid(np.array([[0.2], [0.4]]))
    assert (only.low, only.high) == (0.0, 0.5)
    assert only.model == pytest.approx(0.1)


@pytest.mark.parametrize(
    "values", [np.zeros((0, 3)), np.zeros((2, 0)), np.full((2, 2), 1.1), np.full((2, 2), np.nan)]
)
def test_what_is_no_nissim_is_refused(values):
    for measure in (mod, vid):
        with pytest.raises(ValueError, match=re.escape("values: found shape")):
            measure(values)


def test_one_level_has_no_variation():
    with pytest.raises(ValueError, match="of at least 2 attack levels and one image"):
        vid(np.zeros((1, 4)))


@pytest.mark.parametrize("analysis", [Derivative(rows=4), Sobol(rows=2)])
def test_without_an_attack_no_map_moves(analysis):
    found = dissimilarity(network(), replace(FAST, analysis=analysis), images_of(), epsilons=(0.0, 0.1))
    assert (found.nissim[:, 0] == 0).all()
    assert (found.nissim[:, 1] > 0).any()
    assert not found.fooled[0].any()
    assert found.maps == ("spatial", "A2", "LH2", "HL2", "HH2", "LH1", "HL1", "HH1")
    assert found.nissim.shape == (8, 2, 2)
    assert found.empty.shape == (8, 3, 2)
    assert "Wcam" in found.method


def test_each_map_is_compared_with_the_clean_one_of_its_image_and_band():
    net, images = network(), images_of()
    found = dissimilarity(net, FAST, images, [0, 1], epsilons=(0.05, 0.1))
    strong = fgsm(net, images, [0, 1], 0.1)
    pair = [explained(net, image, 1) for image in (images[1], strong.images[1])]
    whole = nissim(pair[0].spatial()[None], pair[1].spatial()[None])
    assert found.values()[1, 1] == pytest.approx(float(whole[0]))
    band = [np.where(each.cells.groups == 2, each.values, 0) for each in pair]
    alone = nissim(*(each.cells.spatial(part)[None] for each, part in zip(pair, band, strict=True)))
    assert found.values("HL2")[1, 1] == pytest.approx(float(alone[0]))
    np.testing.assert_allclose(sum(maps_of(pair[0])[1:]), pair[0].spatial(), atol=1e-12)
    assert found.mod("HL2").value[1] == pytest.approx(found.values("HL2")[1].mean())
    assert found.vid().model == pytest.approx(found.mod().value.std())
    np.testing.assert_array_equal(found.fooled[1], strong.fooled)


def test_a_method_in_pixels_has_its_map_over_the_image_alone():
    found = dissimilarity(network(), replace(FAST, wavelet="pixels"), images_of(1), epsilons=(0.1,))
    assert found.maps == ("spatial",)
    with pytest.raises(ValueError, match="name: found 'HL1'; accepted are spatial"):
        found.mod("HL1")


@dataclass(frozen=True)
class Recorded(AbstractMethod):
    """Explains as another method does, and notes which targets it was asked for."""

    method: AbstractMethod
    asked: list

    def steps(self, model, image, target=None, stream=0):
        self.asked.append(target)
        yield from self.method.steps(model, image, target, stream)


@pytest.mark.parametrize(("explained", "wanted"), [("own", [None] * 2), ("clean", None), ("label", [2, 2])])
def test_the_explained_class_is_that_of_the_protocol(explained, wanted):
    net, images, asked = network(), images_of(1), []
    if wanted is None:
        wanted = [int(net(images).argmax())] * 2
    protocol = Protocol(explained=explained)
    dissimilarity(net, Recorded(FAST, asked), images, [2], (0.1,), protocol)
    assert asked == wanted


def test_constant_maps_are_kept_and_counted():
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, 2))
    nn.init.zeros_(net[1].weight)
    found = dissimilarity(net, FAST, images_of(), epsilons=(0.1,))
    assert found.empty.all()
    assert (found.nissim == 0).all()


def test_the_protocol_chooses_attack_threat_and_similarity():
    net, images = network(), images_of()

    def thorough(model, images, targets, epsilon, threat):
        return pgd(model, images, targets, epsilon, threat, Schedule(steps=4))

    threat = Threat("l2", bands=("HH1",), levels=1)
    protocol = Protocol(thorough, threat, "own", Ssim(sigma=1.0))
    found = dissimilarity(net, FAST, images, epsilons=(0.5, 1.0), protocol=protocol)
    assert isinstance(found, Dissimilarity)
    assert found.protocol is protocol
    attacked = thorough(net, images, None, 1.0, threat)
    for number in range(2):
        shown = (images[number], attacked.images[number])
        pair = [explained(net, image, number).spatial()[None] for image in shown]
        assert found.values()[1, number] == pytest.approx(float(nissim(*pair, Ssim(sigma=1.0))[0]))


def test_the_maps_of_the_demo_move_more_the_stronger_the_attack():
    model, images, labels, _ = load_demo()
    found = dissimilarity(model, FAST, images[:3], labels[:3], (0.001, 0.1), Protocol(explained="label"))
    weak, strong = found.mod().value
    assert 0 < weak < strong < 1
    assert found.fooled[1].sum() > found.fooled[0].sum()


def test_the_network_is_left_as_it_was_also_when_it_raises():
    net = network().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    dissimilarity(net, FAST, images_of(1), epsilons=(0.1,))
    with pytest.raises(ModelError):
        dissimilarity(net, FAST, images_of(1, 20), epsilons=(0.1,))
    assert all(module.training for module in net.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(each.grad is None and each.requires_grad for each in net.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in net.modules())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epsilons": ()}, "epsilons: found none;"),
        ({"epsilons": (0.1, 8.0)}, "epsilons[1]: found 8.0; divide by 255;"),
        ({"targets": [0]}, "targets: found 1 entries for 2 images"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        dissimilarity(network(), FAST, images_of(), **arguments)


def test_an_unknown_class_to_explain_is_named():
    with pytest.raises(ValueError, match="explained: found 'top'; accepted are own, clean, label"):
        Protocol(explained="top")
