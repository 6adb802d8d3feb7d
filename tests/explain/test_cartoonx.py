"""CartoonX against optima in closed form and by scipy, and on what a mask must and must not keep."""

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

from wcam_widget import Attribution, BlackBox, Logit, Margin, Probability, load_demo
from wcam_widget.basis import WaveletBasis
from wcam_widget.explain.cartoonx import STATISTIC, UNIT, CartoonX
from wcam_widget.explain.distortion import Distortion, Noise, spatial_slope
from wcam_widget.explain.gradient import WaveletGradient
from wcam_widget.model import ModelError

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
    cells = CartoonX(levels=1)._space.cells(WaveletBasis((8, 8), "haar", 1))
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


@pytest.mark.parametrize(("law", "variance"), [("uniform", 1 / 3), ("normal", 1.0)])
def test_the_slope_is_that_of_the_expected_distortion(
    law: str, variance: float, small: Tensor, weights: Tensor
) -> None:
    probe = CartoonX(levels=1).probe(Linear(weights), small, Logit(1))
    expected = quadratic(weights, small, 400, variance)
    mask = np.random.default_rng(0).random(64)
    found = Distortion(probe, Noise(400, law)).slope(torch.from_numpy(in_cells(mask)), 1)
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


def test_the_spatial_term_empties_the_image(model: BlackBox, image: Tensor) -> None:
    kept = []
    for spatial in (0.0, 0.1):
        method = CartoonX(1e-3, spatial, 60)
        found = explained(method, model, image, Logit(2))
        probe = method.probe(model, image, Logit(2))
        masked = probe.rebuild(torch.from_numpy(found.values)) - probe.rebuild(torch.zeros(len(found.values)))
        kept.append(float(masked.abs().mean()))
    assert 0 < kept[1] < 0.7 * kept[0]


def test_cells_share_a_mask_and_cost_by_their_size(small: Tensor, weights: Tensor) -> None:
    method = CartoonX(1e-6, 0.0, 30, None, levels=1, grid=2)
    found = explained(method, Linear(weights), small)
    assert len(found.values) == 16
    assert found.packed().shape == (8, 8)
    assert f"{100 * found.packed().mean():.3g} % of their number" in found.stop
    # A dyadic grid has cells of unequal size: what nothing depends on goes, large or small.
    assert (found.values == 0).any()


def test_a_class_stands_for_its_probability_and_a_target_for_itself(model: BlackBox, image: Tensor) -> None:
    method = CartoonX(iterations=1, noise=None)
    assert method.probe(model, image, "cat").target == Probability(2)
    assert method.probe(model, image, 2).target == Probability(2)
    top = int(model.logits(image[None])[0].argmax())
    assert method.probe(model, image).target == Probability(top)
    for target in (Logit(2), Margin(2)):
        assert method.probe(model, image, target).target == target
    assert explained(method, model, image, "cat").target == "probability of cat"


def test_masks_stream_repeat_and_do_not_depend_on_batches(model: BlackBox, image: Tensor) -> None:
    method = CartoonX(1e-3, 1e-3, 12, Noise(3, seed=5))
    steps = list(method.steps(model, image, Logit(2)))
    assert [step.gradients for step in steps] == [20, 40, 48]
    assert [step.complete for step in steps] == [False, False, True]
    assert [bool(step.stop) for step in steps] == [False, False, True]
    assert steps[-1].evaluations == 49
    assert (steps[-1].unit, steps[-1].statistic) == (UNIT, STATISTIC)
    # An earlier map is not changed by later steps.
    assert np.abs(steps[0].values - steps[1].values).max() > 0.1
    # Five steps of 3 / 60 do not take a mask from 1 to 0.
    first = next(CartoonX(1e-3, iterations=60).steps(model, image, Logit(2)))
    assert first.values.min() == pytest.approx(0.75, abs=0.01)
    (again,) = method(model, image[None], [Logit(2)])
    np.testing.assert_array_equal(again.values, steps[-1].values)
    *_, halved = method.steps(BlackBox(model.net, batch_size=2), image, Logit(2))
    assert np.abs(halved.values - again.values).mean() < 0.01
    *_, other = method.steps(model, image, Logit(2), stream=1)
    assert np.abs(other.values - again.values).max() > 0.01
    (seeded,) = CartoonX(1e-3, 1e-3, 12, Noise(3, seed=6))(model, image[None], [Logit(2)])
    assert np.abs(seeded.values - again.values).max() > 0.01


