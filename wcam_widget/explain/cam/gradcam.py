"""Grad-CAM and its close kin: a layer's activations, weighted by what they do to a score."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.cam.pixel_maps import map_attribution, masks_over, pixel_info
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike, ensure_image
from wcam_widget.model.field_of_view import FieldOfView
from wcam_widget.model.geometry import field_of_view
from wcam_widget.model.layers import LayerCapture, activations, capture, find_layer
from wcam_widget.model.positions import Layer

Weighting = Callable[[Tensor, Tensor], Tensor]

DONE = "the map is computed"
ROOM = 1e-7  # of a sum of activations, below which XGrad-CAM's share of it is not formed


def _mean_gradient(a: Tensor, g: Tensor) -> Tensor:
    del a
    return g.mean((2, 3), keepdim=True)


def _plus_plus(a: Tensor, g: Tensor) -> Tensor:
    """Positive gradients, weighted so that every place of an object counts alike.

    The published weights hold for the exponential of the score, whose derivatives are powers of ``g`` times
    one positive number, which is left out: it only scales the map.
    """
    square = g.square()
    below = 2 * square + (a * square * g).sum((2, 3), keepdim=True)
    alpha = torch.where(below == 0, 0.0, square / torch.where(below == 0, 1.0, below))
    return (alpha * g.relu()).sum((2, 3), keepdim=True)


def _axiomatic(a: Tensor, g: Tensor) -> Tensor:
    """Gradients averaged with the activations as weights; 0 where a channel's activations cancel."""
    total = a.sum((2, 3), keepdim=True)
    cancels = total.abs() <= ROOM * a.abs().sum((2, 3), keepdim=True)
    share = (g * a).sum((2, 3), keepdim=True) / torch.where(cancels, 1.0, total)
    return torch.where(cancels, 0.0, share)


WEIGHTINGS: dict[str, Weighting] = {
    "gradcam": _mean_gradient,
    "gradcam++": _plus_plus,
    "hirescam": lambda _, g: g,
    "layercam": lambda _, g: g.relu(),
    "xgradcam": _axiomatic,
}
SCORECAM = "scorecam"
TITLES = {
    "gradcam": "GradCam",
    "gradcam++": "GradCam++",
    "hirescam": "HiResCam",
    "layercam": "LayerCam",
    "xgradcam": "XGradCam",
    "scorecam": "ScoreCam",
}


