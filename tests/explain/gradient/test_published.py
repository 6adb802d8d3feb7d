"""The conventions of WAM's published code, in closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wcam_widget import BlackBox, WaveletBasis
from wcam_widget.explain.gradient.modes import ZERO
from wcam_widget.explain.gradient.wavelet_gradient import WaveletGradient

MODES = ["smooth", "integrated"]


class Filtered(nn.Module):
    """Scores the inner product of the image with a picture, in both classes."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.picture = nn.Parameter(picture)

    def forward(self, images: Tensor) -> Tensor:
        return (images * self.picture).sum((1, 2, 3))[:, None].repeat(1, 2)


def band_shares(picture: Tensor, basis: WaveletBasis) -> np.ndarray:
    """Absolute values of channel means as shares of the largest of each detail band."""
    mean, found = basis.pack(picture).mean(0).abs().numpy(), np.zeros(basis.picture_size)
    for band in basis.bands[1:]:
        found[band.slices] = mean[band.slices] / mean[band.slices].max()
    return found


@pytest.mark.parametrize("mode", MODES)
def test_a_linear_score_has_a_closed_form(mode: str) -> None:
    draw = torch.Generator().manual_seed(1)
    picture, image = torch.randn(3, 16, 16, generator=draw), torch.rand(3, 16, 16, generator=draw)
    basis = WaveletBasis((16, 16), "haar", 2)
    (found,) = WaveletGradient.as_published(mode, rows=9, levels=2)(Filtered(picture), image[None])
    expected = band_shares(picture, basis)
    if mode == "integrated":  # eight steps of 1, nowhere divided by
        expected = 8 * expected * band_shares(image, basis)
    np.testing.assert_allclose(found.packed(), expected, atol=1e-4)
    assert (found.evaluations, found.gradients, found.done) == (9, 9, found.planned)


def test_the_path_begins_at_black() -> None:
    # At a share of the image the gradient of a sum of squares is that share of the whole: once divided by
    # the largest of each band it is the same at every point but black, where it is 0.
    class Squares(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return (images**2 * weights).sum((1, 2, 3))[:, None].repeat(1, 2)

    draw = torch.Generator().manual_seed(2)
    weights, image = torch.randn(3, 16, 16, generator=draw), torch.rand(3, 16, 16, generator=draw)
    basis = WaveletBasis((16, 16), "haar", 2)
    (found,) = WaveletGradient.as_published("integrated", rows=5, levels=2)(Squares(), image[None])
    expected = 3.5 * band_shares(weights * image, basis) * band_shares(image, basis)
    np.testing.assert_allclose(found.packed(), expected, atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_stripes_stand_where_pywt_puts_them_and_empty_bands_are_zero(mode: str) -> None:
    # Vertical stripes vary along x alone: they are HL, top right; all other bands have no gradient.
    stripes = torch.tensor([1.0, -1.0]).repeat(8).expand(3, 16, 16).clone()
    (found,) = WaveletGradient.as_published(mode, rows=4, levels=2)(
        Filtered(stripes), stripes[None] / 2 + 0.5
    )
    packed = found.packed()
    assert np.isfinite(packed).all()
    assert packed[:8, 8:].min() > 0.9
    packed[:8, 8:] = 0.0
    np.testing.assert_array_equal(packed, 0.0)


def test_the_approximation_counts_where_asked(model: BlackBox, image: Tensor) -> None:
    without, with_it = (
        WaveletGradient.as_published(rows=2, approximation=asked)(model, image[None])[0]
        for asked in (False, True)
    )
    block = without.cells.in_band("A3")
    np.testing.assert_array_equal(without.values[block], 0.0)
    assert with_it.values[block].max() > 0.5
    rest = without.cells.groups > 0
    np.testing.assert_array_equal(without.values[rest], with_it.values[rest])


def test_noise_is_the_same_for_every_image_and_streams(model: BlackBox, image: Tensor) -> None:
    method = WaveletGradient.as_published(rows=12)
    one, two = method(model, torch.stack([image, image]), [2, 2])
    np.testing.assert_array_equal(one.values, two.values)
    steps = list(method.steps(model, image, 2))
    assert [(step.gradients, step.complete) for step in steps] == [(8, False), (12, True)]
    other = WaveletGradient.as_published(rows=12, seed=1)(model, image[None], [2])[0]
    assert np.abs(other.values - one.values).max() > 1e-3
    assert one.low is one.values


@pytest.mark.parametrize("mode", MODES)
def test_a_score_without_gradient_is_zero(mode: str) -> None:
    image = torch.rand(3, 8, 8)
    (found,) = WaveletGradient.as_published(mode, rows=2, levels=2)(
        Filtered(torch.zeros(3, 8, 8)), image[None]
    )
    np.testing.assert_array_equal(found.values, 0.0)
    assert found.stop == ZERO
