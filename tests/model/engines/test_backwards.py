"""Passes with gradients by a fused copy: when it is made, that it gives the same, and who keeps torch."""

import copy
import threading

import pytest
import torch
from torch import nn

from tests.model.engines.ready import Net, wait
from tests.model.networks import images_of
from wcam_widget import load_model, load_photos
from wcam_widget.explain import WaveletGradient
from wcam_widget.model import BlackBox, Margin
from wcam_widget.model.engines import backwards, eligibility, operations
from wcam_widget.model.engines.backwards import SLOPE_TOLERANCE

FUSED = "PyTorch, fused"


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


def gradients(model, images, target=0):
    return model.gradients(images, lambda batch: batch, target)


def fused(net, **options):
    """A BlackBox of a network whose gradients a copy gives from the second batch on."""
    model = BlackBox(net, engine="onnx", **options)
    model.logits(images_of(2))
    gradients(model, images_of(2))
    return model


def close(found, expected):
    torch.testing.assert_close(found[0], expected[0], rtol=1e-4, atol=1e-4)
    gaps = (found[1] - expected[1]).flatten(1).norm(dim=1)
    assert (gaps <= SLOPE_TOLERANCE * expected[1].flatten(1).norm(dim=1)).all(), gaps


@pytest.mark.parametrize("target", [1, Margin(0, 2)])
def test_gradients_are_the_same_and_the_network_is_left_as_it_was(net, target):
    before = copy.deepcopy(net.state_dict())
    net.conv.weight.grad = torch.ones_like(net.conv.weight)
    model, torched = fused(net, batch_size=4), BlackBox(net, engine="torch")
    assert model.engine.gradients == FUSED, model.engine
    for count in (1, 3, 9):
        close(gradients(model, images_of(count), target), gradients(torched, images_of(count), target))
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert isinstance(net.norm, nn.BatchNorm2d)
    assert torch.equal(net.conv.weight.grad, torch.ones_like(net.conv.weight))
    assert net.head.weight.grad is None
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torched.engine.gradients == ""


def test_operations_are_counted_once_for_passes_of_both_kinds(net, monkeypatch):
    counted = []

    class Counter(operations._Counter):
        def __enter__(self):
            counted.append(self)
            return super().__enter__()

    monkeypatch.setattr(operations, "_Counter", Counter)
    monkeypatch.setattr(eligibility, "OPERATIONS", 1000)
    model = BlackBox(net, batch_size=4)
    model.logits(images_of(72))
    gradients(model, images_of(9))
    assert model.engine.gradients == FUSED
    assert len(counted) == 1
    net.conv = nn.Conv2d(3, 8, 5)
    gradients(model, images_of(9))
    assert len(counted) == 2
    wait(model)


def test_a_copy_is_made_of_a_large_network_once_enough_rows_are_known_to_come(net, monkeypatch):
    model = BlackBox(net)
    model.logits(images_of(1))
    gradients(model, images_of(3))
    assert "gradients" not in model.engine.reason
    gradients(model, images_of(9))
    assert "gradients: the network is small" in model.engine.reason
    monkeypatch.setattr(eligibility, "OPERATIONS", 1000)
    large = BlackBox(copy.deepcopy(net), batch_size=4)
    large.logits(images_of(1))
    for _ in range(2):
        gradients(large, images_of(3))
    assert large.engine.gradients == ""
    gradients(large, images_of(3))
    assert large.engine.phrase == "PyTorch; gradients by PyTorch, fused"
    assert "gradients by PyTorch, fused" in repr(large)


def test_rows_with_gradients_tell_what_ran_them_before_any_without(net):
    model = BlackBox(net, engine="onnx")
    for _ in range(2):
        gradients(model, images_of(2))
    assert model.engine.gradients == FUSED


class OwnSlope(torch.autograd.Function):
    """The identity, with a slope of its own."""

    @staticmethod
    def forward(ctx, values, factor):
        ctx.factor = factor
        return values.clone()

    @staticmethod
    def backward(ctx, slope):
        return slope * ctx.factor, None


class Differing(Net):
    """A network whose copies are known to be copies."""

    is_copy = False

    def __deepcopy__(self, memo):
        made = type(self)()
        made.load_state_dict(self.state_dict())
        made.is_copy = True
        return made


class OtherScores(Differing):
    def forward(self, images):
        return super().forward(images) + float(self.is_copy)


class OtherSlope(Differing):
    def forward(self, images):
        return OwnSlope.apply(super().forward(images), 2.0 if self.is_copy else 1.0)


