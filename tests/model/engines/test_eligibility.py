"""Which networks another engine takes: those whose export gives the same; torch keeps the others."""

import threading

import numpy as np
import pytest
import torch

from tests.model.engines.ready import Net, close, of_onnx, wait
from tests.model.networks import images_of
from wcam_widget.model import BlackBox
from wcam_widget.model.engines import exporting

pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra fast")


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


class Deciding(Net):
    """Decides by the batch, which a trace holds as it was."""

    def forward(self, images):
        scores = super().forward(images)
        return -scores if float(images.mean()) > 0.55 else scores


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        return torch.from_numpy(np.tanh(values.detach().numpy()))


class Opaque(Net):
    """An operator of its own, by numpy: no exporter knows it."""

    def forward(self, images):
        return Own.apply(super().forward(images))


class Noisy(Net):
    def forward(self, images):
        return super().forward(images) + torch.rand(len(images), 3)


class Counting(Net):
    """Answers otherwise at every call, by what is no buffer."""

    calls = 0

    def forward(self, images):
        self.calls += 1
        return super().forward(images) + self.calls


@pytest.mark.parametrize("kind", [Deciding, Opaque, Noisy, Counting])
def test_what_a_trace_does_not_hold_is_left_to_torch_and_the_reason_says_so(kind, monkeypatch, caplog):
    monkeypatch.setattr(exporting, "_captured", refuse)
    torch.manual_seed(0)
    model = BlackBox(kind(), engine="onnx")
    for seed in range(6):
        images = images_of(4, seed=seed)
        model.logits(images if seed % 2 else images / 2 + 0.5)
    wait(model)
    model.logits(images_of(2))
    assert model.engine.name in {"torch", "fused"}
    assert "onnx: " in model.engine.reason
    if model.engine.name == "torch":
        assert caplog.messages == [f"engine: PyTorch runs the network: {model.engine.reason}"]


def refuse(*_, **__):
    raise ValueError("cannot be exported")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda net: net.double(), "the network computes in float64, not in float32"),
        (lambda net: net.bfloat16(), "the network computes in bfloat16, not in float32"),
        (lambda net: vars(net).update(forward=net.forward) or net, "a forward of the network was replaced"),
        (
            lambda net: vars(net).update(lock=threading.Lock()) or net,
            "a copy of the network raised TypeError",
        ),
    ],
)
def test_networks_that_only_torch_can_run(net, change, reason):
    model = BlackBox(change(net), engine="onnx")
    model.logits(images_of(2))
    model.logits(images_of(2))
    assert model.engine.name == "torch"
    assert model.engine.reason.startswith(reason)


def test_a_plain_callable_and_autocast_stay_as_they_are(net):
    assert str(BlackBox(lambda images: images.mean((2, 3))).engine) == "plain callable: it runs as it is"
    assert BlackBox(net, precision="bfloat16").engine.reason == "it computes in bfloat16"


class Several(Net):
    def forward(self, images):
        scores = super().forward(images)
        return {"first": scores, "second": scores * 2, "pooled": images.mean((2, 3))}


@pytest.mark.parametrize("output", ["first", "second", lambda answer: answer["second"][:, 0]])
def test_the_chosen_part_of_an_answer_is_exported(output):
    model = of_onnx(Several(), output=output)
    assert model.engine.name == "onnx", model.engine
    close(model.logits(images_of(5)), BlackBox(model.net, output=output, engine="torch").logits(images_of(5)))


def test_two_parts_of_one_network_are_exported_each(net):
    net = Several()
    first, second = of_onnx(net, output="first"), of_onnx(net, output="second")
    torch.testing.assert_close(first.logits(images_of(3)) * 2, second.logits(images_of(3)))
