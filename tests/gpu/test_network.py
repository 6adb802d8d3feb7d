"""A network on an accelerator: float32 as on the CPU, bfloat16 near it, and memory that runs out for real."""

import pytest
import torch
from torch import nn

from tests.gpu.accelerator import DEVICE, exact_float32, image, needs_cuda, network
from wcam_widget.model import BlackBox

pytestmark = needs_cuda


def images(count):
    return torch.stack([image() * (0.5 + number / count) for number in range(count)])


def test_float32_scores_and_gradients_are_those_of_the_cpu():
    expected = BlackBox(network("cpu"))
    model = BlackBox(network(DEVICE), precision="float32", batch_size=8)
    with exact_float32():
        scores = model.logits(images(20))
        torch.testing.assert_close(scores, expected.logits(images(20)), rtol=1e-4, atol=1e-4)
        found = model.gradients(images(20).to(DEVICE), lambda batch: batch, 3)
    values, slopes = expected.gradients(images(20), lambda batch: batch, 3)
    torch.testing.assert_close(found[0], values, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[1].cpu(), slopes, rtol=1e-2, atol=1e-4 * float(slopes.abs().max()))
    assert scores.device.type == found[0].device.type == "cpu"
    assert found[1].device == DEVICE


@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_bfloat16_scores_and_gradients_are_near_float32(precision):
    expected = BlackBox(network("cpu"), precision="float32")
    model = BlackBox(network(DEVICE), precision=precision)
    scores, slopes = expected.gradients(images(20), lambda batch: batch, 3)
    near, roughly = model.gradients(images(20).to(DEVICE), lambda batch: batch, 3)
    spread = float(expected.logits(images(20)).abs().max())
    assert 0 < (near - scores).abs().max() < 0.02 * spread
    # The slope by a pixel jumps where a unit of the network changes sides, so pixels differ more than scores.
    assert torch.cosine_similarity(roughly.cpu().flatten(1), slopes.flatten(1)).min() > 0.9
    assert near.dtype == roughly.dtype == torch.float32


def test_bfloat16_of_the_cpu_is_that_of_the_accelerator():
    here = BlackBox(network("cpu"), precision="bfloat16").logits(images(20))
    there = BlackBox(network(DEVICE), precision="bfloat16").logits(images(20))
    torch.testing.assert_close(there, here, rtol=0, atol=0.02 * float(here.abs().max()))


class Recording(nn.Module):
    def __init__(self, capacity=10**9):
        super().__init__()
        self.head, self.capacity, self.seen = nn.Linear(3, 2), capacity, []

    def forward(self, batch):
        if len(batch) > self.capacity:
            torch.empty(1 << 50, device=batch.device)  # more than any device has
        self.seen.append((len(batch), batch.is_contiguous(memory_format=torch.channels_last)))
        return self.head(batch.mean(dim=(2, 3)))


def test_the_network_gets_channels_last_in_bfloat16_only():
    net = Recording().to(DEVICE)
    BlackBox(net).logits(images(4))
    BlackBox(net, precision="float32").logits(images(4))
    assert net.seen == [(4, True), (4, False)]


def test_the_batch_is_halved_when_the_device_is_full_and_the_size_is_remembered():
    net = Recording(capacity=10).to(DEVICE)
    expected = BlackBox(Recording()).net
    expected.load_state_dict(net.state_dict())
    scores = BlackBox(net, batch_size=32, precision="float32").logits(images(40))
    torch.testing.assert_close(scores, BlackBox(expected).logits(images(40)), rtol=1e-3, atol=1e-3)
    assert [count for count, _ in net.seen] == [8] * 5
    BlackBox(net, batch_size=32, precision="float32").logits(images(12))
    assert [count for count, _ in net.seen[5:]] == [8, 4]


def test_a_network_in_float32_on_the_device_is_left_to_torch():
    model = BlackBox(network(DEVICE), precision="float32", engine="onnx")
    for _ in range(2):
        model.logits(images(2))
    assert model.engine.name == "torch"
    assert model.engine.reason.startswith("the network is on ")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # torch's compiler uses parts it has retired
def test_a_compiled_network_answers_as_the_network_itself():
    model = BlackBox(network(DEVICE), batch_size=8)
    compiled = BlackBox(model.net, batch_size=8, engine="compiled")
    scores = model.logits(images(12))
    assert str(model.engine) == "PyTorch: it computes in bfloat16"
    assert str(compiled.engine) == "torch.compile: chosen"
    assert (compiled.logits(images(12)) - scores).abs().max() < 0.02 * scores.abs().max()
    _, slopes = model.gradients(images(12).to(DEVICE), lambda batch: batch, 0)
    _, found = compiled.gradients(images(12).to(DEVICE), lambda batch: batch, 0)
    assert torch.cosine_similarity(found.flatten(1), slopes.flatten(1)).min() > 0.9
