"""What a caller has set for all of torch, and what networks answer with, is nobody's else fault."""

import numpy as np
import pytest
import torch
from torch import nn

import wcam_widget as wcam
from tests.explain.toys import small
from wcam_widget.model import BlackBox, ModelError
from wcam_widget.stress import fgsm, pgd

SMALL = {"levels": 1, "grid": 2}
METHODS = {
    "sobol": wcam.Wcam(wcam.Sobol(rows=4), **SMALL),
    "derivative": wcam.Wcam(wcam.Derivative(rows=4), **SMALL),
    "screened": wcam.Wcam(wcam.Screened(rows=4, gradient_rows=4), **SMALL),
    "refined": wcam.Wcam(wcam.Refined(rows=8), **SMALL),
    "hsic": wcam.Wcam(wcam.Hsic(rows=64), **SMALL),
    "published": wcam.Wcam.as_published(grid=4, rows=2, levels=1),
    "gradient": wcam.WaveletGradient(levels=1, grid=2),
    "cartoonx": wcam.CartoonX(iterations=5, levels=1),
    "gradcam": wcam.GradCam(),
    "scorecam": wcam.GradCam(variant="scorecam"),
    "cameras": wcam.Cameras(),
    "sise": wcam.Sise(),
}


class Silent(nn.Module):
    """Answers NaN from the n-th pass on."""

    def __init__(self, passes):
        super().__init__()
        self.net, self.passes = small(), passes

    def forward(self, images):
        self.passes -= 1
        answer = self.net(images)
        return answer * torch.nan if self.passes < 0 else answer


@pytest.fixture
def doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def picture():
    return torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float32)


@pytest.mark.parametrize("kind", METHODS)
def test_methods_do_not_mind_the_default_dtype(kind, doubles):
    net = small()  # of doubles
    (ours,) = METHODS[kind](net, picture(), [1])
    torch.set_default_dtype(torch.float32)
    (expected,) = METHODS[kind](net, picture(), [1])
    np.testing.assert_allclose(ours.values, expected.values, rtol=1e-3, atol=1e-5)
    torch.set_default_dtype(torch.float64)
    (single,) = METHODS[kind](small().float(), picture(), [1])
    assert np.isfinite(single.values).all()


def test_attacks_and_measures_do_not_mind_the_default_dtype(doubles):
    net, maps = small(), [np.arange(256.0).reshape(16, 16)]
    for threat in (wcam.Threat(), wcam.Threat("l2", bands=("HH1",), levels=1)):
        for attack in (fgsm, pgd):
            assert torch.isfinite(attack(net, picture(), [1], 0.02, threat).images).all()
    for measure in (wcam.deletion, wcam.insertion, wcam.mu_fidelity, wcam.retention):
        measure(net, picture(), maps, domain="wavelet")
    explorer = wcam.explore(net, picture()[0], method=METHODS["sobol"])
    explorer.wait(120)
    explorer.close()


@pytest.mark.parametrize("kind", ["derivative", "gradient", "gradcam", "sise", "cameras"])
@pytest.mark.parametrize("passes", [0, 1])
def test_nan_of_a_network_is_its_own_fault(kind, passes):
    with pytest.raises(ModelError, match="net: "):
        METHODS[kind](BlackBox(Silent(passes)), picture(), [wcam.Probability(1)])
