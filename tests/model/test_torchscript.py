"""Networks that are no plain Python modules: TorchScript, exported graphs, quantised ones."""

import re

import pytest
import torch
from torch import nn

from wcam_widget import BlackBox, Cameras, Derivative, GradCam, Sise, Sobol, Wcam
from wcam_widget.model import ModelError

SMALL = {"levels": 1, "grid": 2}
IMAGE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*(quantiz|DataParallel).*")


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    ).eval()


def exported(net):
    batch = {0: torch.export.Dim("batch")}
    return torch.export.export(net, (torch.rand(2, 3, 16, 16),), dynamic_shapes=(batch,)).module()


SCRIPTED = {
    "scripted": torch.jit.script,
    "scripted in train mode": lambda net: torch.jit.script(net.train()),
    "traced": lambda net: torch.jit.trace(net, IMAGE),
    "frozen": lambda net: torch.jit.freeze(torch.jit.script(net)),
    "optimised": lambda net: torch.jit.optimize_for_inference(torch.jit.script(net)),
}
OTHERS = {
    "exported": exported,
    "fx": torch.fx.symbolic_trace,
    "parallel": nn.DataParallel,
    "scripted inside": lambda net: nn.Sequential(torch.jit.script(net[:2]), net[2:]),
}
ALL = {**SCRIPTED, **OTHERS}


@pytest.mark.parametrize("kind", ALL)
def test_scores_are_those_of_the_network_and_modes_are_kept(kind):
    expected = BlackBox(network()).logits(IMAGE)
    net = ALL[kind](network())
    before = [getattr(module, "training", None) for module in net.modules()]
    torch.testing.assert_close(BlackBox(net).logits(IMAGE), expected)
    (attribution,) = Wcam(Sobol(rows=4), **SMALL)(net, IMAGE)
    assert attribution.stop == "all planned rows are done"
    assert [getattr(module, "training", None) for module in net.modules()] == before


@pytest.mark.parametrize("kind", [each for each in ALL if each != "optimised"])
def test_derivatives_work_where_autograd_does(kind):
    (attribution,) = Wcam(Derivative(rows=4), **SMALL)(ALL[kind](network()), IMAGE)
    (expected,) = Wcam(Derivative(rows=4), **SMALL)(network(), IMAGE)
    assert attribution.values == pytest.approx(expected.values, rel=1e-3, abs=1e-5)


def test_a_graph_without_autograd_says_so():
    with pytest.raises(ModelError, match="Sobol needs no gradients"):
        Wcam(Derivative(rows=4), **SMALL)(SCRIPTED["optimised"](network()), IMAGE)


@pytest.mark.parametrize("method", [GradCam(), Sise(), Cameras()], ids=lambda each: type(each).__name__)
def test_methods_of_layers_say_what_to_use_instead(method):
    message = "net: TorchScript modules have no hooks; use Wcam"
    for made in SCRIPTED.values():
        with pytest.raises(ModelError, match=re.escape(message)):
            method(made(network()), IMAGE)
    with pytest.raises(ModelError, match="net: an exported graph has no layers; use Wcam"):
        method(exported(network()), IMAGE)


def test_layers_around_a_scripted_part_are_found():
    (attribution,) = GradCam()(OTHERS["scripted inside"](network()), IMAGE)
    assert attribution.method.startswith("GradCam · 1.")


def test_a_quantised_network_is_scored_without_gradients():
    net = torch.ao.quantization.quantize_dynamic(network(), {nn.Linear}, dtype=torch.qint8)
    model = BlackBox(net, batch_size=1)
    assert not model.differentiable
    (attribution,) = Wcam(**SMALL)(model, IMAGE)
    assert "Sobol" in attribution.method
    with pytest.raises(ValueError, match="quantised networks do not give"):
        Wcam(Derivative(rows=4), **SMALL)(model, IMAGE)