def test_what_the_mask_keeps_is_told(model: BlackBox, image: Tensor) -> None:
    method = CartoonX(1e-4, 1e-3, 40)
    found = explained(method, model, image, Logit(2))
    probe = method.probe(model, image, Logit(2))
    norm = probe.picture.abs().sum(0).double().numpy()
    kept = float(probe(torch.from_numpy(found.values)[None].float())[0])
    assert found.stop == (
        f"the mask keeps {100 * (found.packed() * norm).sum() / norm.sum():.3g} % of the l1 norm of the "
        f"coefficients, {100 * found.values.mean():.3g} % of their number, and a logit of {kept:.3g}, "
        f"where the image has {probe.score:.3g}"
    )
    bands = found.cells.bands
    shares = [(found.packed() * norm)[band.slices].sum() / norm[band.slices].sum() for band in bands]
    np.testing.assert_allclose(found.profile().total, shares, rtol=1e-5)


def test_masks_made_under_noise_keep_the_class_under_other_noise() -> None:
    model, photographs, *_ = load_demo()
    scores = []
    for noise in (Noise(3), None):
        method = CartoonX(iterations=40, noise=noise)
        found = explained(method, model, photographs[0], None)
        probe = method.probe(model, photographs[0])
        masked = float(probe(torch.from_numpy(found.values)[None].float())[0])
        assert masked > 0.75 * probe.score  # of the masked image itself both keep it
        assert found.values.mean() < 0.2
        fresh, gone = Distortion(probe, Noise(16, seed=9)), 1 - torch.from_numpy(found.packed()).float()
        rows = torch.stack([fresh._replacement(1, row) - probe.picture for row in range(1, 17)])
        images = probe.basis.unpack(probe.base + probe.picture + gone * rows)
        scores.append(float(model.scores(images, probe.target).mean()) / probe.score)
    assert scores[1] < 0.2
    assert scores[0] > 0.6


def test_any_size_wavelet_and_setting_of_torch_will_do(model: BlackBox, image: Tensor) -> None:
    odd = image[:, :45, :50]
    for wavelet, levels in (("db3", 2), ("bior4.4", 1), ("fourier", 1), ("pixels", 1)):
        found = explained(CartoonX(iterations=3, wavelet=wavelet, levels=levels), model, odd, 2)
        assert found.spatial().shape == (45, 50)
    for mode in (torch.inference_mode, torch.no_grad):
        with mode():
            inside = explained(CartoonX(iterations=3), model, image, 2)
        np.testing.assert_array_equal(
            inside.values, explained(CartoonX(iterations=3), model, image, 2).values
        )


def test_the_model_is_left_as_it_was(image: Tensor) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(3)).train()
    with torch.no_grad():
        net(image[None])
    net[1].reset_running_stats()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    explained(CartoonX(iterations=2), net, image, 1)
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])


def test_what_does_not_fit_is_named(image: Tensor) -> None:
    for wrong, said in (
        ({"sparsity": -1.0}, r"sparsity=-1\.0 must be a finite number"),
        ({"spatial": float("nan")}, "spatial=nan must be a finite number"),
        ({"iterations": 0}, "iterations=0 must be a whole number of at least 1"),
    ):
        with pytest.raises(ValueError, match=said):
            CartoonX(**wrong)
    for wrong, said in (
        ({"draws": 0}, "draws=0 must be a whole number of at least 1"),
        ({"law": "pink"}, "law='pink' is unknown; uniform and normal are accepted"),
        ({"seed": -1}, "seed=-1 must be a whole number of at least 0"),
    ):
        with pytest.raises(ValueError, match=said):
            Noise(**wrong)
    with pytest.raises(ModelError, match="a plain callable has no gradients"):
        CartoonX(iterations=1)(lambda images: images.mean((2, 3)), image[None])


def test_published_settings_and_names() -> None:
    published = CartoonX.as_published()
    assert (published.wavelet, published.levels, published.baseline) == ("db3", 5, "black")
    assert (published.iterations, published.noise) == (300, Noise(draws=16))
    cells = CartoonX(levels=1)._space.cells(CartoonX(levels=1)._space.basis((8, 8)))
    assert CartoonX(levels=1).describe(cells) == "CartoonX · sparsity 1 · haar, 1 levels, every coefficient"
    assert CartoonX(grid=2).describe(cells) == "CartoonX · sparsity 1 · haar, 3 levels, 64 cells"
    other = WaveletGradient("product", wavelet="pixels").describe(cells)
    assert other == "WaveletGradient · product · pixels, every coefficient"
