"""The layers inside a network: finding one, reading its answer as a map, its activations and gradients."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import Pass, uncompiled
from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.hooks import Seen, listening, slopes_of
from wcam_widget.model.layout import Layout, layout_of
from wcam_widget.model.outputs import ModelError
from wcam_widget.model.targets import AbstractTarget, ensure_target

AUTO = "auto"
SHOWN = 20  # candidates named in an error
POOLING = nn.MaxPool2d.__module__


@final
@dataclass(frozen=True, eq=False)
class Layer:
    """A module of a network whose answer is a map over the image, and how to read it."""

    name: str
    module: nn.Module
    layout: Layout

    def __str__(self) -> str:
        height, width = self.layout.grid
        return f"{self.name} ({height}x{width})"


@final
@dataclass(frozen=True, eq=False)
class Captured:
    """What a layer answered for one batch of images, and how their scores change with it.

    ``start`` is the place of the first image. ``activations`` (m, c, h, w) and ``slopes``, the derivatives of
    each image's score by them, are float32 on the network's device. ``logits`` (m, k) are the class scores,
    ``targets`` and ``scores`` what was explained. ``input_size`` is the height and width the network saw.
    """

    start: int
    activations: Float[Tensor, "m c h w"]
    slopes: Float[Tensor, "m c h w"]
    logits: Float[Tensor, "m k"]
    targets: tuple[AbstractTarget, ...]
    scores: Float[Tensor, " m"]
    input_size: tuple[int, int]


def find_layer(model: BlackBox, layer: Any, image: Float[Tensor, "c h w"]) -> Layer:
    """The layer asked for, from one pass of one image: a module of the network, its name, or "auto".

    "auto" is the last spatial stage: the last module that answers with one tensor of more than one position
    on which the top score depends; pooling is passed over. Of a transformer's tokens it is the last
    normalisation before the positions stop to matter, since after the last attention only a class token does.

    Raises ModelError for a plain callable, TypeError or ValueError naming ``layer``, with the candidates,
    for a name that is unknown, a module that is not the network's or is never run, and a layer whose answer
    cannot be read as a map over the image.

    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> print(find_layer(BlackBox(net), "auto", torch.rand(3, 8, 8)))
    1 (6x6)
    """
    net = uncompiled(model.net)
    if not isinstance(net, nn.Module):
        raise ModelError("net: a plain callable has no layers; give a torch.nn.Module")
    if not isinstance(layer, str | nn.Module):
        raise TypeError(
            f"layer: found {type(layer).__qualname__}; accepted are 'auto', a module of net and its name"
        )
    wanted = AUTO if layer == AUTO else _name_of(layer, net)
    found: list[tuple[Layer, bool]] = []
    seen: list[Seen] = []

    def look(batch: Pass) -> Tensor:
        found.clear()
        seen.clear()
        with listening(net, seen):
            logits = batch.ask()
        size = _size(batch.network_input)
        slopes = _mattering(seen, logits) if wanted == AUTO else [None] * len(seen)
        for answered, slope in zip(seen, slopes, strict=True):
            known = [each.layout.grid for each, _ in found]
            layout = None if _pairs(answered, seen) else layout_of(answered.answer.shape, size, known)
            if layout is not None and layout.positions > 1:
                reached = slope is not None and answered.whole and _reached(layout, slope, size)
                found.append((Layer(answered.name, answered.module, layout), reached))
        return logits

    model.watch(image[None], look, backward=wanted == AUTO)
    if wanted == AUTO:
        return _last_stage(found)
    chosen = [each for each, _ in found if each.name == wanted]
    if not chosen:
        raise ValueError(_refusal(wanted, seen, found))
    return chosen[-1]


def capture(
    model: BlackBox,
    layer: Layer,
    images: Float[Tensor, "n c h w"],
    targets: Sequence[Any],
    use: Callable[[Captured], None],
) -> Float[Tensor, "n k"]:
    """Run images through a network and hand a layer's activations and gradients to ``use``, batch by batch.

    ``targets`` holds a class id, class name, target or None (the top class) for every image. The backward
    pass ends at the layer. Hooks are removed, modes put back and parameters' ``.grad`` untouched, also when
    something raises; frozen parameters and in-place operations on the layer's answer do no harm. Where a
    module is run more than once, the last run counts. ``use`` may be called twice for an image where memory
    ran out. Returns the class scores (n, k) on the CPU.

    Raises ModelError where the score has no gradient path to the layer.
    """

    def look(batch: Pass) -> Tensor:
        seen: list[Seen] = []
        with listening(layer.module, seen, name=layer.name):
            logits = batch.ask()
        if not seen:
            raise ValueError(f"layer: {layer.name!r} is not run for these images")
        size, part = _size(batch.network_input), targets[batch.start : batch.start + len(logits)]
        chosen = tuple(
            ensure_target(target, row.detach().cpu(), model.class_names)
            for target, row in zip(part, logits, strict=True)
        )
        scores = torch.stack([target(row[None])[0] for target, row in zip(chosen, logits, strict=True)])
        slopes = slopes_of(scores, [seen[-1]])[0]
        if slopes is None:
            raise ModelError(
                f"layer: the score has no gradient path to {layer.name!r}; choose a layer it depends on, and "
                "check that the network does not detach or run under no_grad"
            )
        use(
            Captured(
                start=batch.start,
                activations=layer.layout.spatial(seen[-1].answer, size).float(),
                slopes=layer.layout.spatial(slopes, size).float(),
                logits=logits.detach(),
                targets=chosen,
                scores=scores.detach(),
                input_size=size,
            )
        )
        return logits

    return model.watch(images, look, backward=True)


def activations(
    model: BlackBox, layer: Layer, image: Float[Tensor, "c h w"]
) -> tuple[Float[Tensor, "d m n"], Float[Tensor, " k"]]:
    """A layer's answer for one image and the class scores, without gradients."""
    answers: list[Tensor] = []

    def look(batch: Pass) -> Tensor:
        seen: list[Seen] = []
        with listening(layer.module, seen, name=layer.name):
            logits = batch.ask()
        answers.append(layer.layout.spatial(seen[-1].answer, _size(batch.network_input)).float())
        return logits

    logits = model.watch(image[None], look, backward=False)
    return answers[-1][0], logits[0]


