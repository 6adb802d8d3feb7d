"""ROAD: its imputation against a ramp and a dense solve, its score against hand-made removals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from wcam_widget import BlackBox, Derivative, Logit, Probability, Wcam, load_demo
from wcam_widget.basis import PixelBasis, WaveletBasis
from wcam_widget.evaluate.imputation import NoisyLinear, interpolated
from wcam_widget.evaluate.road import road
from wcam_widget.evaluate.scoring_space import Domain
from wcam_widget.model import ModelError

MASKS = st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(lambda shape: arrays(bool, shape))


def dense(values, removed):
    """The published equations, written out neighbour by neighbour."""
    height, width = removed.shape
    unknown = [tuple(place) for place in np.argwhere(removed)]
    number = {place: row for row, place in enumerate(unknown)}
    matrix, right = np.zeros((len(unknown),) * 2), np.zeros((len(unknown), len(values)))
    for (row, column), equation in number.items():
        around = [
            ((row + down, column + along), 1 / 12 if down and along else 1 / 6)
            for down in (-1, 0, 1)
            for along in (-1, 0, 1)
            if (down or along) and 0 <= row + down < height and 0 <= column + along < width
        ]
        whole = sum(weight for _, weight in around)
        matrix[equation, equation] = 1.0
        for place, weight in around:
            if place in number:
                matrix[equation, number[place]] -= weight / whole
            else:
                right[equation] += weight / whole * values[(slice(None), *place)]
    filled = values.copy()
    filled[:, removed] = np.linalg.solve(matrix, right).T
    return filled


@given(MASKS, st.integers(0, 99))
@settings(max_examples=40)
def test_imputed_values_solve_the_published_equations(removed, seed):
    values = np.random.default_rng(seed).normal(size=(3, *removed.shape))
    found = interpolated(values, removed)
    if removed.all() or not removed.any():
        assert np.array_equal(found, values)
        return
    np.testing.assert_allclose(found, dense(values, removed), atol=1e-10)
    assert np.array_equal(found[:, ~removed], values[:, ~removed])


@given(arrays(bool, (7, 9)), st.floats(-1, 1), st.floats(-1, 1))
@settings(max_examples=30)
def test_a_ramp_comes_back_inside(removed, down, along):
    rows, columns = np.mgrid[:9, :11]
    ramp = (0.5 + down * rows + along * columns)[None]
    inside = np.pad(removed, 1)
    np.testing.assert_allclose(interpolated(ramp, inside), ramp, atol=1e-9)


@given(MASKS, st.integers(0, 99))
@settings(max_examples=30)
def test_imputed_values_stay_between_those_that_are_left(removed, seed):
    values = np.random.default_rng(seed).random((1, *removed.shape))
    if removed.all() or not removed.any():
        return
    left, found = values[:, ~removed], interpolated(values, removed)
    assert left.min() - 1e-9 <= found.min() <= found.max() <= left.max() + 1e-9


def test_bands_are_imputed_apart_and_a_whole_one_falls_back_to_the_base():
    basis = WaveletBasis((16, 12), levels=2)
    image = torch.rand(3, 16, 12, generator=torch.Generator().manual_seed(0))
    picture = basis.pack(image).double().numpy()
    base, nothing = np.full_like(picture, 0.25), np.zeros_like(picture)
    coarse, fine = basis.bands[0], basis.bands[-1]
    removed = np.zeros(basis.picture_size, bool)
    removed[coarse.slices] = True
    removed[fine.top + 1 : fine.top + 3, fine.left + 2] = True
    found = NoisyLinear(basis.bands, picture, base, nothing)(removed)
    assert (found[(slice(None), *coarse.slices)] == 0.25).all()
    expected = dense(picture[(slice(None), *fine.slices)], removed[fine.slices])
    np.testing.assert_allclose(found[(slice(None), *fine.slices)], expected, atol=1e-12)
    assert np.array_equal(found[:, ~removed], picture[:, ~removed])


def test_noise_falls_on_what_was_removed_alone():
    basis = PixelBasis((40, 40))
    flat = np.full((3, 40, 40), 0.5)
    removed = np.random.default_rng(0).random((40, 40)) < 0.7
    noise = np.random.default_rng(1).normal(scale=0.01, size=flat.shape)
    found = NoisyLinear(basis.bands, flat, flat, noise)(removed) - flat
    assert (found[:, ~removed] == 0).all()
    np.testing.assert_allclose(found[:, removed], noise[:, removed], atol=1e-12)


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def left_half(images):
    """The score of one of two classes is the roughness of the left half, which imputation smooths away."""
    rough = (images[:, :, 1:, :4] - images[:, :, :-1, :4]).square().mean((1, 2, 3))
    return torch.stack([20 * rough, torch.zeros(len(images))], 1)


def left_first():
    """Maps that value the left half most, and no two pixels alike."""
    columns = np.arange(8)[None, :] + np.arange(8)[:, None] / 10
    return np.stack([-columns, -columns])


def test_the_score_is_half_of_what_is_lost_with_the_least_less_with_the_most_important(images):
    heat = np.random.default_rng(0).normal(size=(2, 8, 8))
    found = road(left_half, images, heat, [0, 1], "pixels", noise=0.0)
    for number, image in enumerate(images):
        picture, order = image.double().numpy(), np.argsort(-heat[number].ravel())
        differences = []
        for tenth in range(1, 10):
            count, scores = round(64 * tenth / 10), []
            for places in (order[:count], order[::-1][:count]):
                removed = np.zeros(64, bool)
                removed[places] = True
                made = torch.from_numpy(dense(picture, removed.reshape(8, 8))).float()[None]
                scores.append(float(left_half(made).softmax(1)[0, number]))
            differences.append((scores[1] - scores[0]) / 2)
        np.testing.assert_allclose(found.curves[number], differences, atol=1e-5)
        assert found.values[number] == pytest.approx(np.mean(differences), abs=1e-5)
    np.testing.assert_allclose(found.fractions[0], np.array([6, 13, 19, 26, 32, 38, 45, 51, 58]) / 64)


@pytest.mark.parametrize("domain", ["pixels", Wcam(levels=1, grid=4)])
def test_the_right_map_wins_its_reverse_loses_as_much_and_a_flat_one_gets_nothing(images, domain):
    right, wrong, flat = (
        road(left_half, images, heat, [Logit(0)] * 2, domain)
        for heat in (left_first(), -left_first(), np.ones((2, 8, 8)))
    )
    assert (right.values > 0.02).all()
    np.testing.assert_allclose(wrong.values, -right.values, atol=0.5 * right.values.min())
    assert (flat.values == 0).all()
    assert flat.flat.all()
    assert right.over("random")[0] > 0
    assert list(right.null) == ["energy", "random", "centre"]


def test_a_reversed_order_of_pixels_swaps_most_and_least(images):
    there, back = (road(left_half, images, sign * left_first(), [0, 0], "pixels").values for sign in (1, -1))
    np.testing.assert_allclose(there, -back, atol=1e-6)


def test_the_size_of_noise_is_that_of_pixels_in_every_domain():
    image = torch.full((1, 3, 32, 32), 0.5)
    heat = np.random.default_rng(0).random((1, 32, 32))
    spread = Logit(0)
    for domain in (Domain("pixels", nulls=()), Domain(Wcam(levels=2, grid=8), nulls=())):
        seen = []

        def roughness(batch, seen=seen):
            seen.append(batch.clone())
            return batch.mean((2, 3))

        road(roughness, image, heat, [spread], domain, noise=0.01)
        most = torch.cat(seen)[-1]  # nine tenths removed
        assert float((most - 0.5).square().mean().sqrt()) == pytest.approx(0.01 * np.sqrt(0.9), rel=0.1)


def test_runs_repeat_and_seeds_change_the_noise(images):
    first, again, other = (
        road(left_half, images, left_first(), [0, 0], Domain("pixels", seed=seed)) for seed in (0, 0, 1)
    )
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


def test_clipped_domains_ask_about_images_in_their_range(images):
    reached = []

    def score(batch):
        reached.extend(batch.aminmax())
        return left_half(batch)

    road(score, images, left_first(), [0, 0], Domain(Wcam(levels=1, grid=4, clip=True)), noise=1.0)
    assert all(0 <= float(value) <= 1 for value in reached)
    road(score, images, left_first(), [0, 0], Domain(Wcam(levels=1, grid=4)), noise=1.0)
    assert max(map(float, reached)) > 1


def test_the_baseline_stands_for_bands_removed_whole():
    images = torch.rand(1, 1, 8, 8)
    black = Domain(Wcam(levels=1, grid=1), baseline="black", nulls=())
    seen = []

    def score(batch):
        seen.append(batch.mean((1, 2, 3)))
        return batch.mean((2, 3))

    first = np.zeros((1, 8, 8))
    road(score, images, first, [Logit(0)], black, noise=0.0)
    # Of the four bands the approximation is the first to go, with the fourth tenth at the latest.
    assert float(torch.cat(seen)[4]) == pytest.approx(0.0, abs=1e-6)


def test_attributions_of_wavelets_are_scored_in_their_own_cells_and_in_pixels():
    model, images, labels, _ = load_demo()
    (given_map,) = Wcam(Derivative(rows=8), grid=8)(model, images[:1], labels[:1].tolist())
    own = road(model, images[:1], [given_map], domain=Domain(nulls=("random",)))
    assert own.domain == "own: 640 cells, A3 … HH1"
    assert own.over("random")[0] > 0
    pixels = road(model, images[:1], [given_map], domain=Domain("pixels", nulls=()))
    assert pixels.domain == "pixels: 16384 cells, pixels"
    assert np.isfinite(pixels.values).all()
    assert "ROAD" in repr(pixels)


def test_areas_are_not_for_halves_of_differences(images):
    with pytest.raises(ValueError, match="areas belong to insertion and deletion; ROAD has none"):
        _ = road(left_half, images, left_first(), [0, 0], Domain("pixels", nulls=())).areas


class Broken(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop, self.asked = nn.Dropout(), 0

    def forward(self, images):
        self.asked += 1
        if self.asked > 1:
            raise ValueError("broken")
        return self.drop(images).mean((2, 3))


def test_the_network_is_left_as_it_was_also_when_it_raises(images):
    net = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(192, 3)).train()
    net[2].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    road(net, images, left_first(), domain=Domain(nulls=()))
    assert all(module.training for module in net.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not net[2].weight.requires_grad
    broken = Broken().train()
    with pytest.raises(ModelError, match="broken"):
        road(broken, images, left_first())
    assert broken.drop.training


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"attributions": np.zeros((2, 4, 8))}, r"attributions\[0\]: found a map of size \(4, 8\)"),
        ({"attributions": np.full((2, 8, 8), np.nan)}, r"attributions\[0\]: found NaN"),
        ({"targets": [0]}, "targets has 1 entries for 2 images"),
        ({"domain": "fourier"}, "domain: found 'fourier'"),
        ({"noise": -0.1}, "noise: found -0.1; accepted is a standard deviation of at least 0"),
        ({"noise": float("nan")}, "noise: found nan"),
    ],
)
def test_errors_name_the_argument_what_was_found_and_what_is_accepted(change, said, images):
    asked = {"model": left_half, "images": images, "attributions": left_first()} | change
    with pytest.raises(ValueError, match=said):
        road(**asked)


def test_memory_errors_halve_the_batch_and_change_nothing(images):
    def cramped(batch):
        if len(batch) > 5:
            raise MemoryError
        return left_half(batch)

    found, whole = (
        road(BlackBox(each), images, left_first(), [Probability(0)] * 2, Domain("pixels", nulls=()))
        for each in (cramped, left_half)
    )
    np.testing.assert_allclose(found.values, whole.values, atol=1e-6)