@final
@dataclass(frozen=True, eq=False)
class GradCam(AbstractMethod):
    """Class activation maps: channels of one layer, weighted, summed, cut at 0, laid over the image.

    A map lies where ``preprocess`` shows the image to the network, which is measured, and is 0 where the
    network is blind: resizing, cropping, padding, flips and turns by right angles may be combined. Values are
    the map (H, W) in the score's own unit where gradients make it, not scaled to [0, 1], so that images and
    targets compare. A map that is 0 everywhere says so in ``stop``. A named layer is looked for, with one
    pass of the first image, once a call; that pass is not counted.

    Args:
        layer: A module of the network, its name, or "auto", the last spatial stage. Outputs (n, c, h, w),
            (n, h, w, c) and tokens (n, count, c) are distinguished by their shapes.
        variant: The weights. "gradcam": mean gradient of the channel; "gradcam++": positive gradients by
            their curvature; "hirescam": the gradient at every position; "layercam": its positive part;
            "xgradcam": gradients averaged by activation; "scorecam": softmax over channels of the scores of
            the image times the channel's map, stretched to [0, 1], without gradients.

    Raises:
        ValueError: For an unknown ``variant``; when called, naming ``layer``, with the candidates, for one
            that does not exist or has no positions.
        ModelError: When called, for a network that is a plain callable or gives no gradients, and for a
            ``preprocess`` that changes places otherwise.

    References:
        Selvaraju et al. (2017), "Grad-CAM"; Chattopadhyay et al. (2018), "Grad-CAM++"; Draelos and Carin
        (2020), "HiResCAM"; Jiang et al. (2021), "LayerCAM"; Fu et al. (2020), "Axiom-based Grad-CAM"; Wang
        et al. (2020), "Score-CAM".

    Examples:
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> (attribution,) = GradCam()(net, torch.rand(1, 3, 8, 8), [2])
        >>> attribution.spatial().shape, attribution.method
        ((8, 8), 'GradCam · 1 (6x6)')
    """

    layer: str | nn.Module = "auto"
    variant: str = "gradcam"

    def __post_init__(self) -> None:
        if self.variant not in TITLES:
            raise ValueError(f"variant={self.variant!r} is unknown; {', '.join(TITLES)} are known")

    @property
    @override
    def title(self) -> str:
        """The variant's name."""
        return TITLES[self.variant]

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # The attribution of one image (C, H, W), in one step; ``stream`` has no effect: nothing is drawn.
        del stream
        network = BlackBox.ensure(model)
        for _, one in self.rounds(network, ensure_image(image, "image", network.fit)[None], [target]):
            yield one

    @override
    def rounds(
        self, model: BlackBox, images: Float[Tensor, "n c h w"], targets: Sequence[TargetLike]
    ) -> Iterator[tuple[int, Attribution]]:
        # The attributions of as many images at a time as go through the network together.
        layer, together = find_layer(model, self.layer, images[0]), model.batch_size
        view = field_of_view(model, images[0])
        if self.variant == SCORECAM:
            for place, (image, target) in enumerate(zip(images, targets, strict=True)):
                yield place, self._scored(model, (layer, view), image, target)
            return
        for start in range(0, len(images), together):
            part = slice(start, start + together)
            for place, one in enumerate(
                self._explained(model, (layer, view), images[part], targets[part]), start
            ):
                yield place, one

    def _explained(
        self,
        model: BlackBox,
        at: tuple[Layer, FieldOfView],
        images: Float[Tensor, "n c h w"],
        targets: Sequence[TargetLike],
    ) -> Iterator[Attribution]:
        (layer, view), started = at, time.perf_counter()
        maps, scored = images.new_empty(len(images), *view.size), {}

        def keep(part: LayerCapture) -> None:
            weights = WEIGHTINGS[self.variant](part.activations, part.slopes)
            made = view.over((weights * part.activations).sum(1).relu())
            maps[part.start : part.start + len(made)] = made.cpu()
            for place, (target, score) in enumerate(zip(part.targets, part.scores.tolist(), strict=True)):
                scored[part.start + place] = target.label(model.class_names), score

        capture(model, layer, images, targets, keep)
        seconds = (time.perf_counter() - started) / len(images)
        for place, heat in enumerate(maps):
            yield self._attribution(heat, layer, scored[place], (1, 1), seconds)

    def _scored(
        self, model: BlackBox, at: tuple[Layer, FieldOfView], image: Tensor, target: TargetLike
    ) -> Attribution:
        """Score-CAM: how high the target scores on what each channel shows."""
        (layer, view), started = at, time.perf_counter()
        answers, image_logits = activations(model, layer, image)
        resolved = model.target(target, image_logits)
        lowest, highest = answers.amin((1, 2)), answers.amax((1, 2))
        answers = answers[highest > lowest]  # a constant channel shows no place
        heat = image.new_zeros(view.size)
        if len(answers):
            there = image.to(answers.device)

            def masked(start: int, stop: int) -> Tensor:
                masks, _ = masks_over(answers[start:stop], view)
                return there * masks[:, None]

            scores = resolved(model.logits_of(masked, len(answers)))
            weights = scores.softmax(0).to(answers.device)
            heat = view.over((weights[:, None, None] * answers).sum(0).relu()[None])[0]
        score, seconds = float(resolved(image_logits[None])[0]), time.perf_counter() - started
        label = resolved.label(model.class_names)
        return self._attribution(heat, layer, (label, score), (1 + len(answers), 0), seconds)

    def _attribution(
        self,
        heat: Float[Tensor, "h w"],
        layer: Layer,
        scored: tuple[str, float],
        passes: tuple[int, int],
        seconds: float,
    ) -> Attribution:
        size, planned = (heat.shape[0], heat.shape[1]), passes[0] + 2 * passes[1]
        unit = f"{self.title}: weighted activation, not negative"
        info = pixel_info(size, f"{self.title} · {layer}", *scored, planned, unit)
        return map_attribution(heat, info, passes, seconds, DONE)
