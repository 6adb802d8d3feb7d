"""The layers inside a network: finding one, reading its answer as a map, its activations and gradients."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import Pass
from wcam_widget.model.blackbox import BlackBox
from wcam_widget.model.hooks import ModuleOutput, listening, listening_to, slopes_of
from wcam_widget.model.module_outputs import Answer, answered, looked_into, size_of
from wcam_widget.model.outputs import ModelError
from wcam_widget.model.positions import Layer, followed
from wcam_widget.model.targets import AbstractTarget

AUTO = "auto"
UNORDERED = (
    "answers with positions that do not follow the image, as learned latents, queries and pooled sets do, so "
    "that they are no map over it"
)
INSTEAD = "use Wcam, which perturbs the image itself"
SHOWN = 20  # candidates named in an error


@final
@dataclass(frozen=True, eq=False)
class LayerCapture:
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


def find_layer(model: BlackBox, layer: Any, image: Float[Tensor, "c h w"], argument: str = "layer") -> Layer:
    """The layer a caller names, from one pass of one image: a module of the network, its name, or "auto".

    "auto" is the last spatial stage: the last module that answers with one tensor of more than one position
    on which the top score depends; pooling is passed over. Of a transformer's tokens it is the last
    normalisation before the positions stop to matter, since after the last attention only a class token does.
    Layers whose positions do not follow the image are no maps over it: see ``wcam_widget.model.positions``.

    Raises ModelError for a plain callable, TypeError or ValueError naming ``argument``, as the caller wrote
    it, with the candidates, for a name that is unknown, a module that is not the network's or is never run,
    and a layer whose answer cannot be read as a map over the image.

    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> print(find_layer(BlackBox(net), "auto", torch.rand(3, 8, 8)))
    1 (6x6)
    """
    if not isinstance(layer, str | nn.Module):
        raise TypeError(
            f"{argument}: found {type(layer).__qualname__}; accepted are 'auto', a module of net and its name"
        )
    wanted = AUTO if layer == AUTO else _name_of(layer, looked_into(model), argument)
    answers = answered(model, image, backward=wanted == AUTO)
    if wanted == AUTO:
        stages = [each for each in answers if each.may_stage]
        reached = [each for each in stages if each.matters] or stages
        if not reached:
            raise ValueError(f"{argument}: 'auto' finds no layer that answers with a map over the image")
        return _last_followed(model, layers_of(reached), image, argument)
    chosen = layers_of([each for each in answers if each.seen.name == wanted])
    if not chosen:
        raise ValueError(f"{argument}: {_refusal(wanted, answers)}")
    places = followed(model, chosen, image)
    if not places:
        raise ValueError(f"{argument}: {wanted!r} {UNORDERED}; choose a layer before it, or {INSTEAD}")
    return places[0]


def _last_followed(
    model: BlackBox, layers: Sequence[Layer], image: Float[Tensor, "c h w"], argument: str
) -> Layer:
    """The last of some layers whose positions follow the image."""
    last = last_stage(layers)
    places = followed(model, [last], image) or followed(model, layers, image)
    if not places:
        raise ValueError(f"{argument}: 'auto' finds no layer of places: {last.name!r} {UNORDERED}; {INSTEAD}")
    return last_stage(places)


def layers_of(answers: Sequence[Answer]) -> list[Layer]:
    """The layers behind those answers that are maps over the image, each where it answers last."""
    return [
        Layer(each.seen.name, each.seen.module, each.layout, each.sure)
        for each in answers
        if each.layout is not None and each.last
    ]


def capture(
    model: BlackBox,
    layer: Layer,
    images: Float[Tensor, "n c h w"],
    targets: Sequence[Any],
    use: Callable[[LayerCapture], None],
) -> Float[Tensor, "n k"]:
    """Run images through a network and hand a layer's activations and gradients to ``use``, batch by batch.

    ``targets`` holds a class id, class name, target or None (the top class) for every image. The backward
    pass ends at the layer. Hooks are removed, modes put back and parameters' ``.grad`` untouched, also when
    something raises; frozen parameters and in-place operations on the layer's answer do no harm. Where a
    module is run more than once, the last run counts. ``use`` may be called twice for an image where memory
    ran out. Returns the class scores (n, k) on the CPU.

    Raises ModelError where the score has no gradient path to the layer.
    """
    return capture_all(model, [layer], images, targets, lambda captures: use(captures[0]))


def capture_all(
    model: BlackBox,
    layers: Sequence[Layer],
    images: Float[Tensor, "n c h w"],
    targets: Sequence[Any],
    use: Callable[[list[LayerCapture]], None],
) -> Float[Tensor, "n k"]:
    """The same for several layers, from one forward and one backward pass; ``use`` gets one each."""

    def look(batch: Pass) -> Tensor:
        with listening_to([(layer.name, layer.module) for layer in layers]) as runs:
            logits = batch.forward()
        unseen = [layer.name for layer, run in zip(layers, runs, strict=True) if not run]
        if unseen:
            raise ValueError(f"layer: {unseen[0]!r} is not run for these images")
        size, part = size_of(batch.network_input), targets[batch.start : batch.start + len(logits)]
        chosen, scores = _scored(logits, part, model)
        last = [run[-1] for run in runs]
        use(
            [
                LayerCapture(
                    start=batch.start,
                    activations=layer.layout.spatial(seen.answer, size).float(),
                    slopes=layer.layout.spatial(_ensure_slopes(slopes, layer), size).float(),
                    logits=logits.detach(),
                    targets=chosen,
                    scores=scores.detach(),
                    input_size=size,
                )
                for layer, seen, slopes in zip(layers, last, slopes_of(scores, last), strict=True)
            ]
        )
        return logits

    return model.watch(images, look, backward=True)


def _scored(
    logits: Float[Tensor, "m k"], targets: Sequence[Any], model: BlackBox
) -> tuple[tuple[AbstractTarget, ...], Float[Tensor, " m"]]:
    """The target of each image, made of what a caller may write, and its score."""
    chosen = tuple(
        model.target(target, row.detach().cpu()) for target, row in zip(targets, logits, strict=True)
    )
    return chosen, torch.stack([target(row[None])[0] for target, row in zip(chosen, logits, strict=True)])


def _ensure_slopes(slopes: Tensor | None, layer: Layer) -> Tensor:
    if slopes is None:
        raise ModelError(
            f"layer: the score has no gradient path to {layer.name!r}; choose a layer it depends on, and "
            "check that the network does not detach or run under no_grad"
        )
    return slopes


def activations(
    model: BlackBox, layer: Layer, image: Float[Tensor, "c h w"]
) -> tuple[Float[Tensor, "d m n"], Float[Tensor, " k"]]:
    """A layer's answer for one image and the class scores, without gradients."""
    answers: list[Tensor] = []

    def look(batch: Pass) -> Tensor:
        seen: list[ModuleOutput] = []
        with listening(layer.module, seen, name=layer.name):
            logits = batch.forward()
        answers.append(layer.layout.spatial(seen[-1].answer, size_of(batch.network_input)).float())
        return logits

    logits = model.watch(image[None], look, backward=False)
    return answers[-1][0], logits[0]


