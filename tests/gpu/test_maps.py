"""Whole maps of the demo network on an accelerator are those of the CPU; in bfloat16 they are near."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from tests.gpu.accelerator import DEVICE, exact_float32, needs_cuda
from wcam_widget import BlackBox, Derivative, Sobol, Wcam, load_demo, load_model

pytestmark = needs_cuda

METHODS = {
    "Sobol, haar": Wcam(Sobol(rows=8), levels=2, grid=4),
    "Sobol, db4": Wcam(Sobol(rows=8), wavelet="db4", levels=2, grid=4),
    "Derivative, haar": Wcam(Derivative(rows=8), levels=2, grid=4),
    "Derivative, sym4": Wcam(Derivative(rows=8), wavelet="sym4", levels=2, grid=4),
}


def maps(method, precision):
    """The map of the demo's first image on the CPU, in float32, and on the accelerator."""
    demo, found = load_demo(), []
    for device, kind in ((torch.device("cpu"), "float32"), (DEVICE, precision)):
        loaded = load_model("demo", device)
        model = BlackBox(loaded.net, loaded.preprocess, precision=kind)
        found += method(model, demo.images[:1], [int(demo.labels[0])])
    return found


@pytest.mark.parametrize("name", METHODS)
def test_float32_maps_are_those_of_the_cpu(name):
    with exact_float32():
        wanted, found = maps(METHODS[name], "float32")
    atol = 1e-3 * float(wanted.values.max())
    np.testing.assert_allclose(found.values, wanted.values, atol=atol, rtol=1e-3)
    np.testing.assert_allclose(found.slope, wanted.slope, atol=1e-3 * float(np.abs(wanted.slope).max()))
    np.testing.assert_allclose(found.profile().total, wanted.profile().total, atol=atol, rtol=1e-3)
    assert found.evaluations == wanted.evaluations


@pytest.mark.parametrize("name", METHODS)
def test_bfloat16_maps_are_near_float32(name):
    wanted, found = maps(METHODS[name], "bfloat16")
    # Scores keep 8 bits: differences smaller than that are noise, which adds a little to every total.
    assert np.abs(found.values - wanted.values).max() < 0.1 * wanted.values.max()
    assert spearmanr(found.values, wanted.values)[0] > 0.95
