"""What every module of a network answers to one image, and where those answers lie over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import Pass, uncompiled
from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.hooks import ModuleOutput, listening, slopes_of
from wcam_widget.model.layout import Layout, Size, layout_of
from wcam_widget.model.outputs import ModelError

POOLING = nn.MaxPool2d.__module__


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """One answer of one module to one image, and where it lies over it.

    ``layout`` is None where the answer is no map of more than one position, ``entered`` the grid of what the
    module was given, None where that is no map. ``matters``: whether the top score depends on any position.
    ``sure``: whether positions are places by the way they are computed: a map in rows and columns that only
    such maps, wider ones of a padded image and means over one come before. ``last``: whether the module is
    not run again, as a layer is captured where its module answers last.
    """

    seen: ModuleOutput
    layout: Layout | None
    entered: Size | None
    matters: bool
    sure: bool
    last: bool

    @property
    def may_stage(self) -> bool:
        """Whether it may stand for a stage: one map alone, of a module that does more than pool."""
        pools = type(self.seen.module).__module__ == POOLING
        return self.layout is not None and self.last and self.seen.single and not pools


def answered(model: BlackBox, image: Float[Tensor, "c h w"], *, backward: bool) -> list[Answer]:
    """What the modules of a network answer to one image, in the order in which they end.

    Without ``backward`` nothing is known to matter. Raises ModelError for a plain callable.
    """
    net = looked_into(model)
    answers: list[Answer] = []

    def look(batch: Pass) -> Tensor:
        seen: list[ModuleOutput] = []
        with listening(net, seen):
            logits = batch.forward()
        size = size_of(batch.network_input)
        slopes = slopes_of(logits.max(dim=1).values, seen) if backward else [None] * len(seen)
        answers[:] = _read(seen, slopes, size)
        return logits

    model.watch(image[None], look, backward=backward)
    return answers


def _read(seen: Sequence[ModuleOutput], slopes: Sequence[Tensor | None], size: Size) -> list[Answer]:
    """Where answers to one image lie over the network's input; grids of earlier ones tell tokens."""
    answers, known, keeps = [], list[Size](), True
    last = {each.name: each for each in seen}
    for each, slope in zip(seen, slopes, strict=True):
        shape = each.answer.shape
        # Parts of an image that are handed on as a batch, as windows of attention are, lie nowhere over it.
        lies_nowhere = shape[:1] != (1,) or _pairs(each, seen)
        laid = None if lies_nowhere else layout_of(shape, size, known)
        entered = layout_of(each.given, size, known) if each.given[:1] == (1,) else None
        keeps = keeps and not lies_nowhere and _keeps_places(shape, laid, entered, size)
        layout = laid if laid is not None and laid.positions > 1 else None
        answers.append(
            Answer(
                seen=each,
                layout=layout,
                entered=None if entered is None else entered.grid,
                matters=layout is not None and slope is not None and _reached(layout, slope, size),
                sure=layout is not None and keeps,
                last=last[each.name] is each,
            )
        )
        if layout is not None:
            known.append(layout.grid)
    return answers


def _keeps_places(shape: Sequence[int], layout: Layout | None, entered: Layout | None, size: Size) -> bool:
    """Whether an answer is in rows and columns of the image, a padded one too, or scales channels of such."""
    if len(shape) != 4:
        return False
    if shape[2] >= size[0] and shape[3] >= size[1]:
        return True
    made_of_one_place = entered is not None and entered.positions == 1
    return layout is not None and not (made_of_one_place and layout.positions > 1)


def _pairs(answered: ModuleOutput, seen: Sequence[ModuleOutput]) -> bool:
    """Whether an answer (n, heads, count, count) is of pairs of tokens, as attention's, not of places."""
    shape = answered.answer.shape
    counts = {each.answer.shape[1] for each in seen if each.answer.ndim == 3}
    square = len(shape) == 4 and shape[2] == shape[3] and int(shape[2]) in counts
    return square and bool(((answered.answer.float().sum(-1) - 1).abs() < 0.01).all())


def _reached(layout: Layout, slope: Tensor, size: tuple[int, int]) -> bool:
    """Whether any position matters: after a transformer's last attention only its class token does."""
    return bool((layout.spatial(slope, size) != 0).any())


def looked_into(model: BlackBox) -> nn.Module:
    """The network itself, also where torch compiled it; ModelError where it has no layers to look into."""
    net = uncompiled(model.net)
    if isinstance(net, torch.jit.ScriptModule):
        raise ModelError("net: TorchScript modules have no hooks; use Wcam, or the module it was made from")
    # Graphs of torch.export call no module but their own checks.
    if isinstance(net, torch.fx.GraphModule) and not any(
        node.op == "call_module" and not str(node.target).startswith("_") for node in net.graph.nodes
    ):
        raise ModelError("net: an exported graph has no layers; use Wcam, or the module it was made from")
    if not isinstance(net, nn.Module):
        raise ModelError("net: a plain callable has no layers; give a torch.nn.Module")
    return net


def size_of(network_input: Tensor) -> Size:
    """Height and width of a network's input; ModelError where it has none."""
    if network_input.ndim != 4:
        raise ModelError(
            f"preprocess: returned shape {tuple(network_input.shape)}; layers are read as maps only where "
            "the network's input is (n, c, h, w)"
        )
    return int(network_input.shape[2]), int(network_input.shape[3])
