"""Distortions of linear scores in closed form, and the masks that are best for them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from scipy.optimize import Bounds, minimize
from torch import Tensor, nn

from wcam_widget import Attribution, Logit
from wcam_widget.basis import Cells, WaveletBasis
from wcam_widget.explain.gradient.cartoonx import CartoonX
from wcam_widget.explain.gradient.distortion import Distortion, Noise, spatial_slope

SCORE = Logit(1)


class Linear(nn.Module):
    """Scores the inner product of a packed Haar picture with weights, in class 1; class 0 has 0."""

    def __init__(self, weights: Tensor, levels: int = 1) -> None:
        super().__init__()
        basis = WaveletBasis((weights.shape[-2], weights.shape[-1]), "haar", levels)
        # An orthogonal transform keeps inner products.
        self.image = nn.Parameter(basis.unpack(weights))

    def forward(self, images: Tensor) -> Tensor:
        score = (images * self.image).sum((1, 2, 3))
        return torch.stack([torch.zeros_like(score), score], 1)


def explained(method: CartoonX, net: Any, image: Tensor, target: Any = SCORE) -> Attribution:
    (attribution,) = method(net, image[None], [target])
    assert attribution.complete
    assert attribution.done == attribution.planned
    assert 0 <= attribution.values.min() <= attribution.values.max() <= 1
    return attribution


@pytest.fixture
def small() -> Tensor:
    return torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def weights() -> Tensor:
    draw = torch.Generator().manual_seed(2)
    return torch.randn(3, 8, 8, generator=draw) * (torch.rand(1, 8, 8, generator=draw) < 0.2)


def in_cells(picture: np.ndarray) -> np.ndarray:
    """A packed picture (8, 8) as the numbers of cells, which go band by band."""
    cells = CartoonX(levels=1).space.cells(WaveletBasis((8, 8), "haar", 1))
    return picture.ravel()[np.argsort(cells.index.numpy().ravel())]


def moments(image: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Haar coefficients less those of the mean colour, their mean and deviation in each band."""
    centred = (image - image.mean((1, 2), keepdim=True)).double().numpy()
    picture = np.stack([pywt.coeffs_to_array(pywt.wavedec2(c, "haar", level=1))[0] for c in centred])
    middle, deviation = np.empty_like(picture), np.empty_like(picture)
    for rows in (slice(0, 4), slice(4, 8)):
        for columns in (slice(0, 4), slice(4, 8)):
            part = picture[:, rows, columns]
            middle[:, rows, columns] = part.mean((1, 2), keepdims=True)
            deviation[:, rows, columns] = part.std((1, 2), keepdims=True)
    return picture, middle, deviation


def quadratic(weights: Tensor, image: Tensor, draws: int, variance: float) -> Callable[[np.ndarray], float]:
    """The expected distortion of a linear score as a function of the mask, worked out by hand."""
    w = weights.double().numpy()
    picture, middle, deviation = moments(image)

    def expected(mask: np.ndarray) -> float:
        gone = 1 - mask.reshape(8, 8)
        still = (w * gone * picture).sum() ** 2
        mean = (w * gone * (picture - middle)).sum() ** 2
        noise = ((w * gone * deviation) ** 2).sum() * variance
        return float((still + draws * (mean + noise)) / (draws + 1))

    return expected


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("law", "variance"), [("uniform", 1 / 3), ("normal", 1.0)])
def test_the_slope_is_that_of_the_expected_distortion(
    law: str, variance: float, small: Tensor, weights: Tensor
) -> None:
    probe = CartoonX(levels=1).probe(Linear(weights), small, Logit(1))
    expected = quadratic(weights, small, 1, variance)
    mask = np.random.default_rng(0).random(64)
    distortion = Distortion(probe, Noise(1, law))
    found = np.mean([distortion.slope(torch.from_numpy(in_cells(mask)), step) for step in range(600)], 0)
    change = np.array([expected(mask + step) - expected(mask - step) for step in 1e-4 * np.eye(64)]) / 2e-4
    change = in_cells(change)
    np.testing.assert_allclose(found, change, atol=0.1 * np.abs(change).max())
    assert np.corrcoef(found, change)[0, 1] > 0.995


def test_without_noise_the_slope_is_exact(small: Tensor, weights: Tensor) -> None:
    probe = CartoonX(levels=1).probe(Linear(weights), small, Logit(1))
    mask = np.random.default_rng(0).random(64)
    picture = moments(small)[0] * weights.double().numpy()
    lost = ((1 - mask.reshape(1, 8, 8)) * picture).sum()
    found = Distortion(probe, None).slope(torch.from_numpy(in_cells(mask)), 1)
    np.testing.assert_allclose(found, -2 * lost * in_cells(picture.sum(0)), atol=1e-4)


