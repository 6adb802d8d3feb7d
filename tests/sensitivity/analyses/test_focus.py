"""Going on with rows of some weights alone."""

import copy

import numpy as np
import pytest
import torch

from wcam_widget.sensitivity import Analytic, Derivative, Hsic, Kind, Refined, Screened, Sobol
from wcam_widget.sensitivity.analyses.focus import FIRST

WEIGHTS = 64
SIZE = torch.rand(WEIGHTS, generator=torch.Generator().manual_seed(1)) ** 3
GROUPS = np.arange(WEIGHTS) // 16


class Counted:
    """A score of all weights, which notes the rows that it was evaluated at."""

    def __init__(self):
        self.rows = []

    def __call__(self, weights):
        self.rows += [tuple(row) for row in weights.detach().tolist()]
        bent = (weights[:, :8] @ SIZE[:8]) * (weights[:, 8:16] @ SIZE[8:16])
        return torch.sin(3 * (weights @ SIZE) / 4) + bent


def run(analysis, state=None, score=None):
    function = Analytic(score or Counted(), GROUPS)
    state = analysis.init(function) if state is None else state
    while not analysis.finished(state):
        analysis.step(function, state)
    return state


@pytest.fixture(scope="module")
def first():
    analysis = Screened(rows=100, gradient_rows=32)
    return analysis, run(analysis)


def middling(estimate):
    """Some weights that matter, but not the most."""
    return tuple(sorted(np.argsort(-estimate.value)[12:18].tolist()))


def widths(estimate, weights):
    return (estimate.high - estimate.low)[list(weights)] / estimate.value[list(weights)]


@pytest.mark.parametrize("seed", range(4))
def test_rows_go_to_the_chosen_weights_and_make_their_intervals_narrower(seed):
    analysis = Screened(rows=100, gradient_rows=32, seed=seed)
    before = run(analysis)
    known = analysis.estimate(before)
    focus = middling(known)
    focused = analysis.focused(before, focus)
    assert focused.continues(analysis)
    after = run(focused, copy.deepcopy(before))
    now = focused.estimate(after)
    others = np.setdiff1d(np.arange(WEIGHTS), focus)
    gained = (after.own.count - before.own.count).sum(0)
    assert (gained[others] == 0).all()
    assert gained.sum() >= FIRST * len(focus)
    assert (gained[list(focus)] > 0).all()
    assert after.spent == focused.planned(WEIGHTS, 4) <= 2 * before.spent
    assert np.median(widths(now, focus) / widths(known, focus)) < 0.85
    # What rows of the chosen ones tell of the score's variance is told of all.
    estimated = others[known.kind[others] != Kind.BOUNDED]
    assert (widths(now, estimated) <= 1.1 * widths(known, estimated)).all()
    assert np.count_nonzero(now.kind == Kind.UNRESOLVED) <= np.count_nonzero(known.kind == Kind.UNRESOLVED)
    assert "6 chosen cells are known to half of their value" in focused.reason(after)


def test_no_row_is_evaluated_again(first):
    analysis, state = first
    again, score = run(analysis, score=(earlier := Counted())), Counted()
    assert again.evaluations == state.evaluations
    focused = analysis.focused(state, (3, 5))
    run(focused, copy.deepcopy(state), score)
    assert score.rows
    assert not set(score.rows) & set(earlier.rows)
    assert len(set(score.rows)) == len(score.rows)


def test_a_row_of_one_weight_costs_two_scores(first):
    analysis, state = first
    focused = analysis.focused(state, (3,))
    after = run(focused, copy.deepcopy(state))
    assert after.evaluations - state.evaluations == 2 * (after.rows - state.rows)


def test_all_rows_together_cost_no_more_than_the_run(first):
    analysis, state = first
    focused = analysis.focused(state, tuple(range(WEIGHTS)))
    assert 1.9 * state.spent < focused.planned(WEIGHTS, 4) <= 2 * state.spent


def test_afterwards_all_can_go_on_and_other_weights_can_be_chosen(first):
    _, state = first
    analysis = Screened(rows=100, gradient_rows=32, tolerance=0.05)
    after = run(analysis.focused(state, (3, 5)), copy.deepcopy(state))
    deeper = analysis.focused(state, (3, 5)).deeper(after)
    assert (deeper.focus, deeper.budget) == ((), None)
    rest = run(deeper, copy.deepcopy(after))
    assert (rest.own.count.sum(0) > after.own.count.sum(0)).sum() > 4
    other = analysis.focused(after, (7,))
    assert run(other, after).own.count.sum(0)[7] > state.own.count.sum(0)[7]


def test_a_run_that_was_cut_before_its_derivatives_ended_takes_them_too():
    analysis, function = Screened(rows=100, gradient_rows=32), Analytic(Counted(), GROUPS)
    state = analysis.init(function)
    for _ in range(3):
        analysis.step(function, state)
    focused = analysis.focused(state, (3, 5))
    after = run(focused, state)
    assert after.derivative.rows.sum() == 32
    assert after.spent == focused.planned(WEIGHTS, 4)


def test_another_score_follows_the_rows_of_a_focus(first):
    analysis, state = first
    focused = analysis.focused(state, (3, 5, 9))
    after = run(focused, copy.deepcopy(state))
    again = focused.replayed(Analytic(Counted(), GROUPS), after, 0, after.evaluations)
    assert again.rows == after.rows
    np.testing.assert_array_equal(again.own.count.sum(0), after.own.count.sum(0))


def test_nothing_is_bought_where_more_rows_tell_nothing_new(first):
    analysis, state = first
    proven = np.flatnonzero(analysis.estimate(state).kind == Kind.BOUNDED)[:2]
    assert analysis.focused(state, tuple(proven.tolist())) is None
    constant = run(analysis, score=lambda weights: 0 * weights.sum(1) + 1)
    assert analysis.focused(constant, (1,)) is None


@pytest.mark.parametrize("other", [Sobol(rows=4), Hsic(rows=20), Refined(rows=4, budget=60), Derivative(8)])
def test_analyses_whose_rows_are_of_all_weights_say_so(other):
    assert not other.focusable
    assert other.focused(other.init(Analytic(Counted(), GROUPS)), (1,)) is None


@pytest.mark.parametrize("focus", [(2, 1), (1, 1), (-1,)])
def test_a_focus_is_ascending_numbers(focus):
    with pytest.raises(ValueError, match=r"focus=.* must be numbers of weights"):
        Screened(focus=focus)


def test_a_focus_lies_inside(first):
    analysis, state = first
    for act in (
        lambda: analysis.focused(state, (WEIGHTS,)),
        lambda: Screened(focus=(WEIGHTS,)).init(Analytic(Counted(), GROUPS)),
    ):
        with pytest.raises(ValueError, match="there is no weight 64; accepted are 0 to 63"):
            act()


def test_a_run_may_begin_with_a_focus():
    state = run(Screened(rows=10, gradient_rows=8, focus=(3, 5)))
    assert np.flatnonzero(state.own.count.sum(0)).tolist() == [3, 5]
    assert state.rows == 10
