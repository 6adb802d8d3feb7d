"""One contract for every analysis: right on functions with known indices, repeatable, stepwise, honest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from SALib.analyze import sobol as salib

from tests.sensitivity.oracles import ORACLES, Oracle, grouped_totals, linear, sobol_g
from wcam_widget.sensitivity import AbstractAnalysis, Analytic, Derivative, Kind, Sobol

ANALYSES = [Sobol(rows=16), Derivative(rows=16)]


def last(analysis: AbstractAnalysis, oracle: Oracle):
    *_, estimate = analysis.run(oracle.ask())
    return estimate


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
def test_sobol_finds_the_exact_totals(oracle: Oracle) -> None:
    estimate = last(Sobol(rows=1024), oracle)
    np.testing.assert_allclose(estimate.value, oracle.total, atol=0.1)
    assert estimate.variance == pytest.approx(oracle.variance, rel=0.12)
    assert estimate.evaluations == Sobol(rows=1024).planned(len(oracle.groups), int(oracle.groups.max()) + 1)


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
@pytest.mark.parametrize("analysis", [Sobol(rows=512), Derivative(rows=1024)], ids=repr)
def test_totals_of_groups_and_shapley_effects(analysis: AbstractAnalysis, oracle: Oracle) -> None:
    groups = last(analysis, oracle).groups
    assert groups.shapley.sum() == pytest.approx(1.0)
    assert (groups.low <= groups.total).all()
    assert (groups.total <= groups.high).all()
    expected = grouped_totals(oracle)
    if expected is not None:
        np.testing.assert_allclose(groups.total, expected, atol=0.12)


def test_shapley_effects_lie_between_first_order_and_total() -> None:
    # Ishigami: only x1 and x3 interact, and share that part equally.
    oracle = ORACLES[2]
    shared = (oracle.total[0] - oracle.first[0]) / 2
    expected = oracle.first + np.array([shared, 0.0, shared])
    np.testing.assert_allclose(last(Sobol(rows=1024), oracle).groups.shapley, expected, atol=0.04)


def test_the_linear_estimate_is_exact_for_a_linear_score_and_the_bound_12_over_pi_squared_above() -> None:
    oracle = linear()
    estimate = last(Derivative(rows=512), oracle)
    np.testing.assert_allclose(estimate.value, oracle.total, rtol=0.1)
    np.testing.assert_allclose(estimate.slope, [1.0, -2.0, 3.0, 0.0], atol=1e-5)
    # All derivatives are equal here, so the bound is the squared slope over pi^2 V.
    bound = estimate.slope**2 / np.pi**2 / estimate.variance
    np.testing.assert_allclose(bound[:3] / estimate.value[:3], 12 / np.pi**2, rtol=1e-5)
    assert (estimate.high[:3] >= bound[:3]).all()
    assert (estimate.high[:3] <= 1.3 * bound[:3]).all()


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
def test_derivative_bounds_hold_the_exact_totals(oracle: Oracle) -> None:
    held = []
    for seed in range(40):
        estimate = last(Derivative(rows=32, seed=seed), oracle)
        held.append((estimate.low <= oracle.total + 1e-9) & (oracle.total <= estimate.high + 1e-9))
    assert np.mean(held) >= 0.95


def test_sobol_intervals_hold_the_exact_totals() -> None:
    oracle = sobol_g()
    held = []
    for seed in range(60):
        estimate = last(Sobol(rows=128, seed=seed), oracle)
        held.append((estimate.low <= oracle.total) & (oracle.total <= estimate.high))
    assert np.mean(held, 0)[:4].min() >= 0.85
    assert np.mean(held) < 1.0


def test_jansen_agrees_with_salib_on_the_same_evaluations() -> None:
    oracle, asked, answers = sobol_g(), [], []

    def recorded(weights: torch.Tensor) -> torch.Tensor:
        scores = oracle.function(weights)
        asked.append(weights)
        answers.append(scores.double().numpy())
        return scores

    function = Analytic(recorded, np.zeros(6, int))
    *_, estimate = Sobol(rows=64).run(function)
    a, b = (np.array([ends[side] for ends in answers[::2]]) for side in (0, 1))
    changed = np.array(answers[1::2])
    theirs = np.array([salib.total_order(a, changed[:, i], b) for i in range(6)])
    # SALib divides by the population variance, ours is unbiased.
    np.testing.assert_allclose(estimate.value, theirs * (127 / 128), rtol=1e-6)


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_a_seed_repeats_and_another_does_not(analysis: AbstractAnalysis) -> None:
    once, again = last(analysis, sobol_g()), last(analysis, sobol_g())
    np.testing.assert_array_equal(once.value, again.value)
    assert not np.array_equal(once.value, last(replace(analysis, seed=1), sobol_g()).value)
    *_, elsewhere = analysis.run(sobol_g().ask(), stream=1)
    assert not np.array_equal(once.value, elsewhere.value)


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_steps_stream_whole_estimates(analysis: AbstractAnalysis) -> None:
    estimates = list(analysis.run(sobol_g().ask()))
    assert len(estimates) >= 8
    cost = [estimate.evaluations + 2 * estimate.gradients for estimate in estimates]
    assert cost == sorted(set(cost))
    assert cost[-1] == analysis.planned(6, 3)
    for estimate in estimates:
        assert np.isfinite(np.concatenate([estimate.value, estimate.low, estimate.high])).all()
        assert (estimate.low <= estimate.value).all()
        assert (estimate.value <= estimate.high).all()


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_a_constant_score_says_so(analysis: AbstractAnalysis) -> None:
    function = Analytic(lambda w: w.sum(1) * 0 + 3.0, np.array([0, 0, 1]))
    *_, estimate = analysis.run(function)
    assert estimate.constant
    np.testing.assert_array_equal(estimate.value, 0.0)
    np.testing.assert_array_equal(estimate.groups.total, 0.0)


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_an_inert_weight_is_exactly_zero(analysis: AbstractAnalysis) -> None:
    estimate = last(analysis, linear())
    assert estimate.value[3] == 0.0
    assert estimate.high[3] == pytest.approx(0.0, abs=1e-9)


def test_slopes_are_signed() -> None:
    np.testing.assert_allclose(last(Sobol(rows=8), linear()).slope, [1.0, -2.0, 3.0, 0.0], atol=1e-5)


def test_kinds() -> None:
    assert set(last(Derivative(rows=8), sobol_g()).kind) == {Kind.BOUNDED}
    few, many = last(Sobol(rows=2), sobol_g()), last(Sobol(rows=512), sobol_g())
    assert Kind.UNRESOLVED in few.kind
    assert set(many.kind) == {Kind.ESTIMATED}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sobol(rows=1), "rows=1 is too few: at least 2"),
        (lambda: Derivative(rows=0), "rows=0 is too few"),
        (lambda: Sobol(replicates=1), "replicates=1 gives no interval"),
        (lambda: Sobol(design="hammersley"), "design='hammersley' is unknown; auto, sobol, latin, random"),
        (lambda: Derivative(design="x"), "design='x' is unknown"),
    ],
)
def test_impossible_parameters_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
