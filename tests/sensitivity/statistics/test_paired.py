"""Two explanations on common rows: closed forms, exchangeable scores, real changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from wcam_widget.sensitivity import Analytic, Estimate, GroupEstimate, Sobol
from wcam_widget.sensitivity.statistics.paired import Difference, compare

GROUPS = np.array([0, 0, 1, 1])


def estimated(contributions: np.ndarray, members: np.ndarray = GROUPS) -> Estimate:
    """The estimate whose values are the means of what each replicate contributes."""
    left_out = np.array([np.delete(contributions, one, 0).mean(0) for one in range(len(contributions))])
    value, flat = contributions.mean(0), np.zeros(contributions.shape[1])
    groups = np.array([np.bincount(members, row) for row in np.vstack([value, left_out])])
    none = np.zeros(groups.shape[1])
    return Estimate(
        value=value,
        low=flat,
        high=flat,
        kind=np.zeros(len(value), np.int8),
        error=flat,
        first=flat,
        slope=flat,
        left_out=left_out,
        groups=GroupEstimate(
            total=groups[0], low=none, high=none, shapley=none, closed=none, left_out=groups[1:]
        ),
        variance=1.0,
        evaluations=len(contributions),
    )


def pair(random: np.random.Generator, replicates: int = 10, change: float = 0.0) -> tuple[Estimate, Estimate]:
    """Two estimates that share part of their noise; ``change`` moves importance from one cell to another."""
    shared = random.exponential(size=(replicates, 4))
    one, other = (shared + 0.5 * random.exponential(size=(replicates, 4)) for _ in range(2))
    return estimated(one + change * np.array([1.0, 0, 0, 0])), estimated(
        other + change * np.array([0, 0, 0, 1.0])
    )


def test_the_difference_of_means_has_the_paired_students_interval() -> None:
    flat = np.arange(10.0)[:, None] * np.array([1.0, -2.0, 3.0, 1.0])
    one, other = estimated(20 + flat), estimated(21 - flat)
    cells = compare(one, other, confidence=0.9).cells
    np.testing.assert_allclose(cells.value, one.value - other.value)
    error = (2 * flat).std(0, ddof=1) / np.sqrt(10)
    np.testing.assert_allclose(cells.error, error)
    expected = stats.t.interval(0.9, 9, cells.value, error)
    np.testing.assert_allclose([cells.low, cells.high], expected)


def test_the_distance_is_the_share_that_has_to_be_moved() -> None:
    one = estimated(np.repeat([[2.0, 2.0, 0.0, 0.0]], 8, 0))
    other = estimated(np.repeat([[0.5, 0.25, 0.25, 0.0]], 8, 0))
    difference = compare(one, other)
    # Of shares ½ ½ 0 0 a quarter goes from the second cell to the third, which is in the other group.
    assert difference.cells.distance == pytest.approx(0.25)
    assert difference.groups.distance == pytest.approx(0.25)
    assert compare(one, estimated(np.repeat([[0.0, 0.0, 1.0, 3.0]], 8, 0))).cells.distance == pytest.approx(
        1.0
    )


def test_the_scale_of_a_map_is_no_distance() -> None:
    one, _ = pair(np.random.default_rng(0))
    twice = replace(one, value=2 * one.value, left_out=2 * one.left_out)
    assert compare(one, twice).cells.distance == pytest.approx(0.0)
    assert compare(one, twice).cells.p == 1.0


def test_one_less_the_other_is_the_other_less_one_turned_round() -> None:
    one, other = pair(np.random.default_rng(1))
    forth, back = compare(one, other), compare(other, one)
    for part, turned in ((forth.cells, back.cells), (forth.groups, back.groups)):
        np.testing.assert_allclose(part.value, -turned.value)
        np.testing.assert_allclose(part.low, -turned.high)
        assert part.p == turned.p
        assert part.distance == pytest.approx(turned.distance)


def test_the_smallest_p_is_two_of_all_combinations_of_signs() -> None:
    one = estimated(np.repeat([[1.0, 0.0, 0.0, 0.0]], 6, 0))
    other = estimated(np.repeat([[0.0, 0.0, 0.0, 1.0]], 6, 0))
    assert compare(one, other).cells.p == 2 / 2**6
    assert compare(one, one).cells.p == 1.0


def test_random_signs_agree_with_all_of_them(monkeypatch) -> None:
    one, other = pair(np.random.default_rng(3), replicates=10, change=0.35)
    exact = compare(one, other).cells
    monkeypatch.setattr("wcam_widget.sensitivity.statistics.paired.EXACT", 9)
    drawn = compare(one, other, seed=4).cells
    assert drawn.p == pytest.approx(exact.p, abs=0.02)
    assert drawn.by_chance == pytest.approx(exact.by_chance, rel=0.03)
    assert compare(one, other, seed=4).cells.p == drawn.p


@pytest.mark.usefixtures("unchecked")
def test_p_is_uniform_where_nothing_differs_and_the_chance_distance_is_the_mean_one() -> None:
    random = np.random.default_rng(4)
    found = [compare(*pair(random)) for _ in range(400)]
    for part in ("cells", "groups"):
        p = np.array([getattr(one, part).p for one in found])
        # 400 runs: standard errors 1.1 % at 5 % and 2.5 % at a half.
        assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.03)
        assert np.mean(p <= 0.5) == pytest.approx(0.5, abs=0.07)
        distances, chance = (
            np.mean([getattr(getattr(one, part), name) for one in found])
            for name in ("distance", "by_chance")
        )
        assert distances == pytest.approx(chance, rel=0.08)
    held = [(one.cells.low <= 0) & (one.cells.high >= 0) for one in found]
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


def test_a_real_change_is_found_where_it_is() -> None:
    random = np.random.default_rng(5)
    found = [compare(*pair(random, change=1.0)) for _ in range(100)]
    assert np.mean([one.cells.p <= 0.05 for one in found]) > 0.9
    assert np.mean([one.groups.p <= 0.05 for one in found]) > 0.9
    low, high = np.mean([one.cells.low for one in found], 0), np.mean([one.cells.high for one in found], 0)
    assert low[0] > 0 > high[3]
    assert (low[1:3] < 0).all()
    assert (high[1:3] > 0).all()


def sobol(score, seed: int) -> Estimate:
    analysis, function = Sobol(rows=16, seed=seed), Analytic(score, GROUPS)
    state = analysis.init(function)
    while not analysis.finished(state):
        analysis.step(function, state)
    return analysis.estimate(state)


def curved(weights: torch.Tensor) -> torch.Tensor:
    return (1 + torch.tensor([1.0, 0.6, 1.4, 0.8]) * weights**2).prod(1)


def changed(weights: torch.Tensor) -> torch.Tensor:
    return (1 + torch.tensor([2.5, 0.6, 0.4, 0.8]) * weights**2).prod(1)


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_sobol_runs_of_scores_exchangeable_under_reflection_rarely_differ() -> None:
    # Rows are as likely as their reflections, so the scores of w and of 1 - w are exchangeable, not equal.
    found: list[Difference] = [
        compare(sobol(curved, seed), sobol(lambda w: curved(1 - w), seed)) for seed in range(40)
    ]
    assert np.mean([one.cells.p <= 0.05 for one in found]) <= 0.16
    assert np.mean([one.groups.p <= 0.05 for one in found]) <= 0.16
    assert np.mean([one.cells.p <= 0.5 for one in found]) == pytest.approx(0.5, abs=0.25)
    assert np.mean([(one.cells.low <= 0) & (one.cells.high >= 0) for one in found]) >= 0.92


def test_common_rows_find_a_change_that_separate_ones_hide() -> None:
    found = [(sobol(curved, seed), sobol(changed, seed), sobol(changed, seed + 1000)) for seed in range(12)]
    common = [compare(one, other).cells for one, other, _ in found]
    apart = [compare(one, other).cells for one, _, other in found]
    assert np.mean([part.p <= 0.05 for part in common]) > 0.9
    assert np.mean([part.error for part in common]) < 0.8 * np.mean([part.error for part in apart])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda one: (one, estimated(np.ones((8, 5)), np.array([0, 0, 1, 1, 1]))),
            "other has 5 weights where one has 4",
        ),
        (lambda one: (one, estimated(np.ones((9, 4)))), "other has 9 replicates where one has 8"),
        (
            lambda one: (one, estimated(np.ones((8, 4)), np.array([0, 1, 2, 2]))),
            "other has 3 groups where one has 2",
        ),
        (lambda one: (one, replace(one, left_out=one.left_out[:1])), "other has 1 replicates: at least 2"),
        (lambda one: (replace(one, left_out=one.left_out[:0]), one), "one has 0 replicates: at least 2"),
        (lambda one: (Estimate.of_constant(4, 2, 8), one), "one is of a score that never moved"),
        (lambda one: (one, Estimate.of_constant(4, 2, 8)), "other is of a score that never moved"),
    ],
)
def test_estimates_that_do_not_correspond_are_refused(make, message: str) -> None:
    one = estimated(np.random.default_rng(0).exponential(size=(8, 4)))
    with pytest.raises(ValueError, match=message):
        compare(*make(one))
