"""`BlackBox.compiled`: the same answers through torch.compile, and a clear word where it does not work."""

import pytest
import torch
from torch import nn
from torch._dynamo.exc import BackendCompilerFailed

from tests.model.networks import images_of
from wcam_widget.model import BlackBox, ModelError
from wcam_widget.model.batches import NETWORKS
from wcam_widget.model.device import ensure_compiler


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(64, 3))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # torch's compiler uses parts it has retired
def test_a_compiled_network_answers_as_the_network_itself_for_every_batch(net):
    model = BlackBox(net, class_names=["a", "b", "c"], batch_size=4)
    model.input_size = (6, 6)
    compiled = model.compiled()
    for count in (4, 3, 6, 1):
        torch.testing.assert_close(compiled.logits(images_of(count)), model.logits(images_of(count)))
    scores, slopes = compiled.gradients(images_of(6), lambda batch: batch, "b")
    expected = model.gradients(images_of(6), lambda batch: batch, "b")
    torch.testing.assert_close((scores, slopes), expected)
    assert net.training
    assert net[2].training
    assert all(parameter.grad is None for parameter in net.parameters())
    assert type(net) is nn.Sequential
    assert (compiled.class_names, compiled.batch_size, compiled.input_size) == (("a", "b", "c"), 4, (6, 6))
    assert NETWORKS.state(compiled.net) is NETWORKS.state(net)
    assert compiled.engine.label == "torch.compile"
    assert compiled.by("torch").net is net
    assert type(BlackBox(net, engine="compiled").net) is type(compiled.net)


def test_without_a_compiler_the_error_says_what_to_do(net, monkeypatch):
    def refuse(*_args, **_options):
        raise RuntimeError("InvalidCxxCompiler: no working C++ compiler found\nat great length")

    monkeypatch.setattr(torch, "compile", refuse)
    ensure_compiler.cache_clear()
    message = (
        "compiled: torch.compile does not work for 'cpu' here: RuntimeError: InvalidCxxCompiler: "
        r"no working C\+\+ compiler found; it needs a C\+\+ compiler; without it, use the BlackBox itself"
    )
    with pytest.raises(RuntimeError, match=message):
        BlackBox(net).compiled()
    with pytest.raises(RuntimeError, match="compiled: torch"):
        BlackBox(net, engine="compiled")
    assert BlackBox(net).logits(images_of(2)).shape == (2, 3)


def test_a_network_that_cannot_be_compiled_runs_as_it_is(net, caplog):
    calls = []

    class Uncompilable(nn.Module):
        def __init__(self):
            super().__init__()
            self._orig_mod = net

        def forward(self, _batch):
            calls.append(1)
            raise BackendCompilerFailed(lambda: None, RuntimeError("no kernel\nat great length"), None)

    model = BlackBox(net)
    compiled = model.around(Uncompilable())
    assert compiled.engine.name == "compiled"
    for count in (2, 3):
        torch.testing.assert_close(compiled.logits(images_of(count)), model.logits(images_of(count)))
    assert len(calls) == 1
    assert compiled.engine.name == "torch"
    assert compiled.engine.reason.startswith("compiled: BackendCompilerFailed: ")
    assert "\n" not in compiled.engine.reason
    assert len(caplog.records) == 1


def test_an_error_of_a_compiled_network_is_its_own(net):
    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self._orig_mod = net

        def forward(self, _batch):
            raise ValueError("of the network")

    with pytest.raises(ModelError, match="net: raised ValueError: of the network"):
        BlackBox(net).around(Failing()).logits(images_of(2))
