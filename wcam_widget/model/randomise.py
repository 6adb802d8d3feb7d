"""Copies of a network in which layers have forgotten what they learned."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from wcam_widget.model.batches import NETWORKS
from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.module_outputs import looked_into
from wcam_widget.model.outputs import ModelError

ORDERS = ("cascading", "independent")
STATISTICS = {"running_mean": 0, "running_var": 1, "num_batches_tracked": 0}  # as normalisations begin
SHOWN = 20  # layers named in an error


@final
@dataclass(frozen=True)
class Randomisation:
    """Which layers of a network are randomised, and in which order.

    order: "cascading" randomises one layer after another and keeps those before randomised; "independent"
    each by itself. layers: names of modules, all that is inside of one counts as one layer; None for every
    module with parameters or running statistics of its own, the last registered first, which is from output
    to input where modules are registered in the order they run. seed: of the new values, at least 0; a module
    gets the same ones in every order and on every device. Raises ValueError or TypeError naming what does not
    fit.

    >>> Randomisation(layers=("fc", "layer4.2")).order
    'cascading'
    """

    order: str = "cascading"
    layers: Sequence[str] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"order: found {self.order!r}; accepted are {' and '.join(ORDERS)}")
        if int(self.seed) != self.seed or self.seed < 0:
            raise ValueError(f"seed: found {self.seed!r}; accepted is an integer of at least 0")
        if self.layers is None:
            return
        if isinstance(self.layers, str) or not all(isinstance(name, str) for name in self.layers):
            raise TypeError(f"layers: found {self.layers!r:.80}; accepted are None and a sequence of names")
        if not self.layers:
            raise ValueError("layers: found none; name at least one, or give None for all")

    def names(self, model: BlackBox) -> tuple[str, ...]:
        """The layers of one network; ValueError naming ``layers[i]`` for one that it does not have."""
        net = looked_into(model)
        known = learned_layers(net)
        if self.layers is None:
            if not known:
                raise ModelError("net: has neither parameters nor running statistics to randomise")
            return known
        for number, name in enumerate(self.layers):
            if not any(_inside(each, name) for each in known):
                raise ValueError(f"layers[{number}]: {_refusal(name, net, known)}")
        return tuple(self.layers)

    def copies(self, model: BlackBox) -> Iterator[tuple[str, BlackBox]]:
        """The names of layers, and a copy of the network with each randomised, and those before if cascading.

        One copy is held at a time, and changed for the next. The network itself is only read.
        Raises ModelError where it cannot be copied.
        """
        made = None
        for name in self.names(model):
            if made is None or self.order == "independent":
                made = replica(model)
            for place, (inner, module) in enumerate(looked_into(made).named_modules()):
                if _inside(inner, name) and _learned(module):
                    # A seed for each module: layers of one shape must not get the same values.
                    state = np.random.SeedSequence((self.seed, place)).generate_state(1)
                    _forget(inner, module, int(state[0]))
            yield name, made


def learned_layers(net: nn.Module) -> tuple[str, ...]:
    """The modules with parameters or running statistics of their own, the last registered first.

    >>> learned_layers(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Linear(4, 2)))
    ('3', '2', '0')
    """
    return tuple(name for name, module in reversed(list(net.named_modules())) if _learned(module))


def replica(model: BlackBox) -> BlackBox:
    """The same black box around a copy of its network; ModelError where no copy can be made."""
    net = looked_into(model)
    try:
        with NETWORKS.state(net).lock:  # not while another thread has hooks on it
            copied = copy.deepcopy(net)
    except Exception as error:
        raise ModelError(
            f"net: no copy of it can be made, and your own network is never randomised: "
            f"copy.deepcopy raised {type(error).__name__}: {error}"
        ) from error
    return model.around(copied)


def _forget(name: str, module: nn.Module, seed: int) -> None:
    """Give a module new parameters and the running statistics of a new one.

    ``reset_parameters`` draws them where the module has it; the values of each parameter are shuffled where
    it has not. Drawn on the CPU, so that all devices get the same, by random numbers of their own.
    """
    own = dict(module.named_parameters(recurse=False))
    with torch.random.fork_rng(devices=()), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        drawn = _reset(name, module) if own and hasattr(module, "reset_parameters") else {}
        for key, parameter in own.items():
            values = drawn.get(key)
            if values is None:
                order = torch.randperm(parameter.numel()).to(parameter.device)
                values = parameter.flatten()[order].view_as(parameter)
            parameter.copy_(values)
        for key, buffer in module.named_buffers(recurse=False):
            if key in STATISTICS:
                buffer.fill_(STATISTICS[key])


def _reset(name: str, module: nn.Module) -> dict[str, Tensor]:
    """The parameters that a module's own ``reset_parameters`` draws on the CPU."""
    fresh: Any = copy.deepcopy(module).cpu()
    try:
        fresh.reset_parameters()
    except Exception as error:
        raise ModelError(
            f"net: reset_parameters of {name!r} raised {type(error).__name__}: {error}; "
            "leave that layer out by naming the others in layers"
        ) from error
    return dict(fresh.named_parameters(recurse=False))


def _learned(module: nn.Module) -> bool:
    kept = dict(module.named_buffers(recurse=False))
    return bool(list(module.parameters(recurse=False))) or any(key in STATISTICS for key in kept)


def _inside(inner: str, outer: str) -> bool:
    return inner == outer or not outer or inner.startswith(f"{outer}.")


def _refusal(name: str, net: nn.Module, known: Sequence[str]) -> str:
    """Why a name is refused, and which would do."""
    names = [each for each, _ in net.named_modules()]
    shown = ", ".join(known[:SHOWN]) + (", …" if len(known) > SHOWN else "")
    if name in names:
        return f"{name!r} has learned nothing that could be randomised; accepted are {shown}"
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    return f"{name!r} is no module of net{hint}; accepted are {shown} and the modules around them"
