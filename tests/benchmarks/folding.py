"""A copy of a network that gives the same scores sooner: batch normalisation folded into convolutions."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

TOLERANCE = 1e-4  # of class scores, on the images it is checked on


def folded(net: nn.Module, network_input: Tensor) -> tuple[nn.Module, float]:
    """A copy with convolutions in channels-last layout and normalisation inside them, names kept.

    Returns it with the largest difference of its scores on ``network_input`` (n, c, h, w). Raises
    RuntimeError where that is above 1e-4: then figures of the copy would not be those of the network.
    """
    made = copy.deepcopy(net).eval()
    modules = dict(made.named_modules())
    for conv_name, norm_name in _pairs(made, network_input[:1]):
        joined = fuse_conv_bn_eval(modules[conv_name], modules[norm_name])
        _put(made, conv_name, joined)
        _put(made, norm_name, nn.Identity())
    made = made.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        difference = float((made(network_input) - net(network_input)).abs().max())
    if not difference <= TOLERANCE:
        raise RuntimeError(f"the folded copy differs by {difference:.2g}; accepted is {TOLERANCE:.0e}")
    return made, difference


def _pairs(net: nn.Module, network_input: Tensor) -> list[tuple[str, str]]:
    """Names of each convolution and the normalisation that is given its very output."""
    producers: list[tuple[Tensor, str]] = []  # tensors are kept, so that no other can take their place
    pairs: list[tuple[str, str]] = []

    def watch(name: str) -> torch.utils.hooks.RemovableHandle:
        def hook(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            if isinstance(module, nn.Conv2d):
                producers.append((output, name))
            else:
                pairs.extend((conv, name) for tensor, conv in producers if tensor is given[0])

        return net.get_submodule(name).register_forward_hook(hook)

    kinds = (nn.Conv2d, nn.BatchNorm2d)
    handles = [watch(name) for name, module in net.named_modules() if isinstance(module, kinds)]
    with torch.inference_mode():
        net(network_input)
    for handle in handles:
        handle.remove()
    return pairs


def _put(net: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(net.get_submodule(parent), leaf, module)
