"""The mean over shifts is that of the runs in the shifted spaces."""

from dataclasses import replace

import numpy as np

from wcam_widget import Sobol, Wcam
from wcam_widget.explain.wcam.spun import always

SPINS = 3


def test_values_are_the_mean_of_runs_in_shifted_spaces(model, image):
    wcam = Wcam(Sobol(rows=2), levels=1, grid=2)
    basis = wcam.basis((image.shape[1], image.shape[2]))
    spun = wcam.spun(SPINS)
    runs = []
    for number, shift in enumerate(spun.shifts(2)):
        space = replace(wcam.space, wavelet=always(basis.shifted(*shift)))
        *_, last = wcam.steps_in(space, model, image, 1, SPINS + number)
        runs.append(last)
    *_, mean = spun.steps(model, image, 1, stream=1)
    np.testing.assert_allclose(mean.values, np.mean([one.values for one in runs], 0), rtol=1e-6, atol=1e-9)
    assert mean.complete
    assert mean.planned == SPINS * runs[0].planned
    assert len(mean.traces) == SPINS
