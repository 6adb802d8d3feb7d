"""SSIM of maps: against scikit-image, and what its settings refuse."""

import re

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.metrics import structural_similarity

from wcam_widget.evaluate.similarity import Ssim, constant


def maps_of(count, size=(24, 31), seed=0):
    noise = np.random.default_rng(seed).normal(size=(count, *size))
    return np.stack([ndimage.gaussian_filter(each, 2.0) for each in noise])


def stretched(heat):
    return (heat - heat.min()) / (heat.max() - heat.min())


@pytest.mark.parametrize("sigma", [0.8, 1.5, 3.0])
@pytest.mark.parametrize("constants", [(0.01, 0.03), (0.05, 0.2)])
def test_ssim_is_that_of_scikit_image(sigma, constants):
    k1, k2 = constants
    first, second = maps_of(4), maps_of(4, seed=1)
    second[0] = first[0] + 0.02 * second[0]
    expected = [
        structural_similarity(
            stretched(one),
            stretched(other),
            gaussian_weights=True,
            sigma=sigma,
            use_sample_covariance=False,
            data_range=1.0,
            K1=k1,
            K2=k2,
        )
        for one, other in zip(first, second, strict=True)
    ]
    found = Ssim(sigma, k1, k2)(first, torch.from_numpy(second))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert found[0] > 0.9 > found[1]


def test_maps_are_compared_whatever_their_unit():
    first, second = maps_of(3), maps_of(3, seed=1)
    np.testing.assert_allclose(Ssim()(first, second), Ssim()(1e-6 * first + 4, 50 * second - 7), atol=1e-6)


def test_constant_maps_are_alike_and_like_nothing_else():
    zero, one, other = np.zeros((1, 16, 16)), np.ones((1, 16, 16)), maps_of(1, (16, 16))
    assert Ssim()(zero, one) == [1.0]
    assert Ssim()(zero, other) < 0.5
    rounded = torch.ones(1, 16, 16, dtype=torch.float64)
    rounded[0, 3, 3] += 2e-16
    assert constant(torch.cat([rounded, torch.from_numpy(other)])).tolist() == [True, False]
    assert Ssim()(zero, rounded) == [1.0]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.zeros((1, 10, 20)), np.zeros((1, 10, 20)), "first: found maps of 10x20 pixels; with sigma=1.5"),
        (
            np.zeros((1, 16, 16)),
            np.zeros((1, 16, 20)),
            "second: found (1, 16, 20); accepted is first's shape",
        ),
        (np.zeros((1, 16, 16)), np.full((1, 16, 16), np.nan), "second: found maps of shape (1, 16, 16), or"),
        (np.zeros((0, 16, 16)), np.zeros((0, 16, 16)), "first: found maps of shape (0, 16, 16), or"),
    ],
)
def test_maps_that_do_not_fit_are_named(first, second, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Ssim()(first, second)


@pytest.mark.parametrize("setting", ["sigma", "k1", "k2"])
def test_settings_are_above_zero(setting):
    with pytest.raises(ValueError, match=f"{setting}: found 0.0; accepted is a number above 0"):
        Ssim(**{setting: 0.0})
