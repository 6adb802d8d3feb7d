"""A network in torch that is faster: batch normalisation fused into convolutions, channels last."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from wcam_widget.model.device import autocast, ordinary_tensors
from wcam_widget.model.engines.scores import ClassScores
from wcam_widget.model.outputs import Choice


def fused(net: nn.Module, choice: Choice | None, rows: Float[Tensor, "n ..."]) -> Callable[[Tensor], Tensor]:
    """Fuse the normalisation of ``net``, a private copy, which is changed; names of its modules stay.

    What is given is differentiable by its rows, as ``net`` is.

    Raises:
        ValueError: Where no convolution is followed by a normalisation.
    """
    if not join(net, rows[:1]):
        raise ValueError("no normalisation follows a convolution")
    scores = ClassScores(net, choice)

    def forward(batch: Tensor) -> Tensor:
        if batch.ndim == 4:
            batch = batch.contiguous(memory_format=torch.channels_last)
        with autocast(batch.device, reduced=False):
            logits: Tensor = scores(batch)
        return logits

    return forward


def join(net: nn.Module, row: Float[Tensor, "1 ..."]) -> int:
    """Fuse normalisations of ``net``, which is changed, into convolutions, channels last; return how many."""
    pairs, modules = _pairs(net, row), dict(net.named_modules())
    for convolution, normalisation in pairs:
        with ordinary_tensors():
            joined = fuse_conv_bn_eval(modules[convolution], modules[normalisation])
        net.set_submodule(convolution, joined.requires_grad_(False))
        net.set_submodule(normalisation, nn.Identity())
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return len(pairs)


def _pairs(net: nn.Module, row: Tensor) -> list[tuple[str, str]]:
    """Names of each convolution and of the normalisation that is given its very output."""
    made: list[tuple[Tensor, str]] = []  # tensors are kept, so that no other can take their place
    pairs: list[tuple[str, str]] = []

    def watch(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def hook(_module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            if isinstance(module, nn.Conv2d):
                made.append((output, name))
            else:
                pairs.extend((convolution, name) for tensor, convolution in made if tensor is given[0])

        return module.register_forward_hook(hook)

    kinds = (nn.Conv2d, nn.BatchNorm2d)
    handles = [watch(name, module) for name, module in net.named_modules() if isinstance(module, kinds)]
    with ordinary_tensors():
        net(row)
    for handle in handles:
        handle.remove()
    once = [name for pair in pairs for name in pair]
    return [pair for pair in pairs if once.count(pair[0]) == once.count(pair[1]) == 1]
