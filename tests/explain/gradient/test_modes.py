"""Modes of gradients: what they integrate and average, in which order, and how sure they are."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from wcam_widget import Attribution, BlackBox
from wcam_widget.explain.gradient.modes import (
    AbstractGradientMode,
    Integrated,
    Product,
    Saliency,
    Smooth,
    completeness,
    path,
)
from wcam_widget.explain.gradient.wavelet_gradient import WaveletGradient


def explained(mode: AbstractGradientMode, net: Any, image: Tensor, **space: Any) -> Attribution:
    (attribution,) = WaveletGradient(mode, **space)(net, image[None], [1])
    return attribution


def test_the_residual_is_reported_and_small_on_a_network(model: BlackBox, image: Tensor) -> None:
    (found,) = WaveletGradient(Integrated(256))(model, image[None], ["cat"])
    change = WaveletGradient().change(model, image, "cat")
    residual = found.values.sum() - change
    assert abs(residual) < 0.01 * abs(change)
    said = re.search(r"residual (\S+)$", found.stop)
    assert said is not None
    assert float(said[1]) == pytest.approx(residual, rel=0.1, abs=1e-9)


def test_too_few_points_are_told(image: Tensor) -> None:
    class Steep(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.sigmoid(60 * (images.mean((1, 2, 3), keepdim=False) - 0.1))[:, None].repeat(1, 2)

    coarse = explained(Integrated(1), Steep(), image, levels=2, baseline="black")
    fine = explained(Integrated(64), Steep(), image, levels=2, baseline="black")
    assert coarse.stop.endswith("give more rows for a smaller")
    assert fine.values.sum() == pytest.approx(1.0, abs=0.01)
    assert "give more rows" not in fine.stop
    assert "give more rows" not in completeness(1e-6, 0.0, 1.0)  # rounding of a score that did not change


def test_the_path_is_spread_and_its_shares_add_up() -> None:
    places, shares = path(37)
    assert len(set(places)) == 37
    assert np.histogram(places[:8], 4, (0, 1))[0].min() >= 1
    for power in range(20):
        assert shares @ places**power == pytest.approx(1 / (power + 1))


def test_smooth_gradients_have_their_expectation_in_their_intervals() -> None:
    # Over normal noise of deviation s the mean slope of relu(x - t) is the normal integral of (x - t) / s.
    class Bent(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.relu(images - 0.5).sum((2, 3)).repeat(1, 2)

    ramp = torch.linspace(0, 1, 64).reshape(1, 8, 8)
    found = explained(Smooth(rows=256, noise=0.3), Bent(), ramp, wavelet="pixels")
    expected = stats.norm.cdf((ramp.flatten().numpy() - 0.5) / 0.3)
    np.testing.assert_allclose(found.values, expected, atol=0.15)
    inside = (found.low <= expected) & (expected <= found.high)
    assert inside.mean() > 0.85
    assert (found.high - found.low).max() < 0.4
    assert not np.array_equal(found.low, found.values)


def test_signs_cancel_over_the_noise_but_not_over_channels() -> None:
    class Folded(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            sign = torch.tensor([1.0, -1.0, 1.0]).reshape(1, 3, 1, 1)
            return ((images - 0.5).abs() * sign).sum((1, 2, 3))[:, None].repeat(1, 2)

    ramp = torch.linspace(0, 1, 64).reshape(1, 8, 8).expand(3, 8, 8)
    found = explained(Smooth(rows=256, noise=0.3), Folded(), ramp, wavelet="pixels")
    expected = 3 * np.abs(2 * stats.norm.cdf((ramp[0].flatten().numpy() - 0.5) / 0.3) - 1)
    np.testing.assert_allclose(found.values, expected, atol=0.6)
    assert np.abs(found.values - expected).mean() < 0.15
    plain = explained(Saliency(), Folded(), ramp, wavelet="pixels")
    np.testing.assert_array_equal(plain.values, 3.0)


def test_maps_stream_and_repeat(model: BlackBox, image: Tensor) -> None:
    method = WaveletGradient(Smooth(rows=20, seed=5), levels=2)
    steps = list(method.steps(model, image))
    assert [step.evaluations for step in steps] == [8, 16, 20] == [step.gradients for step in steps]
    assert [step.complete for step in steps] == [False, False, True]
    assert [bool(step.stop) for step in steps] == [False, False, True]
    # A shorter run is the beginning of a longer one, whatever batch the model takes.
    *_, short = WaveletGradient(Smooth(rows=8, seed=5), levels=2).steps(
        BlackBox(model.net, batch_size=3), image
    )
    np.testing.assert_allclose(short.values, steps[0].values, atol=1e-6)
    *_, other = method.steps(model, image, stream=1)
    assert np.abs(other.values - steps[-1].values).max() > 1e-4
    partial = next(WaveletGradient("integrated").steps(model, image))
    assert (partial.evaluations, partial.gradients, partial.planned) == (9, 8, 97)
    whole = WaveletGradient("integrated")(model, image[None])[0]
    # Eight points spread over the path are near the whole of it already.
    assert np.corrcoef(partial.values, whole.values)[0, 1] > 0.9


def test_a_partial_integral_is_a_mean_over_its_points(image: Tensor) -> None:
    # The gradient of a linear score is the same all along the path: eight points say all there is.
    net = nn.Sequential(nn.Flatten(), nn.Linear(image.numel(), 2))
    expected = explained(Product(), net, image).values
    done = []
    for step in WaveletGradient(Integrated(20)).steps(net, image, 1):
        np.testing.assert_allclose(step.values, expected, atol=1e-5)
        done.append(step.gradients)
    assert done == [8, 16, 20]
