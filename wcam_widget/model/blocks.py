"""The blocks of a network: one layer for every resolution it works at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.layers import last_stage, layers_of
from wcam_widget.model.layout import Size
from wcam_widget.model.module_outputs import Answer, answered
from wcam_widget.model.positions import Layer, followed

SAME = 1.4  # sides that differ by less are of one block: convolutions without padding take off a little


def block_layers(model: BlackBox, image: Float[Tensor, "c h w"]) -> list[Layer]:
    """The last layer of every block, shallow to deep, from one pass of one image.

    A block is all that answers at about one resolution. What belongs to a step down from it, such as the
    first convolution of a bottleneck that halves its input, is not counted: of the modules that shrink what
    they are given, and what is in none of them, the one with most of the block's parametrised layers holds
    the block. Its layer is the last that answers with one tensor on which the top score depends; pooling is
    passed over, and of tokens the last normalisation is taken. A resolution at which nothing is learned, as
    after a last pooling, is no block. After Sattarzadeh et al. (2021), who take the inputs of pooling.

    Raises ModelError for a plain callable, ValueError naming ``layers`` where there is no block.

    >>> from torch import nn
    >>> import torch
    >>> steps = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1)
    >>> net = nn.Sequential(*steps, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> [str(layer) for layer in block_layers(BlackBox(net), torch.rand(3, 16, 16))]
    ['1 (16x16)', '4 (8x8)']
    """
    maps = [
        (each, each.layout.grid) for each in answered(model, image, backward=True) if each.layout is not None
    ]
    number = _numbered({grid for each, at in maps for grid in (at, each.entered) if grid is not None})
    # Modules that answer with a coarser map than they are given, and the block that they step down from.
    steps = {
        each.seen.name: number[each.entered]
        for each, at in maps
        if each.entered is not None and number[each.entered] < number[at]
    }
    blind = not any(
        each.matters for each, _ in maps
    )  # a score that depends on no layer has blocks all the same
    layers = []
    for block in sorted(set(number.values())):
        homes: dict[str, list[Answer]] = {}
        for each, at in maps:
            if (each.matters or blind) and number[at] == block:
                homes.setdefault(_home(each.seen.name, block, steps), []).append(each)
        home = max(homes.values(), key=_learned, default=[])
        stages = [each for each in home if each.may_stage]
        if stages and _learned(home):
            layers.append(last_stage(layers_of(stages)))
    layers = followed(model, layers, image)
    if not layers:
        raise ValueError(
            "layers: 'auto' finds no layer that answers with a map over the image whose "
            "positions follow it; Wcam needs none"
        )
    return layers


def _numbered(grids: Iterable[Size]) -> dict[Size, int]:
    """The block of every grid, from fine to coarse."""
    number: dict[Size, int] = {}
    largest, block = (0, 0), -1
    for grid in sorted(grids, reverse=True):
        smaller = any(most > SAME * side for most, side in zip(largest, grid, strict=True))
        if smaller or not number:
            largest, block = grid, block + 1
        number[grid] = block
    return number


def _home(name: str, block: int, steps: Mapping[str, int]) -> str:
    """The innermost module around ``name`` that steps down from ``block``; empty where there is none."""
    around = [outer for outer in steps if name.startswith(f"{outer}.") and steps[outer] == block]
    return max(around, key=len, default="")


def _learned(answers: Sequence[Answer]) -> int:
    """How many of the modules hold parameters of their own."""
    return sum(any(True for _ in each.seen.module.parameters(recurse=False)) for each in answers)