def _mattering(seen: Sequence[Seen], logits: Tensor) -> list[Tensor | None]:
    """How the top score changes with every answer."""
    return slopes_of(logits.max(dim=1).values, seen)


def _pairs(answered: Seen, seen: Sequence[Seen]) -> bool:
    """Whether an answer (n, heads, count, count) is of pairs of tokens, as attention's, not of places."""
    shape = answered.answer.shape
    counts = {each.answer.shape[1] for each in seen if each.answer.ndim == 3}
    return len(shape) == 4 and shape[2] == shape[3] and int(shape[2]) in counts


def _reached(layout: Layout, slope: Tensor, size: tuple[int, int]) -> bool:
    """Whether any position matters: after a transformer's last attention only its class token does."""
    return bool((layout.spatial(slope, size) != 0).any())


def _last_stage(found: Sequence[tuple[Layer, bool]]) -> Layer:
    """The last spatial layer the score depends on."""
    stages = [each for each in found if type(each[0].module).__module__ != POOLING]
    reached = [layer for layer, matters in stages if matters] or [layer for layer, _ in stages]
    if not reached:
        raise ValueError("layer: 'auto' finds no layer that answers with a map over the image")
    last = reached[-1]
    if last.layout.order != "tokens":
        return last
    norms = [
        layer for layer in reached if "Norm" in type(layer.module).__name__ and layer.layout == last.layout
    ]
    return norms[-1] if norms else last


def _name_of(layer: str | nn.Module, net: nn.Module) -> str:
    """The name of a module of the network, or the name itself; unknown names are told later, with shapes."""
    if isinstance(layer, str):
        return layer
    names = [name for name, module in net.named_modules() if module is layer]
    if not names or not names[0]:
        raise ValueError(
            f"layer: this {type(layer).__qualname__} is not inside of net; give one of its modules, e.g. "
            "net.layer4, or a name from net.named_modules()"
        )
    return str(names[0])


def _refusal(wanted: str, seen: Sequence[Seen], found: Sequence[tuple[Layer, bool]]) -> str:
    """Why a name is refused, and which would do."""
    candidates = {layer.name: layer for layer, _ in found}
    names = list(candidates)
    shown = ", ".join(str(layer) for layer in list(candidates.values())[-SHOWN:])
    if len(names) > SHOWN:
        shown = f"{len(names)} layers, the last of them {shown}"
    shape = next((tuple(each.answer.shape) for each in reversed(seen) if each.name == wanted), None)
    if shape is not None:
        why = f"{wanted!r} answers with shape {shape}, which is no map over the image"
    else:
        close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        why = f"{wanted!r} is no module that net runs{hint}"
    return f"layer: {why}; accepted are 'auto' and {shown or 'none: net has no spatial layer'}"


def _size(network_input: Tensor) -> tuple[int, int]:
    if network_input.ndim != 4:
        raise ModelError(
            f"preprocess: returned shape {tuple(network_input.shape)}; layers are read as maps only where "
            "the network's input is (n, c, h, w)"
        )
    return int(network_input.shape[2]), int(network_input.shape[3])
