"""`BlackBox`: batches, modes, devices, precision, and the user's network left as it was found."""

import re
import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

from wcam_widget.model import BlackBox, Custom, Logit, ModelError, Probability


class Counting(nn.Module):
    """A network with dropout and batch norm that counts images and runs out of memory above `capacity`."""

    def __init__(self, capacity=10**9, error=None):
        super().__init__()
        torch.manual_seed(0)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(3, 4)
        self.capacity, self.error, self.batches = capacity, error or MemoryError(), []

    def forward(self, images):
        if len(images) > self.capacity:
            raise self.error
        self.batches.append(len(images))
        return self.head(self.drop(self.norm(images).square().mean(dim=(2, 3))))


def images_of(count, seed=0):
    return torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(seed))


def rowwise(count):
    """Images whose mean is their own number, and the make function that makes them."""
    return lambda start, stop: torch.arange(start, stop).float().reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)


# --- batches


@given(n=st.integers(1, 40), batch_size=st.integers(1, 16), capacity=st.integers(1, 16))
def test_every_row_is_scored_once_whatever_fits(n, batch_size, capacity):
    done = []

    def net(images):
        if len(images) > capacity:
            raise MemoryError
        done.extend(images[:, 0, 0, 0].int().tolist())
        return images.mean(dim=(2, 3))

    model = BlackBox(net, batch_size=batch_size)
    scores = model.logits_of(rowwise(n), n)
    assert done == list(range(n))
    assert scores.flatten().tolist() == [float(row) for row in range(n)]
    assert model.batch_size <= max(capacity, 1) or model.batch_size == batch_size


OUT_OF_MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_the_batch_is_halved_on_out_of_memory_and_the_size_is_remembered(error):
    net = Counting(capacity=10, error=error)
    model = BlackBox(net)
    reference = BlackBox(Counting()).logits(images_of(50))
    torch.testing.assert_close(model.logits(images_of(50)), reference)
    assert model.batch_size == 8
    assert net.batches == [8] * 6 + [2]
    model.logits(images_of(8))
    assert net.batches[7:] == [8]


def test_out_of_memory_while_images_are_made_halves_too():
    asked = []

    def make(start, stop):
        asked.append(stop - start)
        if stop - start > 3:
            raise MemoryError
        return rowwise(10)(start, stop)

    scores = BlackBox(lambda images: images.mean(dim=(2, 3)), batch_size=8).logits_of(make, 10)
    assert scores.flatten().tolist() == list(range(10))
    assert asked == [8, 4, 2, 2, 2, 2, 2]


def test_a_single_image_that_does_not_fit_is_a_clear_error():
    with pytest.raises(MemoryError, match="net: out of memory on cpu with a single image; free memory"):
        BlackBox(Counting(capacity=0)).logits(images_of(3))


def test_an_error_in_a_later_batch_is_not_taken_for_memory():
    calls = []

    def net(images):
        calls.append(len(images))
        if len(calls) == 2:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        return images.mean(dim=(2, 3))

    with pytest.raises(ModelError, match="mat1 and mat2"):
        BlackBox(net, batch_size=4).logits(images_of(9))
    assert calls == [4, 4]


# --- the network is left as it was found


def training_flags(net):
    return {name: module.training for name, module in net.named_modules()}


@pytest.mark.parametrize("raises", [False, True])
def test_modes_and_statistics_are_put_back_each_submodule_its_own(raises):
    net = Counting(capacity=0 if raises else 99, error=ValueError("broken"))
    net.train()
    net.norm.eval()
    flags, statistics = training_flags(net), net.norm.running_mean.clone()
    if raises:
        with pytest.raises(ModelError):
            BlackBox(net).logits(images_of(4))
    else:
        first, second = (BlackBox(net).logits(images_of(4)) for _ in range(2))
        assert torch.equal(first, second)  # no dropout
    assert training_flags(net) == flags
    assert net.training
    assert not net.norm.training
    assert torch.equal(net.norm.running_mean, statistics)


def test_a_network_in_train_mode_scores_as_in_eval_mode():
    net = Counting()
    expected = BlackBox(net.eval()).logits(images_of(4))
    assert torch.equal(BlackBox(net.train()).logits(images_of(4)), expected)


def test_an_overridden_train_method_is_never_called():
    class Stubborn(Counting):
        def train(self, mode=True):
            if mode != self.training:
                raise AssertionError("train() was called")
            return self

    net = Stubborn()
    BlackBox(net).logits(images_of(2))
    assert net.training


def test_gradients_leave_parameters_hooks_and_modes_alone():
    net = Counting()
    net.head.weight.requires_grad_(False)
    net.head.bias.grad = torch.full((4,), 7.0)
    BlackBox(net).gradients(images_of(5), lambda batch: batch, 2)
    assert [parameter.grad is None for parameter in net.parameters()] == [True, True, True, False]
    assert net.head.bias.grad.tolist() == [7.0] * 4
    assert not net.head.weight.requires_grad
    assert net.head.bias.requires_grad
    assert all(not module._forward_hooks and not module._backward_hooks for module in net.modules())
    assert net.training


