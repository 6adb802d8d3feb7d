"""Going on with a run that ended, at twice its price."""

import numpy as np
import pytest
import torch

from wcam_widget.sensitivity import Analytic, Derivative, Hsic, Kind, Refined, Screened, Sobol

WEIGHTS = 24


def score(weights: torch.Tensor) -> torch.Tensor:
    return torch.sin(3 * weights[:, 0]) + weights[:, 1] * weights[:, 2] + 0.3 * weights[:, 3:].sum(1)


FUNCTION = Analytic(score, np.arange(WEIGHTS) // 8)
CONSTANT = Analytic(lambda weights: 0 * weights.sum(1) + 1, np.arange(WEIGHTS) // 8)
ANALYSES = [
    Sobol(rows=8),
    Sobol(rows=24),
    Hsic(rows=60),
    Refined(rows=4, budget=60),
    Screened(rows=16, budget=600),
    Derivative(rows=16),
]


def openness(estimate):
    """Cells that are not resolved; of equally many, how wide the intervals are."""
    widths = estimate.high - estimate.low
    return np.count_nonzero(estimate.kind == Kind.UNRESOLVED), np.nanmedian(widths)


def run(analysis, function=FUNCTION, state=None):
    state = analysis.init(function) if state is None else state
    while not analysis.finished(state):
        analysis.step(function, state)
    return state


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_a_deeper_run_goes_on_at_about_twice_the_price_and_tells_more(analysis):
    state = run(analysis)
    before = analysis.estimate(state)
    deeper = analysis.deeper(state)
    assert deeper.continues(analysis)
    groups = int(FUNCTION.groups.max()) + 1
    assert 1.5 < deeper.planned(WEIGHTS, groups) / analysis.planned(WEIGHTS, groups) <= 2.5
    assert not deeper.finished(state)
    after = deeper.estimate(run(deeper, state=state))
    assert after.evaluations + 2 * after.gradients <= deeper.planned(WEIGHTS, groups)
    assert after.evaluations > before.evaluations
    assert openness(after) < openness(before)


@pytest.mark.parametrize("analysis", ANALYSES, ids=repr)
def test_nothing_is_bought_for_a_score_that_does_not_move(analysis):
    assert analysis.deeper(run(analysis, CONSTANT)) is None


def test_a_run_that_stopped_because_its_top_stayed_the_same_goes_on():
    analysis = Sobol(rows=256, stable=2)
    state = run(analysis)
    assert state.row < 256
    deeper = analysis.deeper(state)
    assert run(deeper, state=state).row == deeper.rows == 2 * 32


def test_a_run_without_an_open_question_is_not_sold():
    everything = Refined(rows=4)
    assert everything.deeper(run(everything)) is None
    simple = Analytic(lambda weights: weights[:, 0], np.arange(WEIGHTS) // 8)
    resolved = Screened(rows=64, budget=4000, tolerance=0.4)
    assert resolved.deeper(run(resolved, simple)) is None


def test_gradient_rows_that_go_on_estimate_the_same_as_as_many_at_once():
    state = run(Derivative(rows=128))
    longer = Derivative(rows=256)
    continued, fresh = longer.estimate(run(longer, state=state)), longer.estimate(run(longer))
    assert continued.gradients == fresh.gradients == 256
    np.testing.assert_allclose(continued.value, fresh.value, rtol=0.25, atol=0.02)
    assert Derivative(rows=8).deeper(run(Derivative(rows=8))) is None
