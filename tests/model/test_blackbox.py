"""`BlackBox`: batches that fit, what goes in and what comes out."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.model.networks import Counting, images_of, numbered
from wcam_widget.model import BlackBox, ModelError, Probability


@given(n=st.integers(1, 40), batch_size=st.integers(1, 16), capacity=st.integers(1, 16))
def test_every_row_is_scored_once_whatever_fits(n, batch_size, capacity):
    done = []

    def net(images):
        if len(images) > capacity:
            raise MemoryError
        done.extend(images[:, 0, 0, 0].int().tolist())
        return images.mean(dim=(2, 3))

    model = BlackBox(net, batch_size=batch_size)
    scores = model.logits_of(numbered, n)
    assert done == list(range(n))
    assert scores.flatten().tolist() == [float(row) for row in range(n)]
    assert model.batch_size == batch_size


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
    assert net.batches == [8] * 6 + [2]
    model.logits(images_of(20))
    assert net.batches[7:] == [8, 8, 4]


def test_out_of_memory_while_images_are_made_halves_too():
    asked = []

    def make(start, stop):
        asked.append(stop - start)
        if stop - start > 3:
            raise MemoryError
        return numbered(start, stop)

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
    with pytest.raises(ModelError, match="preprocess: returned list; accepted is a tensor"):
        BlackBox(nn.Flatten(), preprocess=list).logits(images_of(1))
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
        "precision: found 'bf16'; accepted are auto, float32, bfloat16",
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
        model.logits_of(numbered, 0)
