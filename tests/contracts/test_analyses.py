"""The laws of every analysis, as the docstring of ``AbstractAnalysis`` states them: one table over all."""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.sensitivity.oracles import sobol_g
from wcam_widget.sensitivity import (
    AbstractAnalysis,
    Analytic,
    Derivative,
    Estimate,
    Hsic,
    Refined,
    Screened,
    Sobol,
)

# Each analysis, and the same with more to spend.
ANALYSES: dict[str, tuple[AbstractAnalysis, AbstractAnalysis]] = {
    "Sobol": (Sobol(rows=6), Sobol(rows=19)),
    "Sobol, third generation": (Sobol(rows=34), Sobol(rows=40)),
    "Sobol, interactions": (Sobol(rows=4, interactions=True), Sobol(rows=8, interactions=True)),
    "Sobol, until stable": (Sobol(rows=40, stable=2), Sobol(rows=48)),
    "Derivative": (Derivative(rows=16), Derivative(rows=40)),
    "Screened": (
        Screened(rows=4, gradient_rows=4, budget=150),
        Screened(rows=8, gradient_rows=4, budget=250),
    ),
    "Refined": (Refined(rows=6, budget=70), Refined(rows=6)),
    "Hsic": (Hsic(rows=64), Hsic(rows=130)),
}
KEEP_THE_BEGINNING = ("Sobol", "Hsic")  # rows do not depend on how many are planned
each = pytest.mark.parametrize(("analysis", "more"), ANALYSES.values(), ids=ANALYSES)
# Derivatives belong to one score: another one needs a run of its own.
OF_SCORES = {name: pair for name, pair in ANALYSES.items() if not isinstance(pair[0], Derivative)}


def contents(value: Any) -> Any:
    """A state as plain values that can be compared; what is only kept to save time does not count."""
    if is_dataclass(value):
        return {one.name: contents(getattr(value, one.name)) for one in fields(value) if one.compare}
    if isinstance(value, np.ndarray | torch.Tensor):
        array = np.asarray(value)
        return array.shape, array.tobytes()
    return [contents(one) for one in value] if isinstance(value, list | tuple) else value


def steps(analysis: AbstractAnalysis, function: Analytic, state: Any) -> None:
    while not analysis.finished(state):
        analysis.step(function, state)


def assert_same(one: Estimate, other: Estimate) -> None:
    assert contents(one) == contents(other)


def complete(analysis: AbstractAnalysis) -> Estimate:
    state = analysis.init(sobol_g().ask())
    steps(analysis, sobol_g().ask(), state)
    return analysis.estimate(state)


class FailureError(RuntimeError):
    pass


class Failing:
    """The function, which raises at one of its next calls and counts the rows it was evaluated at."""

    def __init__(self) -> None:
        self.calls_left, self.rows, self.weights = -1, 0, []

    def __call__(self, weights: torch.Tensor) -> torch.Tensor:
        self.calls_left -= 1
        if self.calls_left == 0:
            raise FailureError
        self.rows += len(weights)
        self.weights += weights.detach().tolist()
        return sobol_g().function(weights)


@each
def test_a_step_is_atomic_at_each_evaluation(analysis: AbstractAnalysis, more: AbstractAnalysis) -> None:
    del more
    failing = Failing()
    function = Analytic(failing, sobol_g().groups)
    state, failures = analysis.init(function), 0
    while not analysis.finished(state):
        before, calls = contents(state), 0
        while failing.calls_left <= 0:  # until a step ends before the call that would fail
            calls += 1
            failing.calls_left = calls
            try:
                analysis.step(function, state)
            except FailureError:
                failures += 1
                assert contents(state) == before
        failing.calls_left = -1
    assert failures >= 2
    assert_same(analysis.estimate(state), complete(analysis))


@each
def test_a_run_cut_anywhere_equals_one_that_was_not(
    analysis: AbstractAnalysis, more: AbstractAnalysis
) -> None:
    del more
    function, expected = sobol_g().ask(), complete(analysis)
    state, cuts = analysis.init(function), []
    while not analysis.finished(state):
        cuts.append(copy.deepcopy(state))
        analysis.step(function, state)
    for cut in cuts[:: max(1, len(cuts) // 4)]:
        steps(analysis, function, cut)
        assert_same(analysis.estimate(cut), expected)


@each
def test_an_estimate_changes_nothing(analysis: AbstractAnalysis, more: AbstractAnalysis) -> None:
    del more
    function = sobol_g().ask()
    state, earlier = analysis.init(function), []
    while not analysis.finished(state):
        analysis.step(function, state)
        before = contents(state)
        first, second = analysis.estimate(state), analysis.estimate(state)
        analysis.reason(state)
        analysis.deeper(state)
        assert contents(state) == before
        assert_same(first, second)
        earlier.append((first, contents(first)))
    assert all(contents(one) == then for one, then in earlier)  # later steps do not reach into it
    assert_same(analysis.estimate(state), complete(analysis))


@each
def test_more_rows_keep_the_earlier_rows(analysis: AbstractAnalysis, more: AbstractAnalysis) -> None:
    assert more.continues(analysis)
    probe = Failing()
    function = Analytic(probe, sobol_g().groups)
    state = analysis.init(function)
    steps(analysis, function, state)
    early, earlier = analysis.estimate(state), list(probe.weights)
    steps(more, function, state)
    late = more.estimate(state)
    assert late.evaluations == probe.rows > early.evaluations == len(earlier)
    assert late.gradients >= early.gradients
    if type(analysis).__name__ in KEEP_THE_BEGINNING:
        assert_same(late, complete(more))
        direct = Failing()
        steps(more, Analytic(direct, sobol_g().groups), more.init(function))
        assert direct.weights[: len(earlier)] == earlier


@pytest.mark.parametrize(("analysis", "more"), OF_SCORES.values(), ids=OF_SCORES)
def test_a_run_that_went_on_answers_for_another_score(
    analysis: AbstractAnalysis, more: AbstractAnalysis
) -> None:
    probe = Failing()
    function = Analytic(probe, sobol_g().groups)
    state = analysis.init(function)
    steps(analysis, function, state)
    expected, early = analysis.estimate(state), state.evaluations
    steps(more, function, state)
    for last, estimate in ((early, expected), (None, more.estimate(state))):
        again = more.again(function, state, evaluations=last)
        assert_same(again.groups, estimate.groups)
        assert_same(replace(again, kind=estimate.kind), estimate)


@each
def test_what_does_not_suffice_is_refused_before_any_evaluation(
    analysis: AbstractAnalysis, more: AbstractAnalysis
) -> None:
    del more
    assert analysis.validate(6, 3) is None
    if not isinstance(analysis, Screened | Refined):
        return
    short = replace(analysis, budget=120 if isinstance(analysis, Screened) else 20)
    assert short.planned(600, 30) == short.budget  # counts, and refuses nothing
    for refuse in (lambda: short.validate(600, 30), lambda: short.init(Analytic(Failing(), np.arange(30)))):
        with pytest.raises(ValueError, match=f"budget={short.budget} is too small"):
            refuse()
