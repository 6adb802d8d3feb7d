"""`BlackBox.gradients`: against finite differences, and what cuts them."""

import re

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from transformers import ResNetConfig, ResNetForImageClassification

from tests.model.networks import Counting, images_of
from wcam_widget import Derivative, Wcam
from wcam_widget.model import BlackBox, Custom, Logit, ModelError


def test_gradients_are_those_of_finite_differences_whatever_the_batch():
    net = Counting().double().eval()
    rows = torch.rand(7, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    pattern = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(4), dtype=torch.float64)

    def make(weights):
        return torch.einsum("nd,dchw->nchw", weights, pattern)

    scores, slopes = BlackBox(net, batch_size=3).gradients(rows, make, Logit(1))
    step = 1e-5
    for column in range(2):
        moved = rows.clone()
        moved[:, column] += step
        difference = (net(make(moved))[:, 1] - net(make(rows))[:, 1]) / step
        torch.testing.assert_close(slopes[:, column], difference, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(scores, net(make(rows))[:, 1].detach().float())


def test_gradients_halve_on_out_of_memory_and_keep_finished_rows():
    net = Counting(capacity=5)
    model = BlackBox(net, batch_size=16)
    _, slopes = model.gradients(images_of(13), lambda batch: batch, 0)
    _, whole = BlackBox(Counting()).gradients(images_of(13), lambda batch: batch, 0)
    torch.testing.assert_close(slopes, whole)
    assert net.batches == [4, 4, 4, 1] or net.batches == [3] * 4 + [1]
    assert sum(net.batches) == 13


class Cut(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.how, self.head = how, nn.Linear(3, 2)

    def forward(self, images):
        means = images.mean(dim=(2, 3))
        if self.how == "detached":
            return self.head(means.detach())
        if self.how == "numpy":
            return torch.from_numpy(means.detach().numpy())
        return self.head(torch.sqrt(means * 0))  # an infinite slope


class Rounded(nn.Module):
    def forward(self, features):
        return features.detach().round()


class Branching(nn.Module):
    """A side branch without a gradient, passed on with the features, before the part `last`."""

    def __init__(self, last):
        super().__init__()
        self.side, self.last, self.head = Rounded(), last, nn.Linear(3, 2)

    def forward(self, images):
        features = {"mask": self.side(images), "means": images.mean(dim=(2, 3))}
        return self.head(self.last(features["means"]) * features["mask"].mean())


def numpy_preprocess(images):
    return torch.from_numpy(images.detach().numpy() - 0.5)


NO_PATH = "net: its scores have no gradient path to the images"
CUTS = {
    "a plain callable": (BlackBox(lambda images: images.mean(dim=(2, 3))), "net: a plain callable has no"),
    "the network, detached": (BlackBox(Cut("detached")), f"{NO_PATH}: Cut.forward itself ends it;"),
    "the network, by numpy": (BlackBox(Cut("numpy")), f"{NO_PATH}: Cut.forward itself ends it;"),
    "an infinite slope": (BlackBox(Cut("root")), "net: the gradient is NaN or infinite for 2 of 2 images"),
    "a part of a part": (
        BlackBox(nn.Sequential(nn.Sequential(nn.AvgPool2d(6), Rounded()), nn.Flatten(), nn.Linear(3, 2))),
        f"{NO_PATH}: '0.1' (Rounded) ends it;",
    ),
    "the last of two": (BlackBox(Branching(Rounded())), f"{NO_PATH}: 'last' (Rounded) ends it;"),
    "preprocessing": (
        BlackBox(Counting(), preprocess=numpy_preprocess),
        "preprocess: its result has no gradient path to the images;",
    ),
}


@pytest.mark.parametrize("case", CUTS)
def test_missing_gradients_say_what_cuts_them_and_what_to_use_instead(case):
    model, message = CUTS[case]
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        model.gradients(images_of(2), lambda batch: batch, 0)
    assert "Sobol needs no gradients" in str(caught.value)


def test_a_target_that_cuts_the_gradient_is_named():
    target = Custom(lambda scores: scores[:, 0].detach(), "cut")
    message = "target: its value has no gradient path to the class scores; Sobol needs no gradients"
    with pytest.raises(ModelError, match=re.escape(message)):
        BlackBox(Counting()).gradients(images_of(2), lambda batch: batch, target)


def test_a_side_branch_without_a_gradient_is_no_fault():
    model = BlackBox(Branching(nn.Identity()))
    _, slopes = model.gradients(images_of(2), lambda batch: batch, 0)
    assert slopes.abs().amax(dim=(1, 2, 3)).min() > 0


def test_looking_for_the_cut_leaves_the_network_as_it_was():
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Dropout(), Rounded(), nn.AvgPool2d(6), nn.Flatten())
    net[0].bias.requires_grad_(False)
    kept = net[0].register_forward_hook(lambda *_: None)
    with pytest.raises(ModelError, match=re.escape("'2' (Rounded)")):
        BlackBox(net).gradients(images_of(2), lambda batch: batch, 0)
    assert [parameter.requires_grad for parameter in net.parameters()] == [True, False]
    assert [len(module._forward_hooks) for module in net] == [1, 0, 0, 0, 0]
    assert net[0]._forward_hooks_with_kwargs == {}
    assert all(module.training for module in net.modules())
    assert all(parameter.grad is None for parameter in net.parameters())
    kept.remove()


def test_bfloat16_scores_and_slopes_are_close_to_float32():
    torch.manual_seed(0)
    net = ResNetForImageClassification(
        ResNetConfig(embedding_size=8, hidden_sizes=[16, 32], depths=[2, 2], num_labels=5)
    ).eval()
    images = torch.rand(6, 3, 64, 64)
    exact = BlackBox(net, precision="float32")
    fast = BlackBox(net, precision="bfloat16", batch_size=4)
    scores, slopes = exact.gradients(images, lambda batch: batch, 1)
    near, roughly = fast.gradients(images, lambda batch: batch, 1)
    assert near.dtype == roughly.dtype == torch.float32
    spread = scores.abs().max()
    assert 0 < (near - scores).abs().max() < 0.02 * spread
    # The slope by a pixel jumps where a unit of the network changes sides, so pixels differ more than scores.
    alike = torch.cosine_similarity(roughly.flatten(1), slopes.flatten(1))
    assert 0.95 < alike.min() < 1
    torch.testing.assert_close(fast.logits(images)[:, 1], near, rtol=0, atol=0.01 * float(spread))


def test_derivatives_in_bfloat16_rank_cells_as_in_float32():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.GELU(), nn.Conv2d(8, 8, 3, 2), nn.Flatten(), nn.Linear(392, 3)
    )
    image = torch.rand(3, 32, 32)
    method = Wcam(Derivative(rows=8), levels=2, grid=4)
    (exact,) = method(BlackBox(net, precision="float32"), image[None], [0])
    (fast,) = method(BlackBox(net, precision="bfloat16"), image[None], [0])
    # Bfloat16 keeps 8 bits: each of the few multiplications on a path errs by up to 0.4 %.
    assert 0 < np.abs(fast.slope - exact.slope).max() < 0.03 * np.abs(exact.slope).max()
    assert np.abs(fast.values - exact.values).max() < 0.06 * exact.values.max()
    assert spearmanr(fast.values, exact.values)[0] > 0.99


@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_a_surrounding_autocast_keeps_no_weights_from_the_gradient(precision):
    model = BlackBox(Counting(), precision=precision)
    _, alone = model.gradients(images_of(2), lambda batch: batch, 0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model.logits(images_of(2))
        _, slopes = model.gradients(images_of(2), lambda batch: batch, 0)
    assert torch.equal(slopes, alone)