@pytest.mark.usefixtures("unchecked")
def test_masks_reach_the_optimum_that_scipy_finds(small: Tensor, weights: Tensor) -> None:
    sparsity = 2.0
    expected = quadratic(weights, small, 15, 1 / 3)
    best = minimize(
        lambda mask: expected(mask) + sparsity * mask.mean(),
        np.full(64, 0.5),
        bounds=Bounds(0, 1),
        method="L-BFGS-B",
        options={"maxfun": 10**6, "ftol": 1e-12},
    )
    method = CartoonX(sparsity, 0.0, 200, Noise(15), levels=1)
    found = explained(method, Linear(weights), small)
    reached = expected(found.packed()) + sparsity * found.values.mean()
    assert best.fun <= reached < best.fun + 0.02 * (expected(np.zeros(64)) - best.fun)
    np.testing.assert_allclose(found.packed().ravel(), best.x, atol=0.15)
    assert 0 < (best.x > 0.5).sum() < 20


@pytest.mark.usefixtures("unchecked")
def test_one_coefficient_that_matters_is_all_that_is_kept(small: Tensor) -> None:
    weights = torch.zeros(3, 8, 8)
    weights[1, 5, 2] = 10.0
    found = explained(CartoonX(0.1, 0.0, levels=1), Linear(weights), small)
    # (1 - m)^2 w^2 E (z - xi)^2 + sparsity m / d is least where its slope is 0.
    picture, middle, deviation = (each[1, 5, 2] for each in moments(small))
    spread = (picture**2 + 8 * ((picture - middle) ** 2 + deviation**2 / 3)) / 9
    expected = np.zeros((8, 8))
    expected[5, 2] = 1 - 0.1 / 64 / (2 * 100 * spread)
    np.testing.assert_allclose(found.packed(), expected, atol=0.02)
    assert expected[5, 2] > 0.95
    assert "1.56 % of their number" in found.stop  # 1 of 64
    profile = found.profile()
    assert [name for name, total in zip(profile.names, profile.total, strict=True) if total > 0] == ["LH1"]


@pytest.mark.usefixtures("unchecked")
def test_a_price_of_nothing_keeps_everything_and_one_too_high_nothing(small: Tensor, weights: Tensor) -> None:
    free = explained(CartoonX(0.0, 0.0, levels=1), Linear(weights), small)
    # Where nothing asks for less, what moves is rounding, and the distortion draws it back.
    np.testing.assert_allclose(free.values, 1.0, atol=0.2)
    assert free.values.mean() > 0.97
    for dear in (CartoonX(1e6, 0.0, 20, levels=1), CartoonX(0.0, 1e6, 20, levels=1)):
        found = explained(dear, Linear(weights), small)
        assert not found.values.any()
        assert found.stop.startswith("the map is zero everywhere; the mask keeps 0 % of the l1 norm")
        assert found.stop.endswith("give less sparsity or spatial")
        assert not found.profile().total.any()


@pytest.mark.usefixtures("unchecked")
def test_more_sparsity_never_keeps_more(small: Tensor, weights: Tensor) -> None:
    kept = [
        explained(CartoonX(sparsity, 0.0, levels=1), Linear(weights), small).values.mean()
        for sparsity in (0.01, 0.3, 3.0, 30.0)
    ]
    assert all(more > less for more, less in pairwise(kept))


def test_the_spatial_term_is_the_mean_absolute_image(small: Tensor) -> None:
    probe = CartoonX(wavelet="pixels", baseline="black").probe(Linear(torch.zeros(3, 8, 8)), small, 1)
    found = spatial_slope(torch.full((64,), 0.3), probe)
    np.testing.assert_allclose(found.reshape(8, 8), small.sum(0) / (3 * 64), rtol=1e-5)
    # By finite differences where coefficients meet in pixels.
    probe = CartoonX(wavelet="db3", levels=2).probe(Linear(torch.zeros(3, 8, 8)), small, 1)
    start = probe.rebuild(torch.zeros(len(probe.cells)))
    mask = torch.rand(len(probe.cells), generator=torch.Generator().manual_seed(4))
    change = spatial_slope(mask, probe)
    for cell in np.argsort(-np.abs(change))[:5].tolist():
        step = torch.zeros_like(mask)
        step[cell] = 1e-2
        ends = [(probe.rebuild(mask + sign * step) - start).abs().mean() for sign in (1, -1)]
        assert change[cell] == pytest.approx(float(ends[0] - ends[1]) / 2e-2, rel=0.05)


def test_cells_share_a_mask_and_cost_by_their_size(small: Tensor, weights: Tensor) -> None:
    # Cells of 9, 3, 3 and 1 coefficients in every band.
    method = CartoonX(0.02, 0.0, 200, None, levels=1, grid=lambda basis: Cells.dyadic(basis, 3))
    found = explained(method, Linear(weights), small)
    assert len(found.values) == 16
    assert f"{100 * found.packed().mean():.3g} % of their number" in found.stop
    assert found.packed().mean() != pytest.approx(found.values.mean(), rel=0.05)
    price = method._price(torch.ones(16), method.probe(Linear(weights), small, SCORE))
    np.testing.assert_allclose(price, 0.02 * np.tile([9, 3, 3, 1], 4) / 64)
