"""Whether the tensors of a network are those of before."""

import copy

import pytest
import torch
from torch import nn

from wcam_widget.model.condition import Condition

pytestmark = pytest.mark.filterwarnings("ignore:.*jit:DeprecationWarning")


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def stepped(net):
    optimiser = torch.optim.Adam(net.parameters())
    net(torch.rand(2, 3, 8, 8)).sum().backward()
    optimiser.step()


def swapped(net):
    net[0].weight = nn.Parameter(net[0].weight.detach().clone())


def written(net):
    with torch.no_grad():
        net[0].weight[0, 0, 0, 0] = 1.0


CHANGES = {
    "load_state_dict": lambda net: net.load_state_dict(copy.deepcopy(net.state_dict())),
    "an optimiser": stepped,
    "half": lambda net: net.half(),
    "another tensor": swapped,
    "one value": written,
    "running means": lambda net: net.train()(torch.rand(2, 3, 8, 8)),
    "a new part": lambda net: net.append(nn.Linear(4, 2)),
    "data": lambda net: setattr(net[0].weight, "data", net[0].weight.data + 1),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_seen_and_named(kind):
    net = network()
    condition = Condition.now(net)
    CHANGES[kind](net)
    assert condition.changed()
    assert condition.words().startswith("the network changed while it was explained (")


NO_CHANGES = {
    "a pass in eval mode": lambda net: net.eval()(torch.rand(2, 3, 8, 8)),
    "modes": lambda net: net.eval(),
    "gradients": lambda net: net.eval()(torch.rand(2, 3, 8, 8)).sum().backward(),
    "frozen": lambda net: net.requires_grad_(requires_grad=False),
    "a hook": lambda net: net[0].register_forward_hook(print),
}


@pytest.mark.parametrize("kind", NO_CHANGES)
def test_what_changes_no_value_is_no_change(kind):
    net = network()
    condition = Condition.now(net)
    NO_CHANGES[kind](net)
    assert condition.words() == ""


def test_networks_without_counted_tensors_have_a_condition_too():
    with torch.inference_mode():
        made = network()
    for net in (made, lambda images: images, torch.jit.freeze(torch.jit.script(network().eval()))):
        assert Condition.now(net).words() == ""
