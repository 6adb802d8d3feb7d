"""Modes of a network: eval while it is asked, and everyone's own word kept."""

import sys

import pytest
import torch
from torch import nn

from wcam_widget.model import BlackBox, modes
from wcam_widget.model.modes import eval_mode


def network():
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(12, 3), nn.BatchNorm1d(3))


def flags(net):
    return [module.training for module in net.modules()]


class Lines:
    """Raises KeyboardInterrupt at the k-th line that a module of ours runs."""

    def __init__(self, at):
        self.at, self.count = at, 0

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename != modes.__file__:
            return None
        if event == "line":
            self.count += 1
            if self.count == self.at:
                raise KeyboardInterrupt
        return self


def test_an_interrupt_at_any_line_leaves_the_modes_as_they_were():
    net = network()
    net[1].eval()
    before, interrupted = flags(net), 0
    train = nn.Module.train
    for at in range(1, 400):
        lines = Lines(at)
        known = sys.gettrace()
        sys.settrace(lines)
        try:
            with eval_mode(net):
                assert not any(flags(net))
        except KeyboardInterrupt:
            interrupted += 1
        finally:
            sys.settrace(known)
        assert flags(net) == before, f"line {at}"
        if lines.count < at:
            break
    assert interrupted > 20
    with eval_mode(net):
        pass
    assert nn.Module.train is train


class Stubborn(nn.Linear):
    """Raises when its mode is set, the first time."""

    raises = False

    def __setattr__(self, name, value):
        if name == "training" and type(self).raises:
            type(self).raises = False
            raise KeyboardInterrupt
        super().__setattr__(name, value)


@pytest.mark.parametrize("place", range(4))
def test_an_interrupt_while_modes_are_set_leaves_them_as_they_were(place):
    layers = [nn.Linear(3, 3) for _ in range(4)]
    layers[place] = Stubborn(3, 3)
    net = nn.Sequential(*layers)
    Stubborn.raises = True
    with pytest.raises(KeyboardInterrupt):
        BlackBox(net, preprocess=lambda images: images.mean((2, 3))).logits(torch.rand(2, 3, 4, 4))
    assert all(flags(net))


class Meddled(nn.Module):
    """While it runs, somebody else changes its modes."""

    def __init__(self, meddle):
        super().__init__()
        self.inner, self.meddle = network(), meddle

    def forward(self, images):
        assert not any(flags(self))
        answer = self.inner(images)
        if self.meddle is not None:
            self.meddle(self)
            self.meddle = None
        return answer


MEDDLING = {
    "eval of all": (lambda net: net.eval(), [False] * 6),
    "eval of a part": (lambda net: net.inner[1].eval(), [True, True, True, False, True, True]),
    "train of all": (lambda net: net.train(), [True] * 6),
    "train(False)": (lambda net: net.train(mode=False), [False] * 6),
    "nobody": (None, [True] * 6),
}


@pytest.mark.parametrize("kind", MEDDLING)
def test_modes_that_others_set_during_a_batch_stay(kind):
    meddle, expected = MEDDLING[kind]
    net, train = Meddled(meddle).train(), nn.Module.train
    model = BlackBox(net)
    model.logits(torch.rand(2, 3, 2, 2))
    assert flags(net) == expected
    model.logits(torch.rand(2, 3, 2, 2))
    assert flags(net) == expected
    assert nn.Module.train is train


def test_train_of_a_network_in_eval_mode_stays():
    net = Meddled(lambda net: net.train()).eval()
    BlackBox(net).logits(torch.rand(2, 3, 2, 2))
    assert all(flags(net))
