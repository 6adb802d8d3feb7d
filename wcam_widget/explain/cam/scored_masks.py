"""The maps of a layer as masks on an image: which are chosen, and their sum weighted by scores."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wcam_widget.explain.cam.fusion import otsu
from wcam_widget.explain.cam.pixel_maps import in_unit, masks_over
from wcam_widget.model import AbstractTarget, BlackBox
from wcam_widget.model.device import moved
from wcam_widget.model.field_of_view import FieldOfView
from wcam_widget.model.geometry import field_of_view
from wcam_widget.model.gradients import ensure_finite_slopes
from wcam_widget.model.layers import LayerCapture
from wcam_widget.model.positions import Layer
from wcam_widget.perturb.baseline import Baseline, baseline_image

ADAPTIVE = "otsu"
Threshold = float | str


@dataclass(frozen=True, eq=False)
class MaskedScorer:
    """The score of an image under masks; where a mask is 0, ``baseline`` is seen instead."""

    model: BlackBox
    target: AbstractTarget
    baseline: Float[Tensor, "c h w"]
    shown: Float[Tensor, "c h w"]
    view: FieldOfView

    @classmethod
    def from_image(
        cls, model: BlackBox, target: AbstractTarget, image: Float[Tensor, "c h w"], baseline: Baseline
    ) -> MaskedScorer:
        """An image on the model's device and what hides it."""
        hidden, view = moved(baseline_image(baseline, image), model.device), field_of_view(model, image)
        return cls(model, target, hidden, moved(image, model.device) - hidden, view)

    def weighted_sum(self, maps: Float[Tensor, "k m n"]) -> Float[Tensor, "m n"]:
        """The sum of masks made of maps, each times its score over its sum, at the maps' own resolution.

        It is known but for a constant. A mask adds score x mask / sum(mask). It is (U - low) / span, where U
        is the map stretched over the image, which makes that score x (U - low) / (span x sum(mask)).
        Stretching is linear, so the sum over maps is made before it; the part with ``low`` is the same
        everywhere.
        """
        sums = maps.new_zeros(len(maps))

        def hidden(start: int, stop: int) -> Tensor:
            masks, spans = masks_over(maps[start:stop], self.view)
            sums[start:stop] = spans * masks.sum((1, 2))
            return self.baseline + masks[:, None] * self.shown

        scores = moved(self.target(self.model.logits_of(hidden, len(maps))).to(maps.dtype), maps.device)
        shares = torch.where(sums > 0, scores / torch.where(sums > 0, sums, 1.0), 0.0)
        return torch.einsum("k,kmn->mn", shares, maps)


@dataclass(frozen=True, eq=False)
class Block:
    """A layer, those of its ``count`` maps that are chosen, the strongest first, and their sum so far."""

    layer: Layer
    count: int
    maps: Float[Tensor, "k m n"]
    heat: Float[Tensor, "m n"]
    scored: int = 0

    @classmethod
    def from_layer(cls, layer: Layer, captured: LayerCapture, threshold: Threshold) -> Block:
        """What a layer answered for one image; constant maps, which show no place, are left out.

        Raises ModelError where a gradient is NaN or infinite.
        """
        ensure_finite_slopes(captured.slopes)
        maps, gains = captured.activations[0], captured.slopes[0].sum((1, 2))
        lowest, highest = maps.amin((1, 2)), maps.amax((1, 2))
        kept = selected(gains, threshold) & (highest > lowest)
        order = gains.argsort(descending=True)
        order = order[kept[order]]
        chosen = maps[order] - lowest[order, None, None]
        return cls(layer, len(maps), chosen, maps.new_zeros(maps.shape[1:]))

    @property
    def left(self) -> int:
        """Maps that are not scored yet."""
        return len(self.maps) - self.scored

    def grown(self, masked: MaskedScorer, chunk: int) -> Block:
        """The block with its next ``chunk`` maps scored."""
        maps = self.maps[self.scored : self.scored + chunk]
        return replace(self, heat=self.heat + masked.weighted_sum(maps), scored=self.scored + len(maps))

    def over(self, view: FieldOfView) -> Float[Tensor, "h w"] | None:
        """The block's map over an image, in [0, 1]; None where it shows no place."""
        return in_unit(view.over(self.heat[None])[0], view)


def selected(gains: Float[Tensor, " c"], threshold: Threshold) -> Bool[Tensor, " c"]:
    """Which maps of a layer are chosen: those whose gain is positive and above a share of the largest.

    "otsu" finds the share among the positive gains; where those are all equal, they are chosen.

    >>> gains = torch.tensor([-1.0, 0.1, 0.2, 0.9, 1.0])
    >>> selected(gains, 0.0).sum(), selected(gains, 0.2).sum(), selected(gains, "otsu").sum()
    (tensor(4), tensor(2), tensor(2))
    """
    positive, shares = gains > 0, gains / gains.amax()
    if not isinstance(threshold, str):
        return positive & (shares > threshold)
    if not bool(positive.any()):
        return positive
    above = positive & (shares > otsu(shares[positive]))
    return above if bool(above.any()) else positive
