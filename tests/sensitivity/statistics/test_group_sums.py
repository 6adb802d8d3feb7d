"""Shapley effects of groups and how far they are off: against many runs of a function that is known."""

import numpy as np
import pytest
import torch

from wcam_widget.sensitivity import Analytic, Sobol
from wcam_widget.sensitivity.statistics.jackknife import Replicated

GROUPS = np.array([0, 0, 1, 2])
SHARES = (1.0 + 4.0, 4.0, 0.0)  # of the variance of w0 + 2 w1 + 2 w2, over 9


def run(seed):
    function = Analytic(lambda w: w @ torch.tensor([1.0, 2.0, 2.0, 0.0], dtype=w.dtype), GROUPS)
    return list(Sobol(rows=16, seed=seed).run(function))[-1].groups


@pytest.mark.usefixtures("unchecked")
def test_errors_of_shapley_effects_are_as_large_as_the_spread_of_many_runs():
    runs = [run(seed) for seed in range(30)]
    effects = np.array([one.shapley for one in runs])
    np.testing.assert_allclose(effects.sum(1), 1.0)
    assert np.abs(effects.mean(0) - np.array(SHARES) / 9).max() < 0.05
    errors = np.array([Replicated(one.shapley, one.shapley_left_out).error for one in runs]).mean(0)
    spread = effects.std(0, ddof=1)
    assert errors[2] == spread[2] == 0
    assert (errors[:2] > 0.7 * spread[:2]).all()
    assert (errors[:2] < 3.0 * spread[:2]).all()
