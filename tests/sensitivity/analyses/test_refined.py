"""Dyadic refinement: what it finds, what it may leave out, and what it says about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.sensitivity.oracles import ORACLES, Oracle, assert_groups, linear, sobol_g
from tests.sensitivity.spots import SIDE, three_spots
from wcam_widget.sensitivity import Analytic, Estimate, Kind, Sobol, WeightFunction
from wcam_widget.sensitivity.analyses.refined import Refined
from wcam_widget.sensitivity.analyses.refined_nodes import RefinedState


def finish(analysis: Refined, function: WeightFunction) -> tuple[RefinedState, Estimate]:
    state = analysis.init(function)
    while not analysis.finished(state):
        analysis.step(function, state)
    return state, analysis.estimate(state)


def test_hot_spots_are_found_for_a_fifth_of_the_evaluations() -> None:
    function = three_spots()
    # Pairs of rows drawn apart from those of the analysis; all cells that no spot reaches are 0.
    a, b = torch.rand(2, 2048, SIDE**2, generator=torch.Generator().manual_seed(1))
    ends = function(a), function(b)
    truth = np.zeros(SIDE**2)
    near = np.flatnonzero(finish(Refined(rows=16, threshold=0.001), function)[1].value * SIDE**2 > 0.1)
    for cell in near:
        changed = a.clone()
        changed[:, cell] = b[:, cell]
        truth[cell] = float(((function(changed) - ends[0]) ** 2).mean() / 2 / torch.cat(ends).var())
    matter = np.flatnonzero(truth >= 0.01)
    assert len(matter) >= 12
    for seed in range(4):
        _, estimate = finish(Refined(rows=16, seed=seed), function)
        assert estimate.evaluations < 0.2 * Sobol(rows=16).planned(SIDE**2, 1)
        assert (~np.isnan(estimate.slope[matter])).all()
        assert (estimate.high[matter] >= truth[matter]).mean() >= 0.8
        # What was not reached is certified to be below the threshold.
        assert (estimate.kind[np.isnan(estimate.slope)] == Kind.BOUNDED).all()
        assert (estimate.high[np.isnan(estimate.slope)] < 0.01).all()


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
def test_exact_totals_first_order_and_groups(oracle: Oracle) -> None:
    _, estimate = finish(Refined(rows=512), oracle.ask())
    np.testing.assert_allclose(estimate.value, oracle.total, atol=0.1)
    reached = ~np.isnan(estimate.first)
    np.testing.assert_allclose(estimate.first[reached], oracle.first[reached], atol=0.12)
    assert estimate.variance == pytest.approx(oracle.variance, rel=0.12)
    assert_groups(estimate.groups, oracle)


@pytest.mark.usefixtures("unchecked")
def test_limits_hold_the_exact_totals() -> None:
    oracle, held, above = sobol_g(), [], []
    for seed in range(24):
        _, estimate = finish(Refined(rows=32, seed=seed), oracle.ask())
        held.append((estimate.low <= oracle.total) & (oracle.total <= estimate.high))
        above.append(estimate.high >= oracle.total)
    assert np.mean(held, 0).min() >= 0.85
    assert np.mean(held) < 1.0
    assert np.mean(above) >= 0.93


def test_a_set_bounds_its_members_and_is_not_split_below_the_threshold() -> None:
    slopes = torch.cat([torch.full((8,), 1.0), torch.full((8,), 0.01)])
    function = Analytic(lambda w: w @ slopes, np.repeat([0, 1], 8))
    state, estimate = finish(Refined(rows=32), function)
    quiet = estimate.kind == Kind.BOUNDED
    assert quiet.tolist() == [False] * 8 + [True] * 8
    assert set(np.concatenate(state.choices).tolist()) >= {1, 2}
    assert not set(np.concatenate(state.choices).tolist()) & set(np.flatnonzero(state.nodes.parents == 2))
    # The limit is that of the set, the value its even share.
    assert len(set(estimate.high[8:])) == 1
    np.testing.assert_allclose(estimate.value[8:].sum(), 1e-4, rtol=0.5)
    np.testing.assert_array_equal(estimate.low[8:], 0.0)
    assert np.isnan(estimate.slope[8:]).all()
    np.testing.assert_allclose(estimate.slope[:8], 1.0, atol=1e-4)


def test_limits_never_rise_from_a_set_to_its_members() -> None:
    state, estimate = finish(Refined(rows=4), three_spots())
    asked = np.concatenate(state.choices)
    above = state.nodes.limit[state.nodes.tree.parents[asked]]
    assert (state.nodes.limit[asked] <= above).all()
    assert (estimate.value <= estimate.high).all()
    assert (estimate.low <= estimate.value).all()


def test_coarse_comes_before_fine_and_every_step_is_a_whole_estimate() -> None:
    function, seen = three_spots(), []
    for estimate in Refined(rows=8).run(function):
        assert np.isfinite(
            np.concatenate([estimate.value, estimate.low, estimate.high, estimate.error])
        ).all()
        assert (estimate.low <= estimate.value).all()
        assert (estimate.value <= estimate.high).all()
        seen.append((estimate.evaluations, float(estimate.high.sum())))
    cost, known = np.array(seen).T
    assert (np.diff(cost) > 0).all()
    assert (np.diff(known) <= 1e-9).all()
    state, _ = finish(Refined(rows=8), function)
    sizes = [state.nodes.sizes[step].mean() for step in state.choices]
    assert sizes[0] == SIDE**2 / 4
    assert sizes[-1] == 1


def test_what_the_budget_leaves_open_keeps_the_limit_of_its_set() -> None:
    analysis = Refined(rows=16, budget=600)
    state, estimate = finish(analysis, three_spots())
    assert 600 - 16 < estimate.evaluations <= 600
    waiting = np.isnan(estimate.slope)
    assert Kind.UNRESOLVED in estimate.kind[waiting]
    assert ((estimate.high[waiting] < 0.01) == (estimate.kind[waiting] == Kind.BOUNDED)).all()
    cells = int((estimate.kind[waiting] == Kind.UNRESOLVED).sum())
    assert (
        f"the budget of 600 evaluations is spent; {cells} cells are known only together"
        in analysis.reason(state)
    )
    assert (~waiting).any()


def test_a_run_goes_on_with_a_larger_budget_or_a_lower_threshold() -> None:
    function = three_spots()
    short, whole, finer = Refined(rows=8, budget=400), Refined(rows=8), Refined(rows=8, threshold=0.004)
    state, before = finish(short, function)
    for analysis in (whole, finer):
        assert analysis.continues(short)
        while not analysis.finished(state):
            analysis.step(function, state)
        found = analysis.estimate(state)
        assert found.evaluations > before.evaluations
        fresh_state, fresh = finish(analysis, function)
        asked, fresh_asked = (set(np.concatenate(one.choices).tolist()) for one in (state, fresh_state))
        assert asked == fresh_asked
        np.testing.assert_allclose(found.value, fresh.value, rtol=1e-9)
        before = found
    assert not whole.continues(Refined(rows=9))
    assert not whole.continues(Sobol(rows=8))


def test_a_finished_run_says_what_was_reached() -> None:
    analysis = Refined(rows=16)
    state, estimate = finish(analysis, three_spots())
    reached = int((~np.isnan(estimate.slope)).sum())
    assert f"were measured one by one, {reached} of 1024" in analysis.reason(state)


def test_another_score_is_estimated_from_the_nodes_of_the_first() -> None:
    # Two scores of one function that depend on different quarters of the weights.
    slopes = torch.zeros(64, 2)
    slopes[3, 0] = slopes[50, 1] = slopes[10, 0] = slopes[10, 1] = 1.0
    remembered: list[Tensor] = []

    def first(weights: Tensor) -> Tensor:
        scores = weights @ slopes
        remembered.append(scores[:, 1])
        return scores[:, 0]

    groups = np.repeat(np.arange(4), 16)
    analysis = Refined(rows=16)
    state, found = finish(analysis, Analytic(first, groups))
    replies = iter(remembered)
    other = analysis.again(Analytic(lambda w: next(replies), groups), state)
    assert next(replies, None) is None
    assert other.evaluations == found.evaluations
    assert np.argmax(other.value) == 10
    np.testing.assert_allclose(other.value[10], 0.5, atol=0.3)
    assert other.kind[50] == Kind.UNRESOLVED
    assert other.high[50] > 0.3
    same = analysis.again(Analytic(lambda w: (w @ slopes)[:, 0], groups), state)
    np.testing.assert_array_equal(same.value, found.value)
    np.testing.assert_array_equal(same.left_out, found.left_out)


def test_seeds_and_streams() -> None:
    function = sobol_g().ask()
    once, again = (finish(Refined(rows=8), function)[1].value for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, finish(replace(Refined(rows=8), seed=1), function)[1].value)
    *_, elsewhere = Refined(rows=8).run(function, stream=1)
    assert not np.array_equal(once, elsewhere.value)


def test_a_constant_score_ends_after_its_first_rows() -> None:
    analysis = Refined(rows=4)
    state, estimate = finish(analysis, Analytic(lambda w: w.sum(1) * 0 + 3.0, np.array([0, 0, 1])))
    assert estimate.constant
    assert estimate.evaluations == 4 * 4
    np.testing.assert_array_equal(estimate.value, 0.0)
    assert "did not change" in analysis.reason(state)


def test_a_score_that_moves_in_one_replicate_only() -> None:
    # Nearly all rows give 0. Without the one that does not there is no variance to divide by, though sets of
    # weights exchanged in the other rows may move the score.
    def rare(weights: Tensor) -> Tensor:
        return torch.relu(weights[:, 0] * weights[:, 1] - 0.5)

    for seed in range(20):
        for estimate in Refined(rows=4, seed=seed).run(Analytic(rare, np.arange(8) // 4)):
            assert np.isfinite(np.concatenate([estimate.high, estimate.error])).all()
            assert np.isfinite(np.concatenate([estimate.groups.total, estimate.groups.high])).all()


def test_one_weight_causes_all() -> None:
    _, estimate = finish(Refined(rows=64), Analytic(lambda w: w[:, 0] ** 2, np.array([0])))
    np.testing.assert_allclose(estimate.value, 1.0, atol=0.3)
    np.testing.assert_allclose(estimate.groups.total, estimate.value, atol=0.3)
    np.testing.assert_allclose(estimate.slope, 1.0, atol=0.2)
    assert estimate.high[0] <= 1.0


def test_an_inert_weight_is_exactly_zero() -> None:
    _, estimate = finish(Refined(rows=16), linear().ask())
    assert estimate.value[3] == 0.0
    assert estimate.high[3] == 0.0


def test_no_more_is_asked_than_was_planned() -> None:
    function = Analytic(lambda w: w.sum(1), np.arange(16) // 4)
    _, estimate = finish(Refined(rows=8), function)
    assert estimate.evaluations <= Refined(rows=8).planned(16, 4)
    assert Refined(rows=8, budget=500).planned(16, 4) == 500


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Refined(rows=1), "rows=1 is too few: at least 2"),
        (lambda: Refined(threshold=0.0), "threshold=0.0 must be a share of the variance"),
        (lambda: Refined(threshold=1.0), "threshold=1.0 must be a share"),
        (
            lambda: Refined(rows=16, budget=100).init(sobol_g().ask()),
            "budget=100 is too small: with rows=16 the first answer takes 112 evaluations",
        ),
    ],
)
def test_impossible_parameters_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