def last_stage(stages: Sequence[Layer]) -> Layer:
    """The last of some layers; of tokens the last normalisation of the same grid, where there is one."""
    last = stages[-1]
    if last.layout.order != "tokens":
        return last
    norms = [
        layer for layer in stages if "Norm" in type(layer.module).__name__ and layer.layout == last.layout
    ]
    return norms[-1] if norms else last


def _name_of(layer: str | nn.Module, net: nn.Module, argument: str) -> str:
    """The name of a module of the network, or the name itself; unknown names are refused later."""
    if isinstance(layer, str):
        return layer
    names = [name for name, module in net.named_modules() if module is layer]
    if not names or not names[0]:
        raise ValueError(
            f"{argument}: this {type(layer).__qualname__} is not inside of net; give one of its modules, "
            "e.g. net.layer4, or a name from net.named_modules()"
        )
    return str(names[0])


def _refusal(wanted: str, answers: Sequence[Answer]) -> str:
    """Why a name is refused, and which would do."""
    candidates = layers_of(answers)
    names = [layer.name for layer in candidates]
    shown = ", ".join(map(str, candidates[-SHOWN:]))
    if len(names) > SHOWN:
        shown = f"{len(names)} layers, the last of them {shown}"
    shapes = [tuple(each.seen.answer.shape) for each in answers if each.seen.name == wanted]
    if shapes:
        why = f"{wanted!r} answers with shape {shapes[-1]}, which is no map over the image"
    else:
        close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        why = f"{wanted!r} is no module that net runs{hint}"
    return f"{why}; accepted are 'auto' and {shown or 'none: net has no spatial layer'}"
