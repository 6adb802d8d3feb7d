"""CAMERAS: class activation maps of one image at several input sizes, fused at the image's own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import interpolate
from typing_extensions import override

from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.cam.pixel_maps import in_unit, map_attribution, pixel_info
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import (
    AbstractTarget,
    BlackBox,
    ImageLike,
    ModelError,
    ModelLike,
    TargetLike,
    ensure_image,
)
from wcam_widget.model.device import moved
from wcam_widget.model.field_of_view import FieldOfView
from wcam_widget.model.geometry import field_of_view
from wcam_widget.model.layers import LayerCapture, capture, find_layer
from wcam_widget.model.positions import Layer

PUBLISHED_SIZES = tuple(range(224, 1000, 100))  # of an image of 224 pixels; others are scaled alike
INTERPOLATIONS = ("bicubic", "bilinear")
CONSISTENCIES = ("official", "all", "strict")
GROUP = 8  # images whose activations at all sizes are held at once
UNIT = "CAMERAS: share of the map's maximum"


@dataclass(frozen=True, eq=False)
class _AtSize:
    """What a layer answered for some images at one input size, at its own resolution."""

    activations: Float[Tensor, "n c h w"]
    slopes: Float[Tensor, "n c h w"]
    top: Int[Tensor, " n"]
    targets: tuple[AbstractTarget, ...]
    scores: tuple[float, ...]
    view: FieldOfView


@dataclass(frozen=True, eq=False)
class _SoFar:
    """The sizes that were shown so far, for which images a target was given, and the cost in all."""

    sizes: tuple[_AtSize, ...]
    given: tuple[bool, ...]
    planned: int
    seconds: float


@final
@dataclass(frozen=True, eq=False)
class Cameras(AbstractMethod):
    """CAMERAS: activations and gradients of one layer, each averaged over input sizes, then multiplied.

    The image is shown to the unchanged network at several sizes; activations and gradients of every size are
    stretched over the image, bilinear, and averaged; the map is the sum over channels of their product, cut
    at 0 and stretched to [0, 1]. Where all of the map is equal it is 0, never NaN, and ``stop`` begins with
    "the map is zero everywhere". On an accelerator BlackBox(…, precision="float32") gives the maps of the
    CPU. Not counted is the one pass in which the layer is looked for.

    Args:
        layer: A module of the network, its name, or "auto", the last spatial stage.
        sizes: Lengths of the input's shorter side in pixels, at least 1, the aspect kept; None for the
            published 224, 324, … 924 of an image of 224 pixels, and the same multiples for others.
        interpolation: How inputs are resized, "bicubic", as the published code does, or "bilinear", as the
            paper says; an image that already has a size is used as it is.
        consistency: Which sizes count. "official": all of them where a target is given, else those with the
            same top class as the first; "all"; "strict": those with the same top class as the first,
            whatever the target.
        chunk: Channels that are stretched over the image at a time, at least 1, which bounds the memory.

    Raises:
        ValueError: Naming the argument for parameters that are not among the above; when called, naming
            ``layer`` as ``GradCam`` does.
        ModelError: When called, where the network does not take other sizes of input, or ``preprocess``
            brings them back to one.

    References:
        Jalwana et al. (2021), "CAMERAS: Enhanced Resolution And Sanity preserving Class Activation Mapping
        for image saliency".

    Examples:
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> (attribution,) = Cameras(sizes=(8, 12))(net, torch.rand(1, 3, 8, 8), [2])
        >>> attribution.spatial().shape, attribution.stop
        ((8, 8), '2 of 2 input sizes count')
    """

    layer: str | nn.Module = "auto"
    sizes: Sequence[int] | None = None
    interpolation: str = "bicubic"
    consistency: str = "official"
    chunk: int = 64

    def __post_init__(self) -> None:
        if self.sizes is not None and (not len(self.sizes) or any(int(s) != s or s < 1 for s in self.sizes)):
            raise ValueError(f"sizes={self.sizes!r} must be None or positive numbers of pixels, at least one")
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"interpolation={self.interpolation!r} is unknown; {', '.join(INTERPOLATIONS)} are known"
            )
        if self.consistency not in CONSISTENCIES:
            raise ValueError(
                f"consistency={self.consistency!r} is unknown; {', '.join(CONSISTENCIES)} are known"
            )
        if int(self.chunk) != self.chunk or self.chunk < 1:
            raise ValueError(f"chunk={self.chunk!r} must be a positive number of channels")

    def input_sizes(self, size: tuple[int, int]) -> list[tuple[int, int]]:
        """Heights and widths in pixels at which an image is shown to the network.

        Args:
            size: Height and width of the image in pixels.

        >>> Cameras().input_sizes((224, 448))[:3], Cameras(sizes=(32,)).input_sizes((64, 96))
        ([(224, 448), (324, 648), (424, 848)], [(32, 48)])
        """
        shorter = min(size)
        scales = (
            [side / PUBLISHED_SIZES[0] for side in PUBLISHED_SIZES]
            if self.sizes is None
            else [side / shorter for side in self.sizes]
        )
        return [(max(1, round(size[0] * scale)), max(1, round(size[1] * scale))) for scale in scales]

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # The map of one image (C, H, W) after every input size; ``stream`` has no effect.
        del stream
        network = BlackBox.ensure(model)
        batch = ensure_image(image, "image", network.fit)[None]
        layer = find_layer(network, self.layer, batch[0])
        for so_far in self._grown(network, layer, batch, [target]):
            yield from self._attributions(network, layer, so_far, batch)

    @override
    def rounds(
        self, model: BlackBox, images: Float[Tensor, "n c h w"], targets: Sequence[TargetLike]
    ) -> Iterator[tuple[int, Attribution]]:
        # Attributions of several images at a time where an accelerator takes them together, else of one.
        layer, together = find_layer(model, self.layer, images[0]), 1 if model.device.type == "cpu" else GROUP
        for start in range(0, len(images), together):
            group, so_far, interrupt = images[start : start + together], None, None
            try:
                for so_far in self._grown(model, layer, group, targets[start : start + together]):  # noqa: B007
                    pass
            except KeyboardInterrupt as error:
                interrupt = error
            if so_far is not None:
                yield from enumerate(self._attributions(model, layer, so_far, group), start)
            if interrupt is not None:
                raise interrupt

    def _grown(
        self, model: BlackBox, layer: Layer, images: Float[Tensor, "n c h w"], targets: Sequence[TargetLike]
    ) -> Iterator[_SoFar]:
        """Show some images at one size after another; the targets of the first size hold for all."""
        sizes = self.input_sizes((images.shape[2], images.shape[3]))
        given, there = tuple(target is not None for target in targets), moved(images, model.device)
        done, wanted, seconds = list[_AtSize](), list(targets), 0.0
        view = field_of_view(model, images[0])
        for size in sizes:
            started = time.perf_counter()
            try:
                current = _captured(model, layer, self._shown(there, size), wanted, view)
            except (ModelError, ValueError) as error:
                if not done:
                    raise
                raise _refused(size, sizes[0], str(error)) from error
            if done and size != sizes[0] and current.view.input_size == done[0].view.input_size:
                raise _refused(size, sizes[0], "preprocess brings both to the same size")
            wanted = list(current.targets)
            done.append(current)
            seconds += time.perf_counter() - started
            yield _SoFar(tuple(done), given, 3 * len(sizes), seconds)

    def _shown(self, images: Float[Tensor, "n c h w"], size: tuple[int, int]) -> Tensor:
        """Images at one size; bicubic ones may leave [0, 1] a little, as published."""
        if size == tuple(images.shape[2:]):
            return images
        return interpolate(images, size, mode=self.interpolation, align_corners=False)

    def _counts(self, so_far: _SoFar, place: int) -> Bool[Tensor, " t"]:
        """Which sizes count for one image; the first always does."""
        tops = torch.stack([each.top[place] for each in so_far.sizes])
        if self.consistency == "all" or (self.consistency == "official" and so_far.given[place]):
            return torch.ones(len(tops), dtype=torch.bool)
        return tops == tops[0]

    def _attributions(
        self, model: BlackBox, layer: Layer, so_far: _SoFar, images: Float[Tensor, "n c h w"]
    ) -> Iterator[Attribution]:
        size, first, shown = (images.shape[2], images.shape[3]), so_far.sizes[0], len(so_far.sizes)
        words = f"Cameras · {layer}, {so_far.planned // 3} input sizes"
        for place, target in enumerate(first.targets):
            started, counts = time.perf_counter(), self._counts(so_far, place)
            kept = [each for each, counted in zip(so_far.sizes, counts.tolist(), strict=True) if counted]
            heat = fused(
                [each.activations[place] for each in kept],
                [each.slopes[place] for each in kept],
                [each.view.for_size(size) for each in kept],
                self.chunk,
            )
            label, score = target.label(model.class_names), first.scores[place]
            info = pixel_info(size, words, label, score, so_far.planned, UNIT)
            seconds = so_far.seconds / len(images) + time.perf_counter() - started
            stop = f"{len(kept)} of {shown} input sizes count" if 3 * shown == so_far.planned else ""
            yield map_attribution(heat, info, (shown, shown), seconds, stop)


def fused(
    activations: Sequence[Float[Tensor, "c _ _"]],
    slopes: Sequence[Float[Tensor, "c _ _"]],
    views: Sequence[FieldOfView],
    chunk: int,
) -> Float[Tensor, "h w"]:
    """The map of one image from what a layer answered at each size, in [0, 1]; 0 where all of it is equal.

    ``views`` say where the answers lie over the image. The product of means is not the mean of products: both
    stacks are averaged over the image first, ``chunk`` channels at a time.

    >>> ones, view = torch.ones(2, 2, 2), FieldOfView.full((2, 2))
    >>> fused([ones], [torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]).repeat(2, 1, 1)], [view], 1)
    tensor([[0., 1.],
            [0., 1.]])
    """
    heat = activations[0].new_zeros(views[0].size)
    for start in range(0, len(activations[0]), chunk):
        part = slice(start, start + chunk)
        mean_activation = _mean_over([each[part] for each in activations], views)
        heat += mean_activation.mul_(_mean_over([each[part] for each in slopes], views)).sum(0)
    stretched = in_unit(heat.relu_(), views[0])
    return torch.zeros_like(heat) if stretched is None else stretched


def _mean_over(
    stack: Sequence[Float[Tensor, "c _ _"]], views: Sequence[FieldOfView]
) -> Float[Tensor, "c h w"]:
    """The mean of maps of several resolutions, each laid over the image."""
    total = stack[0].new_zeros(len(stack[0]), *views[0].size)
    for each, view in zip(stack, views, strict=True):
        total += view.over(each)
    return total.div_(len(stack))


def _captured(
    model: BlackBox, layer: Layer, images: Tensor, targets: Sequence[TargetLike], first: FieldOfView
) -> _AtSize:
    """What a layer answers for some images at one size, batches put together; ``first`` is the view before.

    A ``preprocess`` that left the first size as it was, and this one too, need not be measured again.
    """
    captured: dict[int, LayerCapture] = {}

    def keep(part: LayerCapture) -> None:
        captured[part.start] = part

    logits = capture(model, layer, images, targets, keep)
    parts, size = [captured[start] for start in sorted(captured)], (images.shape[2], images.shape[3])
    as_is = first.is_all and first.input_size == first.size and parts[0].input_size == size
    return _AtSize(
        activations=torch.cat([part.activations for part in parts]),
        slopes=torch.cat([part.slopes for part in parts]),
        top=logits.argmax(1),
        targets=tuple(target for part in parts for target in part.targets),
        scores=tuple(score for part in parts for score in part.scores.tolist()),
        view=FieldOfView.full(size) if as_is else field_of_view(model, images[0]),
    )


def _refused(size: tuple[int, int], first: tuple[int, int], why: str) -> ModelError:
    return ModelError(
        f"sizes: the network was shown {size[0]}x{size[1]} after {first[0]}x{first[1]}, and does not take "
        f"other sizes of input: {why}; give sizes of which it takes all, or use GradCam"
    )
