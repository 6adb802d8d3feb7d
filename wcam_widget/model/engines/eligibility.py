"""Which networks something else than the network itself may run, and a copy of one to make it from."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from wcam_widget.model.condition import Version, versions_of
from wcam_widget.model.device import is_quantised, ordinary_tensors
from wcam_widget.model.engines.operations import OperationCount, most_operations

OPERATIONS = 250_000_000  # an image; below, torch takes a few milliseconds for it
_FORWARD_HOOKS = ("forward_hooks", "forward_pre_hooks")
_BACKWARD_HOOKS = ("backward_hooks", "backward_pre_hooks")
Fingerprint = tuple[dict[str, Version], list[int]]


class UnsuitableError(Exception):
    """Nothing but the network itself is to run it; the message says why, in one line."""


def suitable_copy(net: nn.Module, rows: Tensor, counted: OperationCount, *, small: bool) -> nn.Module:
    """A private copy of a network for another engine; UnsuitableError where there may or need be none.

    Args:
        net: The network, in eval mode.
        rows: Some rows of its input, (n, ...).
        counted: The operations of the network for a row of this shape, once they were counted.
        small: Whether small networks are taken, too, for which it does not pay.
    """
    reason = objection(net, rows)
    if not reason and not small:
        reason = _too_small(most_operations(net, rows[:1]))
    if reason:
        raise UnsuitableError(reason)
    try:
        copied = private_copy(net)
        count = 0 if small else counted.of(net, copied, rows[:1])
    except Exception as error:
        raise UnsuitableError(f"a copy of the network raised {type(error).__name__}") from error
    if not small and (reason := _too_small(count)):
        raise UnsuitableError(reason)
    return copied


def _too_small(count: int) -> str:
    if count >= OPERATIONS:
        return ""
    return f"the network is small: of {OPERATIONS:.1e} operations an image another engine pays"


def objection(net: nn.Module, rows: Tensor) -> str:
    """Say why only torch can run a network; empty where nothing speaks against another engine.

    >>> objection(nn.Linear(2, 2).double(), torch.zeros(1, 2))
    'the network computes in float64, not in float32'
    """
    if rows.device.type != "cpu":
        return f"the network is on {rows.device}"
    tensors = [*chain(net.parameters(), net.buffers()), rows]
    others = {each.dtype for each in tensors if each.is_floating_point()} - {torch.float32}
    if others:
        return f"the network computes in {str(others.pop()).removeprefix('torch.')}, not in float32"
    if is_quantised(net):
        return "the network is quantised"
    if any(each.is_inference() for each in tensors[:-1]):
        return "the network was made in inference mode, where changes of its weights pass unseen"
    if any("forward" in vars(module) for module in net.modules()):
        return "a forward of the network was replaced, and may belong to another network"
    return ""


def is_listened_to(net: nn.Module, *, backward: bool = False) -> bool:
    """Whether a hook waits for what a module is given or answers, which none hears but in torch.

    With ``backward``, or for the slopes on their way back.

    >>> net = nn.Linear(2, 2)
    >>> handle = net.register_forward_hook(print)
    >>> is_listened_to(net)
    True
    """
    kinds = _FORWARD_HOOKS + (_BACKWARD_HOOKS if backward else ())
    own = nn.modules.module
    return any(_hooks(own, "_global", kinds)) or any(any(_hooks(each, "", kinds)) for each in net.modules())


def _hooks(owner: Any, prefix: str, kinds: tuple[str, ...]) -> Iterator[Any]:
    for kind in kinds:
        yield getattr(owner, f"{prefix}_{kind}", None)


def fingerprint(net: nn.Module) -> Fingerprint:
    """The versions of parameters and buffers, and which modules there are; equal while nothing changed."""
    return versions_of(net), [id(module) for module in net.modules()]


def private_copy(net: nn.Module) -> nn.Module:
    """A copy in eval mode, without gradients of its parameters; raises what copying raises."""
    with ordinary_tensors():
        made = copy.deepcopy(net)
    for module in made.modules():
        # Directly, as `eval` may be overridden and do more; a frozen TorchScript module has no mode.
        if getattr(module, "training", False):
            module.training = False
    for parameter in made.parameters():
        parameter.requires_grad_(False)
    return made
