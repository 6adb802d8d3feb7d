"""Everything works inside ``torch.inference_mode`` and gives what it gives outside."""

import numpy as np
import pytest
import torch

import wcam_widget as wcam
from tests.explain.toys import small
from wcam_widget.model import BlackBox, ModelError
from wcam_widget.stress import fgsm, pgd, salient_pgd

SMALL = {"levels": 1, "grid": 2}


def picture():
    return torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


METHODS = {
    "sobol": wcam.Wcam(wcam.Sobol(rows=4), **SMALL),
    "derivative": wcam.Wcam(wcam.Derivative(rows=4), **SMALL),
    "screened": wcam.Wcam(wcam.Screened(rows=4, gradient_rows=4), **SMALL),
    "hsic": wcam.Wcam(wcam.Hsic(rows=64), **SMALL),
    "an image as baseline": wcam.Wcam(wcam.Derivative(rows=4), baseline=torch.zeros(3, 16, 16), **SMALL),
    "spun": wcam.Wcam(wcam.Sobol(rows=4), **SMALL).spun(2),
    "published": wcam.Wcam.as_published(grid=4, rows=2, levels=1),
    "gradient": wcam.WaveletGradient(levels=1, grid=2),
    "cartoonx": wcam.CartoonX(iterations=5, levels=1),
    "gradcam": wcam.GradCam(),
    "cameras": wcam.Cameras(),
    "sise": wcam.Sise(),
}


@pytest.mark.parametrize("kind", METHODS)
def test_methods_give_the_same_map_inside_of_inference_mode(kind):
    net = small()
    (outside,) = METHODS[kind](net, picture(), [1])
    with torch.inference_mode():
        (inside,) = METHODS[kind](net, picture(), [1])
        *_, stepped = METHODS[kind].steps(net, picture()[0], 1)
        assert torch.is_inference_mode_enabled()
    np.testing.assert_allclose(inside.values, outside.values, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(stepped.values, outside.values, rtol=1e-5, atol=1e-7)


ATTACKS = {
    "fgsm": lambda net, images: fgsm(net, images, [1]),
    "bands": lambda net, images: pgd(net, images, [1], threat=wcam.Threat("l2", bands=("HH1",), levels=1)),
    "pgd": lambda net, images: pgd(net, images, [1]),
    "salient": lambda net, images: salient_pgd(net, images, torch.rand(1, 16, 16).clamp(0.1, 1)),
}


@pytest.mark.parametrize("kind", ATTACKS)
def test_attacks_work_inside_of_inference_mode(kind):
    net = small()
    torch.manual_seed(0)
    outside = ATTACKS[kind](net, picture()).images
    torch.manual_seed(0)
    with torch.inference_mode():
        inside = ATTACKS[kind](net, picture()).images
    torch.testing.assert_close(inside.clone(), outside)


def test_measures_and_the_explorer_work_inside_of_inference_mode():
    net, maps = small(), [np.arange(256.0).reshape(16, 16)]
    with torch.inference_mode():
        assert np.isfinite(wcam.deletion(net, picture(), maps, domain="pixels", steps=2).values).all()
        assert np.isfinite(wcam.mu_fidelity(net, picture(), maps, domain="pixels").values).all()
        explorer = wcam.explore(net, picture()[0], method=METHODS["derivative"])
        assert explorer.wait(300).complete
        assert explorer.scores
        explorer.close()
        probe = METHODS["derivative"].probe(net, picture()[0])
        scores, slopes = probe.gradient(torch.rand(2, len(probe.cells)))
        assert torch.isfinite(slopes).all()
        assert torch.isfinite(scores).all()


def test_a_network_made_inside_of_inference_mode_is_scored_and_says_why_it_has_no_gradients():
    with torch.inference_mode():
        net = small()
    (attribution,) = METHODS["sobol"](net, picture())
    assert attribution.complete
    for kind in ("derivative", "gradcam"):
        with pytest.raises(ModelError, match="net: its parameters were made inside"):
            METHODS[kind](BlackBox(net), picture())