class Refusing(Differing):
    def forward(self, images):
        if self.is_copy and images.requires_grad:
            raise RuntimeError("not for this one")
        return super().forward(images)


class Noisy(Net):
    def forward(self, images):
        return super().forward(images) + torch.rand(len(images), 3)


class Plain(Net):
    def forward(self, images):
        return self.head(torch.relu(self.conv(images)).mean((2, 3)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda net: net.double(), "the network computes in float64, not in float32"),
        (lambda net: net.bfloat16(), "the network computes in bfloat16, not in float32"),
        (lambda net: vars(net).update(lock=threading.Lock()) or net, "a copy of the network raised TypeErr"),
        (lambda _net: OtherScores(), "class scores of the fused copy differ by "),
        (lambda _net: OtherSlope(), "those of the fused copy differ by 1 of their length"),
        (lambda _net: Refusing(), "differentiating a row raised RuntimeError"),
        (lambda _net: Noisy(), "class scores of the fused copy differ by "),
        (lambda _net: Plain(), "no normalisation follows a convolution"),
    ],
)
def test_networks_that_keep_their_own_gradients(net, change, reason):
    kept = change(net)
    model, rows = fused(kept), images_of(3)
    assert model.engine.gradients == ""
    assert f"gradients: {reason}" in model.engine.reason
    torch.manual_seed(1)
    found = gradients(model, rows)
    torch.manual_seed(1)
    expected = gradients(BlackBox(kept, engine="torch"), rows)
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


def test_bfloat16_and_a_chosen_torch_keep_the_networks_own_gradients(net):
    for options in ({"precision": "bfloat16"}, {"engine": "torch"}):
        model = BlackBox(net, **options)
        for _ in range(2):
            gradients(model, images_of(12))
        assert model.engine.gradients == ""
        assert "gradients" not in model.engine.reason


def test_hooks_are_heard_in_passes_with_gradients(net):
    model, heard = fused(net), []
    handle = net.conv.register_full_backward_hook(lambda *_args: heard.append(1))
    gradients(model, images_of(2))
    assert heard == [1]
    handle.remove()
    gradients(model, images_of(2))
    assert heard == [1]
    assert model.engine.gradients == FUSED


def test_changed_weights_are_fused_anew(net):
    model = fused(net)
    with torch.no_grad():
        net.conv.weight.mul_(-2)
        net.norm.running_var.mul_(3)
    for _ in range(2):
        close(gradients(model, images_of(5)), gradients(BlackBox(net, engine="torch"), images_of(5)))
    assert model.engine.gradients == FUSED


def test_what_differs_only_later_is_given_up(net, monkeypatch):
    monkeypatch.setattr(backwards, "CHECKED", 8)
    model = fused(net)
    net.forward = lambda images: Net.forward(net, images) * 2  # no parameter says so
    found = gradients(model, images_of(9))
    close(found, gradients(BlackBox(net, engine="torch"), images_of(9)))
    assert "gradients: class scores of the fused copy differ by " in model.engine.reason


def test_random_numbers_are_given_back(net):
    model = BlackBox(net, engine="onnx")
    model.logits(images_of(2))
    torch.manual_seed(3)
    gradients(model, images_of(2))
    after = torch.rand(2)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(2))


def test_threads_share_a_copy(net):
    model, found = fused(net, batch_size=4), {}
    expected = gradients(BlackBox(net, engine="torch"), images_of(12))

    def work(number):
        found[number] = gradients(model, images_of(12))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in found.values():
        close(each, expected)


def test_gradients_of_photographs_are_the_same(monkeypatch):
    monkeypatch.setattr(backwards, "ROWS", 1)
    model, photos = load_model("efficientnet-lite0"), load_photos()
    images = torch.stack([model.fit(photos[name]) for name in list(photos)[:3]])
    model.logits(images[:1])
    close(gradients(model, images, 285), gradients(model.by("torch"), images, 285))
    assert model.engine.gradients == FUSED, model.engine


def test_a_map_says_what_ran_its_gradients():
    model = load_model("demo", engine="onnx")
    image, heat = model.fit(load_photos()["coffee"]), WaveletGradient(levels=1, grid=4)
    for _ in range(2):
        (found,) = heat(model, image[None])
    assert found.engine == FUSED
    (plain,) = heat(model.by("torch"), image[None])
    assert not plain.engine
    torch.testing.assert_close(found.packed(), plain.packed(), rtol=1e-3, atol=1e-4)
