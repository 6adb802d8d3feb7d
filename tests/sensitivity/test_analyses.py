"""One contract for every analysis: right on functions with known indices, repeatable, stepwise, honest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from tests.sensitivity.oracles import ORACLES, Oracle, assert_groups, linear, sobol_g
from wcam_widget.sensitivity import AbstractAnalysis, Analytic, Derivative, Kind, Refined, Screened, Sobol
from wcam_widget.sensitivity.statistics.estimators import TOTAL

ANALYSES = [Sobol(rows=16), Derivative(rows=16), Screened(rows=16, budget=2000), Refined(rows=16)]


def finished(analysis: AbstractAnalysis, function: Analytic, stream: int = 0):
    """The last state: without the estimates in between, which only a screen needs."""
    state = analysis.init(function, stream)
    while not analysis.finished(state):
        analysis.step(function, state)
    return state


@cache
def state_of(analysis: AbstractAnalysis, oracle: Oracle):
    """The last state of a run that several tests look at; an estimate changes nothing of it."""
    return finished(analysis, oracle.ask())


def last(analysis: AbstractAnalysis, oracle: Oracle):
    return analysis.estimate(state_of(analysis, oracle))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
@pytest.mark.parametrize("estimator", TOTAL)
def test_sobol_finds_the_exact_totals_and_first_orders(oracle: Oracle, estimator: str) -> None:
    # Estimators differ in what they make of the same rows.
    state = state_of(Sobol(rows=1024, interactions=True), oracle)
    estimate = Sobol(rows=1024, interactions=True, estimator=estimator).estimate(state)
    np.testing.assert_allclose(estimate.value, oracle.total, atol=0.1 if estimator == "jansen" else 0.15)
    np.testing.assert_allclose(estimate.first, oracle.first, atol=0.1)
    assert estimate.variance == pytest.approx(oracle.variance, rel=0.12)
    assert (estimate.low <= estimate.value).all()
    assert (estimate.value <= estimate.high).all()
    sizes = len(oracle.groups), int(oracle.groups.max()) + 1
    assert estimate.evaluations == Sobol(rows=1024, interactions=True).planned(*sizes)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
@pytest.mark.parametrize("analysis", [Sobol(rows=1024, interactions=True), Derivative(rows=512)], ids=repr)
def test_totals_of_groups_and_shapley_effects(analysis: AbstractAnalysis, oracle: Oracle) -> None:
    assert_groups(last(analysis, oracle).groups, oracle)


def test_shapley_effects_lie_between_first_order_and_total() -> None:
    # Ishigami: only x1 and x3 interact, and share that part equally.
    oracle = ORACLES[2]
    shared = (oracle.total[0] - oracle.first[0]) / 2
    expected = oracle.first + np.array([shared, 0.0, shared])
    groups = last(Sobol(rows=1024, interactions=True), oracle).groups
    np.testing.assert_allclose(groups.shapley, expected, atol=0.05)
    np.testing.assert_allclose(groups.closed, oracle.first, atol=0.08)


def test_superset_importance_is_what_two_groups_cause_together() -> None:
    # Ishigami: x1 and x3 interact, nothing else does.
    ishigami = ORACLES[2]
    together = ishigami.total[2] - ishigami.first[2]
    expected = np.array([[0, 0, together], [0, 0, 0], [together, 0, 0]])
    found = last(Sobol(rows=1024, interactions=True), ishigami).groups.superset
    assert found is not None
    np.testing.assert_allclose(found, expected, atol=0.05)
    # w1 w2 against w3: all but the two closed parts, T_g + T_h - 1.
    both = (1 / 3 - 1 / 4) * (1 / 9 - 1 / 16) / ORACLES[3].variance
    found = last(Sobol(rows=1024, interactions=True), ORACLES[3]).groups.superset
    assert found is not None
    np.testing.assert_allclose(found, [[0, both], [both, 0]], atol=0.03)
    assert last(Sobol(rows=4), ishigami).groups.superset is None


def test_the_linear_estimate_is_exact_for_a_linear_score_and_the_bound_12_over_pi_squared_above() -> None:
    oracle = ORACLES[0]
    estimate = last(Derivative(rows=512), oracle)
    np.testing.assert_allclose(estimate.value, oracle.total, rtol=0.1)
    np.testing.assert_allclose(estimate.slope, [1.0, -2.0, 3.0, 0.0], atol=1e-5)
    # All derivatives are equal here, so the bound is the squared slope over pi^2 V.
    bound = estimate.slope**2 / np.pi**2 / estimate.variance
    np.testing.assert_allclose(bound[:3] / estimate.value[:3], 12 / np.pi**2, rtol=1e-5)
    assert (estimate.high[:3] >= bound[:3]).all()
    assert (estimate.high[:3] <= 1.3 * bound[:3]).all()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
def test_derivative_bounds_hold_the_exact_totals(oracle: Oracle) -> None:
    held = []
    for seed in range(40):
        estimate = last(Derivative(rows=32, seed=seed), oracle)
        held.append((estimate.low <= oracle.total + 1e-9) & (oracle.total <= estimate.high + 1e-9))
    assert np.mean(held) >= 0.95


def test_derivatives_rank_one_weight_per_coefficient() -> None:
    # 4,096 weights of known slopes, far more than rows.
    slopes = np.random.default_rng(0).normal(size=4096)
    function = Analytic(lambda w: (w @ torch.tensor(slopes, dtype=w.dtype)).sin(), np.arange(4096) // 1024)
    estimate = Derivative(rows=4).estimate(finished(Derivative(rows=4), function))
    assert np.argsort(-estimate.value)[:50].tolist() == np.argsort(-(slopes**2))[:50].tolist()
    assert (np.sign(estimate.slope) * np.sign(slopes)).max() == 1


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_a_seed_repeats_and_another_does_not(analysis: AbstractAnalysis) -> None:
    once, again = last(analysis, ORACLES[1]), last(analysis, sobol_g())
    np.testing.assert_array_equal(once.value, again.value)
    assert not np.array_equal(once.value, last(replace(analysis, seed=1), ORACLES[1]).value)
    elsewhere = analysis.estimate(finished(analysis, sobol_g().ask(), stream=1))
    assert not np.array_equal(once.value, elsewhere.value)


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_steps_stream_whole_estimates(analysis: AbstractAnalysis) -> None:
    estimates = list(analysis.run(sobol_g().ask()))
    assert len(estimates) >= 3
    cost = [estimate.evaluations + 2 * estimate.gradients for estimate in estimates]
    assert cost == sorted(set(cost))
    assert cost[-1] <= analysis.planned(6, 3)
    for estimate in estimates:
        assert np.isfinite(np.concatenate([estimate.value, estimate.low, estimate.high])).all()
        assert (estimate.low <= estimate.value).all()
        assert (estimate.value <= estimate.high).all()


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_a_constant_score_says_so(analysis: AbstractAnalysis) -> None:
    function = Analytic(lambda w: w.sum(1) * 0 + 3.0, np.array([0, 0, 1]))
    state = finished(analysis, function)
    estimate = analysis.estimate(state)
    assert estimate.constant
    assert "did not change" in analysis.reason(state)
    np.testing.assert_array_equal(estimate.value, 0.0)
    np.testing.assert_array_equal(estimate.groups.total, 0.0)


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_one_weight_takes_all(analysis: AbstractAnalysis) -> None:
    function = Analytic(lambda w: w.sin().sum(1), np.array([0]))
    estimate = analysis.estimate(finished(replace(analysis, rows=64), function))
    assert estimate.low[0] <= 1.0 <= estimate.high[0] + 1e-9
    assert estimate.groups.shapley.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("analysis", ANALYSES[:3], ids=repr)
def test_an_inert_weight_is_exactly_zero(analysis: AbstractAnalysis) -> None:
    estimate = last(analysis, ORACLES[0])
    assert estimate.value[3] == 0.0
    assert estimate.high[3] == pytest.approx(0.0, abs=1e-9)


def test_slopes_are_signed() -> None:
    np.testing.assert_allclose(last(Sobol(rows=8), linear()).slope, [1.0, -2.0, 3.0, 0.0], atol=1e-5)


def test_kinds() -> None:
    assert set(last(Derivative(rows=8), sobol_g()).kind) == {Kind.BOUNDED}
    few, many = last(Sobol(rows=2), sobol_g()), last(Sobol(rows=512), sobol_g())
    assert Kind.UNRESOLVED in few.kind
    assert set(many.kind) == {Kind.ESTIMATED}


def test_runs_of_another_seed_do_not_go_on() -> None:
    assert Sobol(rows=64).continues(Sobol(rows=32))
    assert not Sobol(rows=64).continues(Sobol(rows=32, seed=1))


def test_sobol_stops_when_the_top_weights_stay() -> None:
    state = finished(Sobol(rows=4096, stable=2), sobol_g().ask())
    assert state.row < 4096
    assert "2 top cells stayed the same" in Sobol(rows=4096, stable=2).reason(state)
    assert Sobol(rows=16).reason(finished(Sobol(rows=16), sobol_g().ask())) == "all planned rows are done"


@pytest.mark.parametrize("analysis", [Sobol(rows=16), Refined(rows=16)], ids=repr)
def test_another_score_follows_from_the_same_rows(analysis: AbstractAnalysis) -> None:
    first, second = sobol_g(), linear()
    second = replace(second, function=lambda w: w[:, 5] + 2 * w[:, 4])
    answers: list[torch.Tensor] = []

    def both(weights: torch.Tensor) -> torch.Tensor:
        answers.append(second.function(weights))
        return first.function(weights)

    groups = first.groups
    state = finished(analysis, Analytic(both, groups))
    remembered = iter(answers)
    estimate = analysis.again(Analytic(lambda _: next(remembered), groups), state)
    assert estimate.evaluations == state.evaluations
    if isinstance(analysis, Sobol):
        direct = analysis.estimate(finished(analysis, Analytic(second.function, groups)))
        np.testing.assert_array_equal(estimate.value, direct.value)
        np.testing.assert_array_equal(estimate.low, direct.low)
    else:
        exact = np.array([0, 0, 0, 0, 0.8, 0.2])
        assert (estimate.high >= exact - 1e-6).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sobol(rows=1), "rows=1 is too few: at least 2"),
        (lambda: Derivative(rows=0), "rows=0 is too few"),
        (lambda: Sobol(design="hammersley"), "design='hammersley' is unknown; auto, sobol, latin, random"),
        (lambda: Sobol(estimator="owen"), "estimator='owen' is unknown; jansen, homma"),
        (lambda: Sobol(stable=-1), "stable=-1 must be a number of top weights"),
        (lambda: Derivative(design="x"), "design='x' is unknown"),
        (lambda: Screened(threshold=0.0), "threshold=0.0 must be a share"),
        (lambda: Screened(tolerance=1.5), "tolerance=1.5 must be a part of the value"),
        (lambda: Screened(gradient_rows=1), "gradient_rows=1 is too few"),
        (lambda: Screened(top=0), "top=0 must be a number of cells, at least 1"),
        (lambda: Screened(time=0.0), "time=0.0 must be seconds above 0, or None"),
        (lambda: Screened(budget=10), "budget=10 is too small: "),
        (
            lambda: Screened(budget=120),
            "budget=120 is .* raise budget to [0-9]+, or lower gradient_rows",
        ),
        (
            lambda: Screened(budget=455).validate(640, 10),
            "budget=455 is .*: 480 .* take 10; raise budget to 490",
        ),
    ],
)
def test_impossible_parameters_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
