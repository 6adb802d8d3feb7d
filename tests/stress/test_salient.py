"""Attack enhancement: free where a map is 1, paid for elsewhere, stopped at one confidence."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.model.networks import Counting
from wcam_widget.demo import load_demo
from wcam_widget.model import BlackBox, ModelError
from wcam_widget.stress import Schedule, Threat, pgd
from wcam_widget.stress.salient import EPSILON, Enhancement, salient_pgd


def linear(classes=3, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, classes))


def grey(count=2, side=8):
    return torch.full((count, 3, side, side), 0.5)


def left_half(count=2, side=8):
    maps = torch.zeros(count, side, side)
    maps[:, :, : side // 2] = 1.0
    return maps


def test_without_a_penalty_it_is_plain_pgd_towards_the_least_likely_class():
    net = BlackBox(linear())
    least = net.logits(grey()).argmin(1).tolist()
    walk = Enhancement(weight=0.0, steps=6, size=0.01, confidence=1 - 1e-12)
    found = salient_pgd(net, grey(), left_half(), epsilon=0.03, enhancement=walk)
    plain = pgd(net, grey(), least, 0.03, Threat(targeted=True), Schedule(steps=5, size=0.01))
    torch.testing.assert_close(found.images, plain.images)
    assert found.labels.tolist() == least
    assert (found.gradients, found.epsilon) == (12, 0.03)


def test_where_the_penalty_outweighs_the_slope_nothing_is_changed_but_the_salient_part():
    net = linear()
    strong = Enhancement(weight=50.0, steps=30, size=0.005)
    found = salient_pgd(net, grey(), left_half(), epsilon=0.1, enhancement=strong)
    change = (found.images - 0.5).abs()
    np.testing.assert_allclose(change[..., :4], 0.1, rtol=1e-4)
    assert float(change[..., 4:].max()) < 1e-4


@given(st.integers(0, 20))
@settings(max_examples=4)
def test_of_linear_classes_the_walk_ends_where_objective_is_highest(seed):
    # Two classes: the log-odds are linear with slope g. Less weight |p| outside of the free part, and with
    # room enough, the best p outside is either 0 or without end: 0 for a weight above |g|.
    net = linear(2, seed)
    slope = (net[1].weight[1] - net[1].weight[0]).detach().reshape(3, 8, 8)
    outside = float(slope[..., 4:].norm())
    for weight, moved in ((1.5 * outside, False), (0.5 * outside, True)):
        walk = Enhancement(weight=weight, steps=60, size=0.002, confidence=1 - 1e-12)
        found = salient_pgd(net, grey(1), left_half(1), [1], 0.1, walk)
        assert (float((found.images - 0.5)[..., 4:].norm()) > 0.05) == moved


def test_a_step_follows_the_gradient_of_the_objective_and_ends_where_it_vanishes():
    drawn = torch.Generator().manual_seed(0)
    change, slope = (torch.randn(2, 3, 4, 4, generator=drawn, dtype=torch.float64) for _ in range(2))
    price = torch.rand(2, 1, 4, 4, generator=drawn, dtype=torch.float64)
    leaf = change.clone().requires_grad_()
    ((slope * leaf).sum() - 3.0 * (leaf * price).flatten(1).norm(dim=1).sum()).backward()
    short = Enhancement(weight=3.0, size=1e-6).step(change, slope, price)
    torch.testing.assert_close(short, 1e-6 * leaf.grad.sign())
    ended = change + Enhancement(weight=3.0, size=1e6).step(change, slope, price)
    norm = torch.maximum((change * price).flatten(1).norm(dim=1), 1e3 * price.flatten(1).norm(dim=1) * 3**0.5)
    torch.testing.assert_close(3.0 * price**2 * ended / norm[:, None, None, None], slope)


def test_images_stop_at_the_confidence_and_keep_that_point():
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 2, bias=False))
    with torch.no_grad():
        net[1].weight[0], net[1].weight[1] = -1.0, 1.0  # the log-odds of class 1 are twice the sum
    with_bias = BlackBox(net, preprocess=lambda images: images - 0.52)
    walk = Enhancement(weight=0.0, confidence=0.9, steps=40, size=0.001)
    found = salient_pgd(with_bias, grey(3), torch.ones(3, 8, 8), [1] * 3, 0.1, walk)
    odds = 2 * 192 * (found.linf - 0.02)
    assert found.reached(0.9).all()
    assert (odds >= walk.log_odds).all()
    assert (odds < walk.log_odds + 2 * 192 * 0.001 + 1e-3).all()
    steps = math.ceil((0.02 + walk.log_odds / 384) / 0.001 - 1e-6)
    assert found.gradients == 3 * (steps + 1)


def test_one_image_that_arrives_does_not_stop_the_others():
    net = linear(2)
    net[1].weight.data *= 5
    images = torch.stack([torch.full((3, 8, 8), 0.5), torch.rand(3, 8, 8)])
    maps = torch.ones(2, 8, 8)
    walk = Enhancement(confidence=0.9, steps=50, size=0.002)
    together = salient_pgd(net, images, maps, [0, 1], 0.1, walk)
    alone = [salient_pgd(net, images[i : i + 1], maps[:1], [i], 0.1, walk) for i in range(2)]
    torch.testing.assert_close(together.images, torch.cat([each.images for each in alone]))
    assert together.gradients == sum(each.gradients for each in alone)
    assert together.reached(0.9).all()
    assert alone[0].gradients != alone[1].gradients


def test_an_image_that_is_there_already_is_not_changed():
    net = linear(2)
    with torch.no_grad():
        net[1].bias.copy_(torch.tensor([100.0, 0.0]))
    found = salient_pgd(net, grey(), left_half(), [0, 0])
    assert torch.equal(found.images, grey())
    assert found.reached(0.9999).all()
    assert found.gradients == 2


def test_what_is_not_reached_says_so_and_keeps_its_highest_confidence():
    found = salient_pgd(linear(), grey(), left_half(), epsilon=1e-4)
    assert not found.reached(0.9999).any()
    assert (found.scores_after > found.scores_before).all()
    assert (found.linf <= 1e-4).all()


@pytest.mark.parametrize("weight", [0.0, 50.0])
def test_a_map_of_ones_is_free_everywhere(weight):
    found = salient_pgd(linear(), grey(), torch.ones(2, 8, 8), enhancement=Enhancement(weight=weight))
    plain = salient_pgd(linear(), grey(), left_half(), enhancement=Enhancement(weight=0.0))
    assert torch.equal(found.images, plain.images)


def test_bounds_are_kept_and_maps_may_be_arrays():
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    maps = np.random.default_rng(0).random((3, 8, 8))
    found = salient_pgd(linear(), images, maps, enhancement=Enhancement(weight=0.1))
    assert (found.linf <= EPSILON).all()
    assert 0 <= float(found.images.min()) <= float(found.images.max()) <= 1
    same = salient_pgd(linear(), images, torch.from_numpy(maps), enhancement=Enhancement(weight=0.1))
    assert torch.equal(same.images, found.images)


def test_at_one_confidence_a_penalty_leads_the_demo_by_less_whatever_the_map():
    model, images, _, _ = load_demo()
    rows = torch.linspace(-1, 1, 128)
    centre = torch.exp(-2 * (rows[:, None] ** 2 + rows[None] ** 2)).expand(4, -1, -1)
    plain, kept, flat = (
        salient_pgd(model, images[:4], maps, None, 24 / 255, Enhancement(weight, size=2 / 255, steps=40))
        for maps, weight in ((centre, 0.0), (centre, 2.0), (torch.full_like(centre, 0.3), 2.0))
    )
    both = plain.reached(0.9999) & kept.reached(0.9999) & flat.reached(0.9999)
    assert both.sum() >= 2
    assert (kept.l2[both] < plain.l2[both]).all()
    assert (flat.l2[both] < plain.l2[both]).all()


def found_in(net):
    modes = [module.training for module in net.modules()]
    hooks = [len(module._forward_hooks) + len(module._backward_hooks) for module in net.modules()]
    values = {name: value.clone() for name, value in net.state_dict().items()}
    return modes, hooks, [(each.requires_grad, each.grad) for each in net.parameters()], values


@pytest.mark.parametrize("raises", [False, True])
def test_the_network_is_left_as_it_was(raises):
    net = Counting()
    net.drop.eval()
    net.requires_grad_(requires_grad=False)
    before = found_in(net)
    if raises:
        net.capacity, net.error = 0, RuntimeError("broken")
        with pytest.raises(ModelError, match="broken"):
            salient_pgd(net, grey(), left_half())
    else:
        salient_pgd(net, grey(), left_half(), enhancement=Enhancement(steps=3))
    after = found_in(net)
    assert before[:3] == after[:3]
    assert all(torch.equal(before[3][name], after[3][name]) for name in before[3])


HALF = left_half()
SECOND = {factor: torch.tensor([1.0, factor])[:, None, None] for factor in (0.0, 2.0)}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"maps": [0.5, 0.5]}, TypeError, "maps: found list; accepted are a tensor and an array"),
        (
            {"maps": HALF[:1]},
            ValueError,
            "maps: found shape (1, 8, 8); accepted for these images is (2, 8, 8)",
        ),
        ({"maps": HALF[:, :4]}, ValueError, "maps: found shape (2, 4, 8)"),
        (
            {"maps": HALF * torch.tensor([1.0, 2.0])[:, None, None]},
            ValueError,
            "maps[1]: found values from 0 to 2",
        ),
        ({"maps": HALF - 0.5}, ValueError, "maps[0]: found values from -0.5 to 0.5"),
        ({"maps": HALF * torch.nan}, ValueError, "maps[0]: found values from nan to nan"),
        ({"maps": HALF * SECOND[0.0]}, ValueError, "maps[1]: zero everywhere"),
        ({"images": grey() * 255}, ValueError, "images: found values in"),
        ({"targets": [0]}, ValueError, "targets: found 1 entries for 2 images"),
        ({"targets": [0, 9]}, ValueError, "targets[1]: class id 9 is out of range"),
        ({"targets": [0, None]}, ValueError, "targets: found None, but a targeted attack needs"),
        ({"epsilon": 12.0}, ValueError, "epsilon: found 12.0; divide by 255"),
        ({"epsilon": -0.1}, ValueError, "epsilon: found -0.1"),
        ({"model": linear(1)}, ValueError, "model: found a single score per image"),
        ({"model": lambda images: images.mean((2, 3))}, ModelError, "a plain callable has no gradients"),
    ],
)
def test_arguments_that_do_not_fit_are_named(change, error, message):
    asked = {"model": linear(), "images": grey(), "maps": HALF} | change
    with pytest.raises(error, match=re.escape(message)):
        salient_pgd(**asked)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": -1.0}, "weight: found -1.0; accepted is a number of at least 0"),
        ({"weight": math.nan}, "weight: found nan"),
        ({"confidence": 1.0}, "confidence: found 1.0; accepted is above 0.5 and below 1"),
        ({"confidence": 0.5}, "confidence: found 0.5"),
        ({"steps": 0}, "steps: found 0;"),
        ({"size": 0.0}, "size: found 0.0;"),
    ],
)
def test_enhancements_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Enhancement(**settings)
