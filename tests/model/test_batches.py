"""Batches: what fits is learned once for all who ask a network, and scores come back in few steps."""

import gc
import re
import threading

import pytest
import torch
from torch import nn

from tests.model.networks import Counting, images_of, numbered
from wcam_widget.model import BlackBox, ModelError, batches
from wcam_widget.model.batches import NETWORKS, Load, ScoreBuffer


class Hungry(nn.Module):
    """Runs out of memory where images times pixels, twice as many with gradients, pass `capacity`."""

    def __init__(self, capacity):
        super().__init__()
        self.head, self.capacity, self.batches = nn.Linear(3, 2), capacity, []

    def forward(self, images):
        needed = images[:, 0].numel() * (2 if torch.is_grad_enabled() else 1)
        self.batches.append(len(images) if needed <= self.capacity else -len(images))
        if needed > self.capacity:
            raise MemoryError
        return self.head(images.mean(dim=(2, 3)))


def squares(count, side):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(count))


def test_what_fits_is_learned_once_for_each_shape_and_direction_by_all_around_a_network():
    net = Hungry(capacity=16 * 16)
    BlackBox(net, batch_size=32).logits(squares(40, 4))
    assert net.batches == [-32, 16, 16, 8]
    net.batches.clear()
    BlackBox(net, batch_size=32).logits(squares(40, 4))  # another BlackBox: learned already
    assert net.batches == [16, 16, 8]
    net.batches.clear()
    BlackBox(net, batch_size=32).gradients(squares(20, 4), lambda batch: batch, 0)  # backward holds more
    assert net.batches == [-20, -10, 5, 5, 5, 5]  # 20 and 10 were tried, as 20 is all there were
    net.batches.clear()
    BlackBox(net, batch_size=32).logits(squares(40, 8))  # larger images
    assert net.batches == [-32, -16, -8, 4] + [4] * 9
    net.batches.clear()
    model = BlackBox(net, batch_size=32)
    for side, fitting in ((4, 16), (8, 4), (4, 16)):  # by turns, and nothing is tried in vain
        model.logits(squares(20, side))
        assert min(net.batches) > 0
        assert max(net.batches) == fitting
        net.batches.clear()
    BlackBox(Hungry(capacity=16 * 16), batch_size=64).logits(squares(1, 4))
    assert net.batches == []


def test_a_smaller_batch_size_asked_for_is_kept_to():
    net = Hungry(capacity=16 * 16)
    BlackBox(net, batch_size=32).logits(squares(40, 4))
    net.batches.clear()
    BlackBox(net, batch_size=3).logits(squares(7, 4))
    assert net.batches == [3, 3, 1]


def test_preprocessing_decides_what_the_network_is_given_and_so_what_fits():
    net = Hungry(capacity=16 * 16)
    BlackBox(net, lambda images: images[:, :, ::2, ::2], batch_size=32).logits(squares(40, 8))
    assert net.batches == [-32, 16, 16, 8]
    assert list(NETWORKS.state(net).largest) == [Load((3, 4, 4), reduced=False, backward=False)]
    assert list(NETWORKS.state(net).largest.values()) == [16]


def test_memory_that_ran_out_while_images_were_made_is_no_lesson_about_other_images():
    net = Hungry(capacity=10**6)
    model = BlackBox(net, batch_size=32)
    model.logits(squares(32, 4))
    net.batches.clear()

    def make(start, stop):
        if stop - start > 5:
            raise MemoryError
        return squares(stop - start, 32)

    model.logits_of(make, 9)
    assert net.batches == [4, 4, 1]
    net.batches.clear()
    model.logits(squares(40, 4))
    assert net.batches == [4, 32, 4]  # it begins as with the images before, and goes on with its own


def test_a_network_that_is_gone_is_forgotten():
    net = Hungry(capacity=16 * 16)
    key = id(net)
    BlackBox(net, batch_size=32).logits(squares(40, 4))
    assert batches.NETWORKS._states[key].largest
    del net
    gc.collect()
    assert key not in batches.NETWORKS._states


def test_networks_that_are_equal_or_cannot_be_hashed_or_referred_to_learn_apart():
    class Same:
        def __init__(self, capacity):
            self.capacity, self.batches = capacity, []

        def __eq__(self, other):
            return True

        __hash__ = None

        __call__ = Hungry.forward
        head = staticmethod(lambda means: means)

    first, second = Same(capacity=16 * 16), Same(capacity=10**6)
    BlackBox(first, batch_size=32).logits(squares(40, 4))
    BlackBox(second, batch_size=32).logits(squares(40, 4))
    assert first.batches[-1] == 8
    assert second.batches == [32, 8]

    class Slotted:
        __slots__ = ()

        def __call__(self, images):
            return images.mean(dim=(2, 3))

    slotted = Slotted()
    assert NETWORKS.state(slotted) is not NETWORKS.state(slotted)
    assert BlackBox(slotted).logits(squares(2, 4)).shape == (2, 3)


def test_blackboxes_around_one_network_take_turns():
    inside, most = [], []

    class Slow(nn.Module):
        def forward(self, images):
            inside.append(1)
            most.append(len(inside))
            threading.Event().wait(0.001)
            inside.pop()
            return images.mean(dim=(2, 3))

    net = Slow()
    threads = [
        threading.Thread(target=BlackBox(net, batch_size=2).logits, args=(squares(10, 2),)) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (max(most), len(most)) == (1, 10)


@pytest.mark.parametrize("held", [0, 100, 10**9])
def test_scores_that_wait_on_their_device_come_back_in_order(held, monkeypatch):
    brought = []
    original = batches.ensure_finite
    monkeypatch.setitem(batches.HELD, "cpu", held)
    monkeypatch.setattr(
        batches, "ensure_finite", lambda scores, first: (brought.append(len(scores)), original(scores, first))
    )
    model = BlackBox(lambda images: images.flatten(1)[:, :2], batch_size=4)
    assert model.logits_of(numbered, 30)[:, 0].tolist() == list(range(30))
    assert brought == {0: [4] * 7 + [2], 100: [16, 14], 10**9: [30]}[held]


def test_what_waited_is_checked_all_the_same_and_says_which_images(monkeypatch):
    monkeypatch.setitem(batches.HELD, "cpu", 10**9)

    def net(images):
        number = images.mean(dim=(2, 3))
        return torch.where(number == 7, torch.nan, number)

    message = "net: returned NaN scores for 1 of 9 images of a batch (images 7)"
    with pytest.raises(ModelError, match=re.escape(message)):
        BlackBox(net, batch_size=2).logits_of(numbered, 9)


def test_a_batch_done_again_replaces_what_was_put_in():
    buffer = ScoreBuffer(3)
    batches_of = torch.arange(3.0)[:, None]
    buffer._waiting[0] = batches_of  # what a put that ran out of memory leaves behind
    buffer.put(0, batches_of[:2])
    buffer.put(2, batches_of[2:])
    assert buffer.finish().flatten().tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(ValueError, match="no scores were put in"):
        ScoreBuffer(1).finish()


def test_a_network_out_of_memory_in_the_backward_pass_teaches_only_that():
    net = Counting()
    model = BlackBox(net, batch_size=8)

    class Refusing(torch.autograd.Function):
        @staticmethod
        def forward(ctx, images):
            return images.clone()

        @staticmethod
        def backward(ctx, slope):
            if len(slope) > 3:
                raise MemoryError
            return slope

    model.gradients(images_of(8), Refusing.apply, 0)
    assert net.batches == [8, 4, 2, 2, 2, 2]
    net.batches.clear()
    model.logits(images_of(8))
    assert net.batches == [8]
