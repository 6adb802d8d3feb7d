"""WaveletGradient against closed forms, against captum and pywt, and on what it leaves behind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from torch import Tensor, nn

from wcam_widget import Attribution, BlackBox, Margin, Probability, Wcam
from wcam_widget.basis import AbstractBasis, ColourBasis, WaveletBasis
from wcam_widget.explain.gradient.modes import (
    ZERO,
    AbstractGradientMode,
    Integrated,
    Product,
    Saliency,
    Smooth,
)
from wcam_widget.explain.gradient.wavelet_gradient import WaveletGradient
from wcam_widget.model import ModelError

EVERY = ["saliency", "product", "smooth", "integrated"]


class Quadratic(nn.Module):
    """Scores sum(linear x + square x^2 / 2) in every class, weights drawn by a seed."""

    def __init__(self, shape: tuple[int, int, int], *, square: bool = True) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(3)
        self.linear = nn.Parameter(torch.randn(2, *shape, generator=draw))
        self.square = nn.Parameter(torch.randn(2, *shape, generator=draw) * square)

    def forward(self, images: Tensor) -> Tensor:
        each = self.linear * images[:, None] + self.square * images[:, None] ** 2 / 2
        return each.sum((2, 3, 4))


def explained(mode: str | AbstractGradientMode, net: Any, image: Tensor, **space: Any) -> Attribution:
    (attribution,) = WaveletGradient(mode, **space)(net, image[None], [1])
    assert attribution.complete
    assert attribution.done == attribution.planned
    return attribution


def mallat(image: Tensor, levels: int) -> np.ndarray:
    """Channels of an image as PyWavelets packs its Haar coefficients."""
    parts = [pywt.coeffs_to_array(pywt.wavedec2(c, "haar", level=levels))[0] for c in image.detach().double()]
    return np.stack(parts)


@pytest.fixture
def small() -> Tensor:
    return torch.rand(3, 16, 24, generator=torch.Generator().manual_seed(0))


def test_a_linear_score_gives_its_own_coefficients(small: Tensor) -> None:
    net = Quadratic((3, 16, 24), square=False)
    slopes, picture = mallat(net.linear[1], 2), mallat(small, 2)
    found = {mode: explained(mode, net, small, levels=2, baseline="black") for mode in EVERY}
    for mode in ("saliency", "smooth"):
        np.testing.assert_allclose(found[mode].packed(), np.abs(slopes).sum(0), atol=1e-5)
        np.testing.assert_allclose(found[mode].slope, found["product"].values, atol=1e-5)
    for mode in ("product", "integrated"):
        np.testing.assert_allclose(found[mode].packed(), (slopes * picture).sum(0), atol=1e-5)
    assert (found["product"].values < 0).any()


@pytest.mark.parametrize("baseline", ["mean", "black"])
def test_one_point_integrates_a_quadratic_score_exactly(small: Tensor, baseline: str) -> None:
    # The gradient is linear along the path: its mean is that halfway between baseline and image.
    net = Quadratic((3, 16, 24))
    start = (
        small.mean((1, 2), keepdim=True).expand_as(small) if baseline == "mean" else torch.zeros_like(small)
    )
    slope = net.linear[1] + net.square[1] * (small + start) / 2
    expected = (mallat(slope, 2) * mallat(small - start, 2)).sum(0)
    for rows in (1, 5):
        found = explained(Integrated(rows), net, small, levels=2, baseline=baseline)
        np.testing.assert_allclose(found.packed(), expected, atol=2e-5)
        scores = net(torch.stack([small, start]))[:, 1].detach().double()
        assert found.values.sum() == pytest.approx(float(scores[0] - scores[1]), abs=1e-3)


@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior4.4", "pixels", "fourier"])
def test_derivatives_by_weights_and_by_coefficients_agree(
    wavelet: str, model: BlackBox, image: Tensor
) -> None:
    # The slope of "saliency" comes from coefficients, "product" from weights: the chain rule links them.
    product, saliency = (
        explained(mode, model, image[:, :45, :50], wavelet=wavelet) for mode in (Product(), Saliency())
    )
    scale = np.abs(product.values).max()
    np.testing.assert_allclose(saliency.slope, product.values, atol=1e-5 * scale)
    assert saliency.values.min() >= 0


@pytest.mark.parametrize("mode", ["saliency", "product", "integrated"])
def test_cells_and_bands_are_sums_of_coefficients(mode: str, model: BlackBox, image: Tensor) -> None:
    single = explained(mode, model, image)
    cells = explained(mode, model, image, grid=4)
    wanted = Wcam(grid=4).cells(cells.basis)
    np.testing.assert_array_equal(cells.cells.rectangles, wanted.rectangles)
    owner = wanted.packed(np.arange(len(wanted), dtype=float)).astype(int)
    expected = np.bincount(owner.ravel(), single.packed().ravel(), len(wanted))
    np.testing.assert_allclose(cells.values, expected, atol=1e-5)
    np.testing.assert_allclose(cells.profile().total, single.profile().total, atol=1e-5)
    assert cells.profile().total.sum() == pytest.approx(cells.values.sum())
    assert cells.spatial().sum() == pytest.approx(cells.values.sum())


def test_pixels_agree_with_captum(model: BlackBox, tiny: nn.Module, image: Tensor) -> None:
    captum = pytest.importorskip("captum.attr")
    batch = image[None].clone().requires_grad_()
    start = image.mean((1, 2), keepdim=True).expand_as(image)[None]
    expected = {
        "saliency": captum.Saliency(tiny).attribute(batch, target=1),
        "product": captum.Saliency(tiny).attribute(batch, target=1, abs=False) * (batch - start),
        "integrated": captum.IntegratedGradients(tiny).attribute(batch, start, target=1, n_steps=32),
    }
    for mode, theirs in expected.items():
        found = explained(mode, model, image, wavelet="pixels").packed()
        np.testing.assert_allclose(found, theirs[0].sum(0).detach(), atol=1e-5)


@pytest.mark.parametrize("mode", EVERY)
def test_a_batch_has_its_own_targets(mode: str, model: BlackBox, image: Tensor) -> None:
    images = torch.stack([image, image.flip(2)])
    found = WaveletGradient(mode, grid=4)(model, images, ["cat", Margin(1)])
    assert [each.target for each in found] == ["logit of cat", "margin of bee over the best other class"]
    alone = WaveletGradient(mode, grid=4)(model, images[:1], [Probability("cat")])[0]
    assert alone.unit.startswith("probability")
    assert np.abs(alone.values - found[0].values).max() > 0
    if mode != "smooth":  # the noise of a second image is its own
        again = WaveletGradient(mode, grid=4)(model, images[1:], [Margin("bee")])[0]
        np.testing.assert_allclose(found[1].values, again.values, atol=1e-6)


def test_parts_of_the_colour_are_cells_of_their_own(small: Tensor) -> None:
    def basis(size: tuple[int, int]) -> AbstractBasis:
        return ColourBasis(WaveletBasis(size, "haar", 2), "channels")

    net = Quadratic((3, 16, 24), square=False)
    found = explained("product", net, small, wavelet=basis, baseline="black")
    red = found.cells.in_band("R:A2")
    expected = mallat(net.linear[1], 2)[0, :4, :6] * mallat(small, 2)[0, :4, :6]
    np.testing.assert_allclose(found.values[red], expected.ravel(), atol=1e-5)
    assert found.method == "WaveletGradient · product · own basis, every coefficient"


@pytest.mark.parametrize("mode", EVERY)
def test_a_score_that_does_not_move_is_zero_and_said_to_be(mode: str, small: Tensor) -> None:
    class Constant(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return 0.0 * images.sum((2, 3)) + 1.0

    found = explained(mode, Constant(), small, levels=2)
    for numbers in (found.values, found.low, found.high, found.slope, found.profile().total, found.error):
        np.testing.assert_array_equal(numbers, 0.0)
    assert found.stop == ZERO


@pytest.mark.parametrize("mode", EVERY)
def test_the_network_is_left_as_it_was_also_when_it_raises(mode: str, small: Tensor) -> None:
    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            # In place on what it is given: the input must not be a leaf.
            self.layers = nn.Sequential(nn.ReLU(inplace=True), nn.BatchNorm2d(3), nn.Flatten())
            self.head = nn.Linear(3 * 16 * 24, 2)
            self.broken = False

        def forward(self, images: Tensor) -> Tensor:
            found: Tensor = self.head(self.layers(images))
            if self.broken and found.requires_grad:
                raise RuntimeError("no more")
            return found

    net = Fragile().train()
    net.layers[1].eval()
    net.head.weight.requires_grad = False
    net.head.bias.grad = torch.ones(2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for net.broken in (False, True):
        try:
            explained(mode, net, small, wavelet="pixels")
        except ModelError as error:
            assert net.broken and "no more" in str(error)  # noqa: PT017, PT018 either of two runs
        else:
            assert not net.broken
        assert [part.training for part in net.modules()] == [True, True, True, False, True, True]
        assert torch.equal(net.head.bias.grad, torch.ones(2))
        assert net.head.weight.grad is None
        assert not net.head.weight.requires_grad
        assert net.head.bias.requires_grad
        assert not any(part._forward_hooks or part._backward_hooks for part in net.modules())
        for name, value in net.state_dict().items():
            assert torch.equal(value, before[name])


def test_files_keep_the_map_and_tests_of_shares_are_refused(
    model: BlackBox, image: Tensor, tmp_path: Path
) -> None:
    found = explained("smooth", model, image, grid=4)
    back = Attribution.load(found.save(tmp_path / "map"))
    np.testing.assert_array_equal(back.values, found.values)
    np.testing.assert_array_equal(back.high, found.high)
    assert np.isnan(back.variance)
    assert (back.unit, back.statistic) == ("logit per unit of coefficient", "sum of the band's cells")
    with pytest.raises(ValueError, match="matters needs independent replicates"):
        found.matters()
    with pytest.raises(ValueError, match="for_target has no class scores"):
        found.for_target(0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: WaveletGradient("guided"), "mode='guided' is unknown; saliency, product, smooth"),
        (lambda: Smooth(rows=1), "rows=1 must be a whole number of at least 2"),
        (lambda: Smooth(noise=0.0), "noise=0.0 must be"),
        (lambda: Smooth(noise=float("nan")), "noise=nan must be"),
        (lambda: Smooth(seed=-1), "seed=-1 must be"),
        (lambda: Integrated(rows=0), "rows=0 must be a whole number of at least 1"),
        (
            lambda: WaveletGradient.as_published("saliency"),
            "mode='saliency' is unknown; smooth and integrated",
        ),
        (lambda: WaveletGradient.as_published(rows=1), "rows=1 must be"),
        (lambda: WaveletGradient.as_published(seed=-2), "seed=-2 must be"),
    ],
)
def test_bad_parameters_are_named(wrong: Any, named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        wrong()


@pytest.mark.parametrize(
    ("space", "named"),
    [
        ({"wavelet": "haarr"}, "wavelet"),
        ({"levels": 12}, "levels"),
        ({"grid": 0}, "grid=0"),
        ({"grid": 99}, "grid=99"),
        ({"baseline": "white"}, "baseline='white'"),
    ],
)
def test_what_does_not_fit_the_image_is_named(
    space: dict[str, Any], named: str, model: BlackBox, image: Tensor
) -> None:
    with pytest.raises(ValueError, match=named):
        WaveletGradient(**space)(model, image[None])


def test_what_cannot_be_asked_is_said(model: BlackBox, image: Tensor) -> None:
    method = WaveletGradient("saliency")
    with pytest.raises(ModelError, match=r"a plain callable has no gradients; give a torch\.nn\.Module"):
        method(lambda images: images.mean((2, 3)), image[None])
    with pytest.raises(ValueError, match="target: 'cta' is not a class name; did you mean 'cat'"):
        method(model, image[None], ["cta"])
    with pytest.raises(ValueError, match="targets has 2 entries for 1 images"):
        method(model, image[None], [0, 1])
    with pytest.raises(ValueError, match="image"):
        method(model, image[None] * 300)
