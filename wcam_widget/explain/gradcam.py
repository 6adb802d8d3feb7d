"""Grad-CAM and its close kin: a layer's activations, weighted by what they do to a score."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.maps import Told, map_attribution, masks_over, over_image
from wcam_widget.explain.method import AbstractMethod, Pixels, ensure_batch, ensure_model
from wcam_widget.model import BlackBox, ensure_image, ensure_target
from wcam_widget.model.layers import Captured, Layer, activations, capture, find_layer

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
    """Class activation maps: channels of one layer, weighted, summed, cut at 0, stretched over the image.

    layer: a module of the network, its name, or "auto", the last spatial stage. Answers (n, c, h, w),
    (n, h, w, c) and tokens (n, count, c), as vision transformers give, are told apart by their shapes.
    variant: the weights. "gradcam": mean gradient of the channel (Selvaraju et al. 2017); "gradcam++":
    positive gradients by their curvature (Chattopadhyay et al. 2018); "hirescam": the gradient at every
    position (Draelos and Carin 2020); "layercam": its positive part (Jiang et al. 2021); "xgradcam":
    gradients averaged by activation (Fu et al. 2020); "scorecam": softmax over channels of the scores of the
    image times the channel's map, stretched to [0, 1], without gradients (Wang et al. 2020).

    Values are the map (H, W) in the score's own unit where gradients make it, not scaled to [0, 1], so that
    images and targets compare. A map that is 0 everywhere says so in ``stop``. A named layer is looked for,
    with one pass of the first image, once a call; that pass is not counted.

    Raises ValueError for an unknown ``variant``, and naming ``layer``, with the candidates, for one that does
    not exist or has no positions; ModelError for a network that is a plain callable or gives no gradients.

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

    def steps(self, model: Any, image: Pixels, target: Any = None, stream: int = 0) -> Iterator[Attribution]:
        """The attribution of one image (C, H, W), in one step; ``stream`` has no effect: nothing is drawn."""
        del stream
        yield from self._explained(ensure_model(model), ensure_image(image, "image")[None], [target])

    @override
    def __call__(self, model: Any, images: Pixels, targets: Sequence[Any] | None = None) -> list[Attribution]:
        """One attribution for each image of (B, C, H, W) in [0, 1], the images in batches.

        ``targets`` holds one class id, class name, target or None per image. Raises ValueError naming
        ``images`` or ``targets`` for what does not fit.
        """
        asked, wanted = ensure_batch(images, targets)
        return list(self._explained(ensure_model(model), asked, wanted))

    def _explained(
        self, model: BlackBox, images: Float[Tensor, "n c h w"], targets: Sequence[Any]
    ) -> Iterator[Attribution]:
        layer = find_layer(model, self.layer, images[0])
        if self.variant == SCORECAM:
            yield from (self._scored(model, layer, *each) for each in zip(images, targets, strict=True))
            return
        size, started = (images.shape[2], images.shape[3]), time.perf_counter()
        maps, told = images.new_empty(len(images), *size), {}

        def keep(found: Captured) -> None:
            weights = WEIGHTINGS[self.variant](found.activations, found.slopes)
            made = over_image((weights * found.activations).sum(1).relu(), size)
            maps[found.start : found.start + len(made)] = made.cpu()
            for place, (target, score) in enumerate(zip(found.targets, found.scores.tolist(), strict=True)):
                told[found.start + place] = target.label(model.class_names), score

        capture(model, layer, images, targets, keep)
        seconds = (time.perf_counter() - started) / len(images)
        for place, heat in enumerate(maps):
            label, score = told[place]
            yield self._attribution(heat, layer, (label, score), (1, 1), seconds)

    def _scored(self, model: BlackBox, layer: Layer, image: Tensor, target: Any) -> Attribution:
        """Score-CAM: how high the target scores on what each channel shows."""
        started, size = time.perf_counter(), (image.shape[1], image.shape[2])
        answers, whole = activations(model, layer, image)
        resolved = ensure_target(target, whole, model.class_names)
        lowest, highest = answers.amin((1, 2)), answers.amax((1, 2))
        answers = answers[highest > lowest]  # a constant channel shows no place
        heat = image.new_zeros(size)
        if len(answers):
            there = image.to(answers.device)

            def masked(start: int, stop: int) -> Tensor:
                masks, _ = masks_over(answers[start:stop], size)
                return there * masks[:, None]

            scores = resolved(model.logits_of(masked, len(answers)))
            weights = scores.softmax(0).to(answers.device)
            heat = over_image((weights[:, None, None] * answers).sum(0).relu()[None], size)[0]
        score, seconds = float(resolved(whole[None])[0]), time.perf_counter() - started
        label = resolved.label(model.class_names)
        return self._attribution(heat, layer, (label, score), (1 + len(answers), 0), seconds)

    def _attribution(
        self, heat: Tensor, layer: Layer, of: tuple[str, float], passes: tuple[int, int], seconds: float
    ) -> Attribution:
        told = Told(
            method=f"{self.title} · {layer}",
            target=of[0],
            score=of[1],
            unit=f"{self.title}: weighted activation, not negative",
            evaluations=passes[0],
            gradients=passes[1],
            planned=passes[0] + 2 * passes[1],
            seconds=seconds,
            stop=DONE,
        )
        return map_attribution(heat, told)
