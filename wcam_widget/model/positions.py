"""Whether the positions of a layer follow the image: which change where a part of the image does.

Learned latents, queries and pooled sets are lists of as many vectors as a grid may have places, but none of
them stands for a place. So a list of tokens, and any map behind a layer that has no places, is looked at
before it is read as a map: each quarter of the image is replaced by noise, and the positions over it must
change more than the others do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from scipy.stats import binom
from torch import Tensor, nn

from wcam_widget.model.batches import Pass
from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.field_of_view import FieldOfView, Line
from wcam_widget.model.geometry import field_of_view
from wcam_widget.model.hooks import listening_to
from wcam_widget.model.layout import Layout
from wcam_widget.model.module_outputs import size_of

QUARTERS = 4
PATCHES = 16  # of noise along each side
SHARE = 0.6  # of the positions that must change most with their own quarter of the image
CHANCE = 0.005  # that as many would, were they in no order


@final
@dataclass(frozen=True, eq=False)
class Layer:
    """A module of a network whose answer is a map over the image, and how to read it.

    ``sure``: whether its positions are places by the way it is computed; if not, ``followed`` tells.
    """

    name: str
    module: nn.Module
    layout: Layout
    sure: bool = True

    def __str__(self) -> str:
        height, width = self.layout.grid
        return f"{self.name} ({height}x{width})"


def followed(model: BlackBox, layers: Sequence[Layer], image: Float[Tensor, "c h w"]) -> list[Layer]:
    """Those of some layers whose positions follow the image, from one pass of five pictures.

    Of tokens it is measured, too, how many of those that are no places come first and how many last.
    """
    doubtful = [layer for layer in layers if not layer.sure]
    if not doubtful:
        return list(layers)
    view = field_of_view(model, image)
    changes = dict(zip(map(id, doubtful), _changes(model, doubtful, _pictures(image, view)), strict=True))
    read = [layer if layer.sure else _read(layer, changes[id(layer)], view) for layer in layers]
    return [layer for layer in read if layer is not None]


def _middle(line: Line) -> float:
    """The middle, in the image, of what the network sees of one of its axes."""
    seen = line.inside().nonzero()
    return float(seen.min() + seen.max() + 1) / 2


def _pictures(image: Float[Tensor, "c h w"], view: FieldOfView) -> Float[Tensor, "5 c h w"]:
    """The image, and the image with noise in one quarter each of what the network sees of it."""
    noise = torch.rand(1, len(image), PATCHES, PATCHES, generator=torch.Generator().manual_seed(0))
    noise = torch.nn.functional.interpolate(noise, image.shape[1:])[0].to(image)
    down, along = (
        torch.arange(line.outer, device=image.device) + 0.5 > _middle(line)
        for line in (view.rows, view.columns)
    )
    quarter = 2 * down[:, None].long() + along
    return torch.stack([image, *(torch.where(quarter == number, noise, image) for number in range(QUARTERS))])


def _changes(
    model: BlackBox, layers: Sequence[Layer], pictures: Float[Tensor, "5 c h w"]
) -> list[Float[Tensor, "4 _"]]:
    """How far each position of each layer moves from what it is for the first picture."""
    start: dict[int, Tensor] = {}
    changes = [dict[int, Tensor]() for _ in layers]

    def look(batch: Pass) -> Tensor:
        with listening_to([(layer.name, layer.module) for layer in layers]) as runs:
            logits = batch.forward()
        for number, (layer, run) in enumerate(zip(layers, runs, strict=True)):
            answer = run[-1].answer.float()
            if layer.layout.order != "tokens":
                answer = layer.layout.spatial(answer, size_of(batch.network_input)).flatten(2).movedim(1, 2)
            if batch.start == 0:
                start[number] = answer[0]
            changes[number][batch.start] = (answer - start[number]).norm(dim=2).cpu()
        return logits

    model.watch(pictures, look, backward=False)
    return [torch.cat([parts[first] for first in sorted(parts)])[1:] for parts in changes]


def _read(layer: Layer, changes: Float[Tensor, "4 count"], view: FieldOfView) -> Layer | None:
    """The layer with tokens counted from where places begin; None where its positions follow no place."""
    if not bool(changes.any()):  # it is the same for every image: of a map of places all are
        return None if layer.layout.order == "tokens" else layer
    quarters, counted = _quarters(layer.layout, view)
    over = changes.shape[1] - layer.layout.positions
    logs = (changes / changes.mean(1, keepdim=True).clamp(min=1e-12)).clamp(min=1e-6).log()
    leads = range(over + 1)
    parts = [logs[:, lead : lead + layer.layout.positions][:, counted] for lead in leads]
    margins = [float((part.gather(0, quarters[counted][None])[0] - part.mean(0)).mean()) for part in parts]
    lead = max(leads, key=lambda each: margins[each])
    hits, count = int((parts[lead].argmax(0) == quarters[counted]).sum()), int(counted.sum())
    by_chance = float(binom.sf(hits - 1, count, 1 / QUARTERS))
    if count == 0 or hits < SHARE * count or by_chance > CHANCE:
        return None
    return replace(layer, layout=replace(layer.layout, extra=lead, after=over - lead))


def _quarters(layout: Layout, view: FieldOfView) -> tuple[Int[Tensor, " n"], Bool[Tensor, " n"]]:
    """The quarter of the image each position of a grid lies in, and which lie clearly in one."""
    height, width = layout.grid
    cells = (width, height) if view.turned else (height, width)
    halves, clear = [], []
    for line, count in zip((view.rows, view.columns), cells, strict=True):
        places, half_a_cell = line.positions(count), abs(line.step) * line.inner / count / 2
        away = (places - _middle(line)).abs()
        halves.append((places > _middle(line)).long())
        clear.append((away > 0.9 * half_a_cell) & (places > 0) & (places < line.outer))
    quarters, counted = 2 * halves[0][:, None] + halves[1], clear[0][:, None] & clear[1]
    if view.turned:
        quarters, counted = quarters.T, counted.T
    return quarters.flatten(), counted.flatten()
