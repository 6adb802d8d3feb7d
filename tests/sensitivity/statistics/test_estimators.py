"""Estimators from sums over pairs: against SALib, least squares, the published five, and themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from SALib.analyze import sobol as salib

from tests.sensitivity.oracles import Oracle, sobol_g
from wcam_widget.sensitivity import Analytic, Sobol
from wcam_widget.sensitivity.statistics.estimators import TOTAL, first_order
from wcam_widget.sensitivity.statistics.pair_sums import PairSums

REFERENCE = Path(__file__).parents[2] / "reference"


@pytest.mark.parametrize("estimator", TOTAL)
def test_the_published_five_on_the_recorded_scores(estimator: str) -> None:
    with np.load(REFERENCE / "wcam_reference_detail.npz", allow_pickle=False) as detail:
        scores, expected = detail["scores"].astype(float), detail[f"estimator.{estimator}"]
    a, changed = scores[:8], scores[16:].reshape(64, 8).T
    sums = PairSums.zeros(1, 64)
    for one, row in zip(a, changed, strict=True):
        sums.add(0, slice(None), (one, 0.0), row, 1.0)
    found = TOTAL[estimator](sums.of(np.array([0])), a.var(ddof=1))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def recorded(oracle: Oracle, asked: list) -> Analytic:
    def function(weights: torch.Tensor) -> torch.Tensor:
        scores = oracle.function(weights)
        asked.append(scores.double().numpy())
        return scores

    return Analytic(function, np.zeros(len(oracle.groups), int))


def test_jansen_and_first_order_agree_with_salib_on_the_same_evaluations() -> None:
    oracle, answers = sobol_g(), []
    function, analysis = recorded(oracle, answers), Sobol(rows=64)
    state = analysis.init(function)
    while not analysis.finished(state):
        analysis.step(function, state)
    # Per row: the walk's two ends (one group), the group exchanged, each weight exchanged.
    a, b = (np.array([ends[side] for ends in answers[::3]]) for side in (0, 1))
    changed = np.array(answers[2::3])
    estimate = analysis.estimate(state)
    theirs = np.array([salib.total_order(a, changed[:, i], b) for i in range(6)])
    # SALib divides by the population variance, ours is unbiased.
    np.testing.assert_allclose(estimate.value, theirs * (127 / 128), rtol=1e-6)
    centre = np.concatenate([a, b]).mean()
    theirs = np.array([salib.first_order(a - centre, changed[:, i] - centre, b - centre) for i in range(6)])
    np.testing.assert_allclose(estimate.first, theirs * (127 / 128), rtol=1e-6, atol=1e-9)


def test_slope_is_that_of_least_squares() -> None:
    random = np.random.default_rng(0)
    a, c, change = random.normal(size=(3, 20))
    sums = PairSums.zeros(1, 1)
    for one, other, step in zip(a, c, change, strict=True):
        sums.add(0, slice(None), (one, 0.0), np.array([other]), np.array([step]))
    expected = np.linalg.lstsq(change[:, None], c - a, rcond=None)[0]
    np.testing.assert_allclose(sums.of(np.array([0])).slope, expected)


def test_estimators_do_not_depend_on_the_origin_of_centred_scores() -> None:
    random = np.random.default_rng(1)
    a, b, c = random.normal(size=(3, 30))
    found = []
    for origin in (0.0, 100.0):
        sums = PairSums.zeros(1, 1)
        for one, two, three in zip(a + origin, b + origin, c + origin, strict=True):
            sums.add(0, slice(None), (one, two), np.array([three]), 1.0)
        centred = sums.of(np.array([0])).centred(origin)
        found.append([estimator(centred, 1.0)[0] for estimator in (*TOTAL.values(), first_order)])
    np.testing.assert_allclose(found[0], found[1], atol=1e-8)