def test_scores_are_ordinary_tensors_and_grad_mode_is_kept():
    net = Counting()
    scores = BlackBox(net).logits(images_of(3))
    assert not scores.is_inference()
    assert not scores.requires_grad
    assert torch.is_grad_enabled()
    with torch.inference_mode():
        assert BlackBox(net).logits(images_of(3)).shape == (3, 4)
        assert BlackBox(net).gradients(images_of(3), lambda batch: batch, 0)[1].shape == (3, 3, 6, 6)


def test_threads_share_one_model_one_batch_at_a_time():
    inside, most = [], []

    def net(images):
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.001)
        inside.pop()
        return images.mean(dim=(2, 3))

    model, answers = BlackBox(net, batch_size=2), {}

    def ask(number):
        answers[number] = model.logits(torch.full((10, 1, 2, 2), float(number)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert all(torch.equal(answers[number], torch.full((10, 1), float(number))) for number in range(4))


# --- gradients


def test_gradients_are_those_of_finite_differences_whatever_the_batch():
    net = Counting().double().eval()
    rows = torch.rand(7, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    pattern = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(4), dtype=torch.float64)

    def make(weights):
        return torch.einsum("nd,dchw->nchw", weights, pattern)

    scores, slopes = BlackBox(net, batch_size=3).gradients(rows, make, Logit(1))
    step = 1e-5
    for column in range(2):
        moved = rows.clone()
        moved[:, column] += step
        difference = (net(make(moved))[:, 1] - net(make(rows))[:, 1]) / step
        torch.testing.assert_close(slopes[:, column], difference, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(scores, net(make(rows))[:, 1].detach().float())


def test_gradients_halve_on_out_of_memory_and_keep_finished_rows():
    net = Counting(capacity=5)
    model = BlackBox(net, batch_size=16)
    _, slopes = model.gradients(images_of(13), lambda batch: batch, 0)
    _, whole = BlackBox(Counting()).gradients(images_of(13), lambda batch: batch, 0)
    torch.testing.assert_close(slopes, whole)
    assert net.batches == [4, 4, 4, 1] or net.batches == [3] * 4 + [1]
    assert sum(net.batches) == 13


class Cut(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.how, self.head = how, nn.Linear(3, 2)

    def forward(self, images):
        means = images.mean(dim=(2, 3))
        if self.how == "detached":
            return self.head(means.detach())
        if self.how == "numpy":
            return torch.from_numpy(means.detach().numpy())
        return self.head(torch.sqrt(means * 0))  # an infinite slope


@pytest.mark.parametrize(
    ("model", "target", "message"),
    [
        (BlackBox(lambda images: images.mean(dim=(2, 3))), 0, "net: a plain callable has no gradients"),
        (BlackBox(Cut("detached")), 0, "net: its scores have no gradient path to the images"),
        (BlackBox(Cut("numpy")), 0, "net: its scores have no gradient path to the images"),
        (BlackBox(Cut("root")), 0, "net: the gradient is NaN or infinite for 2 of 2 images"),
        (
            BlackBox(Counting()),
            Custom(lambda scores: scores[:, 0].detach(), "cut"),
            "target: its value has no gradient",
        ),
    ],
)
def test_missing_gradients_say_what_cuts_them_and_what_to_use_instead(model, target, message):
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        model.gradients(images_of(2), lambda batch: batch, target)
    assert "Sobol needs no gradients" in str(caught.value)


# --- what goes in and what comes out


def test_preprocess_sees_unit_images_and_its_result_reaches_the_network():
    seen = []

    def preprocess(images):
        seen.append((images.dtype, float(images.max())))
        return (images - 0.5) / 0.25

    model = BlackBox(lambda images: images.mean(dim=(2, 3)), preprocess)
    assert torch.equal(model.logits(torch.ones(1, 3, 2, 2)), torch.full((1, 3), 2.0))
    assert seen == [(torch.float32, 1.0)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_network_of_another_precision_gets_its_own_dtype(dtype):
    net = Counting().to(dtype).eval()
    expected = net(images_of(2).to(dtype)).float().detach()
    assert torch.equal(BlackBox(net).logits(images_of(2)), expected)


def test_a_surrounding_autocast_changes_nothing_on_the_cpu():
    model = BlackBox(Counting())
    expected = model.logits(images_of(2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model.logits(images_of(2)), expected)


def test_scores_and_class_names():
    model = BlackBox(Counting(), class_names=["a", "b", "c", "d"])
    logits = model.logits(images_of(3))
    assert torch.equal(model.scores(images_of(3), "c"), logits[:, 2])
    assert torch.equal(model.scores(images_of(3), Probability("b")), logits.softmax(dim=1)[:, 1])
    assert BlackBox(lambda batch: np.ones((len(batch), 2))).scores(images_of(3), 1).tolist() == [1.0] * 3


def test_a_network_that_raises_is_reported_with_what_it_was_given():
    model = BlackBox(nn.Linear(5, 2), preprocess=lambda images: images * 2 - 1)
    with pytest.raises(ModelError, match=r"net: raised RuntimeError: mat1 and mat2") as caught:
        model.logits(torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2).expand(4, 1, 3, 2))
    assert "It was given a batch of shape (4, 1, 3, 2), torch.float32, values in [-1, 1], on cpu." in str(
        caught.value
    )
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(ModelError, match="preprocess: raised KeyError: 'mean'"):
        BlackBox(nn.Flatten(), preprocess=lambda images: {}["mean"]).logits(images_of(1))


def test_an_interrupt_is_passed_on_and_modes_are_put_back():
    net = Counting(capacity=0, error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        BlackBox(net).logits(images_of(1))
    assert net.training


BAD_ARGUMENTS = {
    "net": ({"net": "resnet50"}, TypeError, "net: found str; accepted are a torch module and a callable"),
    "batch size": ({"batch_size": 0}, ValueError, "batch_size: found 0"),
    "precision": (
        {"precision": "bf16"},
        ValueError,
        "precision: found 'bf16'; accepted are 'auto' and 'float32'",
    ),
    "one name": ({"class_names": "cat"}, TypeError, "class_names: found 'cat'"),
    "numbers": ({"class_names": [0, 1]}, TypeError, "class_names: found [0, 1]"),
    "no names": ({"class_names": []}, ValueError, "class_names: found no names"),
    "other device": ({"device": "meta"}, ValueError, "device: found 'meta', but net is on 'cpu'"),
    "no device": ({"device": "abacus"}, ValueError, "device: 'abacus' cannot be used here"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments(case):
    arguments, error, message = BAD_ARGUMENTS[case]
    with pytest.raises(error, match=re.escape(message)):
        BlackBox(**({"net": nn.Linear(2, 2)} | arguments))


def test_bad_images_and_names_of_another_count():
    model = BlackBox(Counting(), class_names=["a", "b"])
    with pytest.raises(ValueError, match="class_names: found 2 names, but net gives 4 scores"):
        model.logits(images_of(1))
    for images in (torch.rand(3, 6, 6), torch.rand(0, 3, 6, 6), torch.zeros(1, 3, 6, 6, dtype=torch.uint8)):
        with pytest.raises(
            ValueError, match=re.escape(f"images: found {images.dtype} {tuple(images.shape)}")
        ):
            model.logits(images)
    with pytest.raises(ValueError, match="n: found 0"):
        model.logits_of(rowwise(0), 0)


# --- real architectures, random weights

ARCHITECTURES = {
    "ResNet": lambda: ResNetForImageClassification(
        ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=5)
    ),
    "ViT": lambda: ViTForImageClassification(
        ViTConfig(
            image_size=32,
            patch_size=8,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_labels=5,
        )
    ),
    "ConvNeXt": lambda: ConvNextForImageClassification(
        ConvNextConfig(hidden_sizes=[8, 16, 16, 16], depths=[1, 1, 1, 1], num_labels=5)
    ),
    "Swin": lambda: SwinForImageClassification(
        SwinConfig(
            image_size=32,
            patch_size=2,
            embed_dim=8,
            depths=[1, 1],
            num_heads=[1, 2],
            window_size=4,
            num_labels=5,
        )
    ),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures_of_transformers_are_scored_and_differentiated_in_any_batching(name):
    torch.manual_seed(0)
    net = ARCHITECTURES[name]().train()
    images = torch.rand(5, 3, 32, 32)
    with torch.inference_mode():
        expected = net.eval()(images).logits
    net.train()
    model = BlackBox(net, batch_size=2)
    torch.testing.assert_close(model.logits(images), expected.clone(), rtol=1e-4, atol=1e-5)
    scores, slopes = model.gradients(images, lambda batch: batch, 3)
    torch.testing.assert_close(scores, expected[:, 3].clone(), rtol=1e-4, atol=1e-5)
    assert bool((slopes.abs().flatten(1).amax(dim=1) > 0).all())
    assert net.training


@pytest.mark.gpu
def test_on_cuda_bfloat16_is_near_float32_and_the_result_is_on_the_cpu():
    net = Counting().to("cuda").eval()
    exact = BlackBox(net, precision="float32").logits(images_of(300))
    fast = BlackBox(net).logits(images_of(300))
    assert exact.device.type == "cpu"
    torch.testing.assert_close(
        exact, BlackBox(Counting().eval()).logits(images_of(300)), rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(fast, exact, rtol=0.05, atol=0.02)
    assert float((fast - exact).abs().max()) > 0
