"""Screened: when it does what, when it ends, and how each cell is known."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import torch

from tests.sensitivity.oracles import sobol_g
from wcam_widget.sensitivity import AbstractAnalysis, Analytic, Derivative, Kind, Screened
from wcam_widget.sensitivity.statistics.jackknife import Replicated


def finished(analysis: AbstractAnalysis, function: Analytic):
    """The last state."""
    state = analysis.init(function)
    while not analysis.finished(state):
        analysis.step(function, state)
    return state


def test_screened_takes_derivatives_and_rows_of_exchanges_in_turn() -> None:
    analysis = Screened(rows=24, tolerance=1e-6)
    state = finished(analysis, sobol_g().ask())
    derivatives = [len(which) == 0 for which in state.choices]
    assert sum(derivatives) == 16  # the blocks of the derivatives
    assert derivatives[0]
    assert not derivatives[1]  # linear estimates are calibrated from the first second on
    assert state.rows == 24
    assert state.evaluations + 2 * analysis.gradient_rows == analysis.planned(6, 3)
    alone = finished(Derivative(rows=64), sobol_g().ask())
    np.testing.assert_array_equal(state.derivative.squares, alone.squares)


def test_screened_ends_when_the_cells_that_matter_most_are_known() -> None:
    for top, tolerance in ((1, 0.25), (2, 0.25), (3, 0.25), (1, 0.2)):
        analysis = Screened(rows=4096, top=top, tolerance=tolerance)
        state = finished(analysis, sobol_g().ask())
        estimate = analysis.estimate(state)
        highest = np.argsort(-estimate.value)[:top]
        widths = (estimate.high - estimate.low)[highest] / estimate.value[highest]
        assert (widths <= 2 * tolerance).all()
        assert state.rows < 4096
        cells = "the cell that matters most is" if top == 1 else f"the {top} cells that matter most are"
        part = "a quarter" if tolerance == 0.25 else "20 %"
        assert analysis.reason(state).startswith(f"{cells} known to {part} of")
        assert analysis.deeper(state) is None


def test_screened_spends_its_seconds_and_says_what_more_would_bring() -> None:
    analysis = Screened(rows=1000, time=1e-9)
    function = sobol_g().ask()
    state = analysis.init(function)
    assert not analysis.finished(state)  # one step in any case
    analysis.step(function, state)
    assert analysis.finished(state)
    assert analysis.reason(state) == "time=1e-09 is over before any cell had rows of its own: raise time"
    assert analysis.deeper(state).time == 2e-9

    longer = replace(analysis, time=0.5)
    assert longer.continues(analysis)
    while not longer.finished(state):
        state.seconds += 0.03  # as slow as a network
        longer.step(function, state)
    assert state.seconds >= 0.5
    known = r"time=0.5 is over: \d of the \d cells .* known to half of .*"
    assert re.match(known + r"; another 10 s would bring about \d; raise time", longer.reason(state))


def test_screened_says_of_every_cell_how_it_is_known() -> None:
    generator = np.random.default_rng(0)
    slopes = torch.tensor(generator.lognormal(0, 1.5, 300), dtype=torch.float32)

    def score(weights: torch.Tensor) -> torch.Tensor:
        return torch.tanh(weights @ slopes / 100 - 5) + weights @ slopes / 500

    function = Analytic(score, np.arange(300) // 100)
    analysis = Screened(rows=256, top=5, tolerance=0.1, threshold=1e-4)
    state = finished(analysis, function)
    estimate = analysis.estimate(state)
    assert set(estimate.kind) >= {Kind.ESTIMATED, Kind.BOUNDED, Kind.POOLED}
    rows = state.own.count.sum(0)
    assert rows[estimate.kind == Kind.ESTIMATED].min() > np.median(rows[estimate.kind == Kind.POOLED])
    assert (estimate.high[estimate.kind == Kind.BOUNDED] < analysis.threshold).all()
    assert (estimate.low <= estimate.value).all()
    assert (estimate.value <= estimate.high).all()
    known = estimate.kind != Kind.BOUNDED
    assert (estimate.measured == known).all()
    np.testing.assert_allclose(
        Replicated(estimate.value[known], estimate.left_out[:, known]).error, estimate.error[known]
    )
