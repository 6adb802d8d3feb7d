"""HSIC against the published double sum, closed forms and its own null distribution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.sensitivity.oracles import linear
from wcam_widget.sensitivity import Analytic, Estimate, Kind, WeightFunction
from wcam_widget.sensitivity.analyses.hsic import Hsic, HsicState, dependence
from wcam_widget.sensitivity.statistics.gaussian_kernel import features, median_distance


def finish(analysis: Hsic, function: WeightFunction) -> tuple[HsicState, Estimate]:
    state = analysis.init(function)
    while not analysis.finished(state):
        analysis.step(function, state)
    return state, analysis.estimate(state)


def masks(state: HsicState) -> np.ndarray:
    bits = np.concatenate(state.masks)
    return np.unpackbits(bits, axis=1)[:, : len(state.groups)]


def sparse(weights: int = 100, active: int = 5) -> Analytic:
    slopes = torch.zeros(weights)
    slopes[:active] = 1 / torch.arange(1.0, active + 1)
    return Analytic(lambda w: w @ slopes + 0.3 * w[:, 0] * w[:, 1], np.arange(weights) * 4 // weights)


def naive(mask: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """HSIC of every column with the scores, and normalised, by the definition: (d, n, n) numbers."""
    n = len(scores)
    distance = np.abs(scores[:, None] - scores)
    width = np.median(distance[np.triu_indices(n, 1)])
    centre = np.eye(n) - 1 / n
    ours = centre @ np.exp(-(distance**2) / 2 / width**2) @ centre
    kernels = np.array([centre @ (column[:, None] == column) @ centre for column in mask.T])
    hsic = (kernels * ours).sum((1, 2)) / n**2
    own = np.sqrt((kernels**2).sum((1, 2)) * (ours**2).sum()) / n**2
    return hsic, hsic / own


def test_the_low_rank_form_is_the_double_sum() -> None:
    # 35 scores have 595 distances, an odd number, so that their median is one of them; none is 0.
    state, _ = finish(Hsic(rows=35), Analytic(lambda w: w @ torch.arange(20.0).sqrt(), np.zeros(20, int)))
    found, scores = dependence(state), np.concatenate(state.scores)
    hsic, normalised = naive(masks(state), scores)
    kept = masks(state).mean(0)
    spread = 35 * kept * (1 - kept)
    np.testing.assert_allclose(2 * found.quotients[0] * spread / 35**2, hsic, rtol=1e-7)
    np.testing.assert_allclose(found.quotients[0] / np.linalg.norm(found.kernels[0]), normalised, rtol=1e-7)


def test_leaving_out_a_replicate_is_leaving_out_its_rows() -> None:
    state, _ = finish(Hsic(rows=64), sparse(20))
    kept = np.arange(64) * 16 // 64 != 5
    sides, mask = features(np.concatenate(state.scores))[kept], masks(state)[kept].astype(float)
    sides, mask = sides - sides.mean(0), mask - mask.mean(0)
    quotients = ((sides.T @ mask) ** 2).sum(0) / (mask**2).sum(0)
    np.testing.assert_allclose(dependence(state).quotients[6], quotients, rtol=1e-7)
    np.testing.assert_allclose(dependence(state).kernels[6], sides.T @ sides, atol=1e-9)


def test_a_score_that_is_one_weight_depends_on_it_wholly_and_on_no_other() -> None:
    _, estimate = finish(Hsic(rows=2000), Analytic(lambda w: 3 * w[:, 1], np.arange(4)))
    assert estimate.value[1] == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(estimate.value[[0, 2, 3]], 0.0, atol=0.01)
    np.testing.assert_allclose(estimate.slope, [0, 3, 0, 0], atol=0.3)
    assert estimate.variance == pytest.approx(9 / 4, rel=0.01)
    np.testing.assert_allclose(estimate.groups.total, [0, 1, 0, 0], atol=0.02)


def test_the_limit_of_a_gaussian_score() -> None:
    # Many small effects make the score Gaussian, and one weight shifts it: HSIC is an eighth of the squared
    # maximum mean discrepancy of two Gaussians.
    slopes = torch.full((400,), 0.05)
    slopes[0] = 0.5
    state, _ = finish(Hsic(rows=20_000), Analytic(lambda w: w @ slopes, np.zeros(400, int)))
    found, spread, shift = dependence(state), 399 * 0.05**2 / 4, 0.5
    width = median_distance(np.concatenate(state.scores)) ** 2
    flat = np.sqrt(width / (width + 2 * spread))
    discrepancy = 2 * flat * (1 - np.exp(-(shift**2) / 2 / (width + 2 * spread)))
    np.testing.assert_allclose(found.quotients[0, 0] / 2 / 20_000, discrepancy / 8, rtol=0.08)


def test_values_rise_with_the_effect_and_rank_a_linear_score() -> None:
    slopes = torch.tensor([0.1, 0.3, 1.0, 0.6, 0.0])
    _, estimate = finish(Hsic(rows=4000), Analytic(lambda w: w @ slopes, np.zeros(5, int)))
    assert np.argsort(estimate.value).tolist() == [4, 0, 1, 3, 2]
    np.testing.assert_allclose(estimate.slope, slopes, atol=0.06)
    assert ((estimate.value >= 0) & (estimate.value <= 1)).all()


def test_what_matters_stands_out_of_what_does_not() -> None:
    _, estimate = finish(Hsic(rows=500), sparse())
    assert set(np.argsort(-estimate.value)[:2]) == {0, 1}
    assert (estimate.low[:2] > 0).all()
    # Values below 0 are cut off, but their mean is not far above it.
    assert estimate.value[5:].mean() < 0.003
    assert estimate.kind[0] == Kind.ESTIMATED
    np.testing.assert_allclose(estimate.groups.total, [1, 0, 0, 0], atol=0.1)
    assert estimate.groups.total.sum() == pytest.approx(1.0)
    assert np.isnan(estimate.groups.shapley).all()
    assert np.isnan(estimate.first).all()


def test_p_values_of_weights_without_effect_are_uniform_and_the_others_small() -> None:
    without = []
    for seed in range(20):
        analysis = Hsic(rows=200, seed=seed)
        state, _ = finish(analysis, sparse(200))
        found = analysis.p_values(state)
        assert found[0] < 1e-6
        without.append(found[5:])
    for level in (0.2, 0.05, 0.01):
        assert np.mean(np.concatenate(without) < level) == pytest.approx(level, rel=0.25)


def test_intervals_hold_what_many_rows_find() -> None:
    _, many = finish(Hsic(rows=20_000), sparse(30))
    truth, held = many.value, []
    for seed in range(60):
        _, estimate = finish(Hsic(rows=200, seed=seed), sparse(30))
        held.append((estimate.low <= truth + 1e-3) & (truth <= estimate.high))
        assert (estimate.low <= estimate.value).all()
        # At least two standard errors of a weight without effect, however alike the replicates are.
        reach = (estimate.high - estimate.value)[estimate.value > 0]
        assert (reach >= 2 * np.sqrt(2) / 200 - 1e-12).all()
    assert np.mean(held, 0)[:5].min() >= 0.8
    assert 0.93 <= np.mean(held) < 1.0


def test_more_rows_go_on_where_fewer_ended() -> None:
    function, asked = sparse(), []

    def counted(weights: Tensor) -> Tensor:
        asked.append(len(weights))
        return function(weights)

    few, many = Hsic(rows=220), Hsic(rows=400)
    state, _ = finish(few, function)
    ask = Analytic(counted, function.groups)
    while not many.finished(state):
        many.step(ask, state)
    assert sum(asked) == 180
    assert many.continues(few)
    assert not many.continues(Hsic(rows=220, seed=1))
    np.testing.assert_array_equal(many.estimate(state).value, finish(many, function)[1].value)


def test_every_block_is_a_whole_estimate() -> None:
    estimates = list(Hsic(rows=120).run(sparse()))
    assert [estimate.evaluations for estimate in estimates] == [50, 100, 120]
    assert Hsic(rows=120).planned(100, 4) == 120
    for estimate in estimates:
        assert np.isfinite(
            np.concatenate([estimate.value, estimate.low, estimate.high, estimate.slope])
        ).all()


def test_another_score_of_the_same_masks() -> None:
    analysis, remembered = Hsic(rows=300), []

    def first(weights: Tensor) -> Tensor:
        remembered.append(weights[:, 2])
        return weights[:, 0]

    state, _ = finish(analysis, Analytic(first, np.arange(3)))
    replies = iter(remembered)
    other = analysis.again(Analytic(lambda w: next(replies), np.arange(3)), state)
    assert next(replies, None) is None
    assert np.argmax(other.value) == 2


def test_weights_are_dropped_whole_with_equal_chance() -> None:
    asked: list[Tensor] = []

    def seen(weights: Tensor) -> Tensor:
        asked.append(weights)
        return weights.sum(1)

    finish(Hsic(rows=2000), Analytic(seen, np.zeros(30, int)))
    rows = torch.cat(asked)
    assert set(rows.unique().tolist()) == {0.0, 1.0}
    assert (rows.mean(0) - 0.5).abs().max() < 0.05
    assert torch.corrcoef(rows.T).fill_diagonal_(0).abs().max() < 0.12


def test_one_weight_per_coefficient() -> None:
    slopes = torch.zeros(30_000)
    slopes[17] = 1.0
    _, estimate = finish(Hsic(rows=100), Analytic(lambda w: w @ slopes, np.zeros(30_000, int)))
    assert np.argmax(estimate.value) == 17
    assert estimate.evaluations == 100


def test_seeds_and_streams() -> None:
    once, again = (finish(Hsic(rows=100), sparse())[1].value for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, finish(replace(Hsic(rows=100), seed=1), sparse())[1].value)
    *_, elsewhere = Hsic(rows=100).run(sparse(), stream=1)
    assert not np.array_equal(once, elsewhere.value)


def test_a_constant_score_says_so() -> None:
    analysis = Hsic(rows=100)
    state, estimate = finish(analysis, Analytic(lambda w: w.sum(1) * 0 + 3.0, np.array([0, 0, 1])))
    assert estimate.constant
    np.testing.assert_array_equal(estimate.value, 0.0)
    np.testing.assert_array_equal(analysis.p_values(state), 1.0)
    assert "did not change" in analysis.reason(state)
    assert "all planned rows" in analysis.reason(finish(analysis, linear().ask())[0])


def test_scores_that_take_few_values() -> None:
    # More than half of all pairs of scores are equal: the width is the median of the other distances.
    _, estimate = finish(Hsic(rows=400), Analytic(lambda w: w[:, :3].prod(1), np.zeros(6, int)))
    assert set(np.argsort(-estimate.value)[:3]) == {0, 1, 2}
    assert np.isfinite(estimate.high).all()


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=40, unique=True))
def test_the_median_distance_is_that_of_the_pairs(values: list[float]) -> None:
    scores = np.array(values)
    distances = np.abs(scores[:, None] - scores)[np.triu_indices(len(scores), 1)]
    distinct = np.sort(distances[distances > np.abs(scores).max() * np.finfo(np.float32).eps])
    if len(distinct):
        # With an even number the lower of the two in the middle.
        assert median_distance(scores) == pytest.approx(distinct[(len(distinct) - 1) // 2], rel=1e-6)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=40, unique=True))
def test_features_make_the_kernel_matrix(values: list[float]) -> None:
    scores = np.array(values)
    sides, width = features(scores), median_distance(scores)
    kernel = np.exp(-((scores[:, None] - scores) ** 2) / 2 / width**2)
    np.testing.assert_allclose(sides @ sides.T, kernel, atol=1e-8)
    assert sides.shape[1] <= len(scores)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="rows=15 is too few: at least 16"):
        Hsic(rows=15)
