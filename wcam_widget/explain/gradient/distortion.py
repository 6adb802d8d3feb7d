"""How far a score moves when coefficients are masked: its distortion, and the slope of that by the mask.

A masked coefficient is z' = m z + (1 - m) xi, mask m in [0, 1] and replacement xi. The replacement is the
baseline, so that z' is the masked image a reader sees, or noise around it. The distortion is the mean over
replacements of (score of z' - score of the image)^2 (Macdonald et al. 2019, "A rate-distortion framework for
explaining neural network decisions", as Kolek et al. 2022 take it to wavelets).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from wcam_widget.explain.cell_sums import summed
from wcam_widget.explain.gradient.modes import BLOCK, coefficient_gradients, ensure_count
from wcam_widget.model import AbstractTarget
from wcam_widget.model.device import moved
from wcam_widget.model.head import Head
from wcam_widget.perturb.probe import Probe

LAWS = ("uniform", "normal")


@final
@dataclass(frozen=True)
class Noise:
    """What masked coefficients are replaced by, drawn anew at every step.

    Args:
        draws: Noisy images a step, at least 1.
        law: "uniform", from one standard deviation below to one above the mean of the coefficients that a
            channel has in a band, as published, or "normal", with that mean and deviation.
        seed: Runs with one seed repeat.

    Raises:
        ValueError: Naming the argument for what is not valid.
    """

    draws: int = 8
    law: str = "uniform"
    seed: int = 0

    def __post_init__(self) -> None:
        ensure_count(self.draws, "draws", 1)
        ensure_count(self.seed, "seed", 0)
        if self.law not in LAWS:
            raise ValueError(f"law={self.law!r} is unknown; {' and '.join(LAWS)} are accepted")

    def drawn(self, shape: Sequence[int], key: tuple[int, ...]) -> Float[np.ndarray, "c hp wp"]:
        """Numbers of mean 0 within 1 (uniform) or of deviation 1 (normal); ``key`` separates draws."""
        random = np.random.default_rng((self.seed, *key))
        if self.law == "normal":
            return random.standard_normal(tuple(shape), dtype=np.float32)
        return np.asarray(2.0 * random.random(tuple(shape), dtype=np.float32) - 1.0)


@final
@dataclass(frozen=True)
class Distance(AbstractTarget):
    """The squared distance of a target's score from ``score``; class ids must be resolved already.

    >>> from wcam_widget.model import Logit
    >>> Distance(Logit(0), 3.0)(torch.tensor([[1.0], [3.0]]))
    tensor([4., 0.])
    """

    target: AbstractTarget
    score: float

    @override
    def __call__(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        return (self.target(logits) - self.score).square()

    @override
    def resolve(self, count: int, class_names: Sequence[str] | None) -> AbstractTarget:
        return replace(self, target=self.target.resolve(count, class_names))

    @override
    def under(self, head: Head) -> AbstractTarget:
        return replace(self, target=self.target.under(head))

    @override
    def label(self, class_names: Sequence[str] | None) -> str:
        return f"squared distance from the {self.target.label(class_names)}"

    @property
    @override
    def unit(self) -> str:
        return f"{self.target.unit} squared"


@final
@dataclass(frozen=True, eq=False)
class Distortion:
    """The distortion of one image's score under masks of its cells, shared by all channels.

    Of every step one image has the baseline as replacement, the others ``noise``, where it is not None.
    ``stream`` separates the noise of several images.
    """

    probe: Probe
    noise: Noise | None
    stream: int = 0

    @property
    def images(self) -> int:
        """Images that are differentiated at every step."""
        return 1 if self.noise is None else 1 + self.noise.draws

    def slope(self, mask: Float[Tensor, " d"], step: int) -> Float[np.ndarray, " d"]:
        """The derivative of the distortion by the mask of each cell, estimated from the draws of one step."""
        picture = self.probe.picture
        squared = replace(self.probe, target=Distance(self.probe.target, self.probe.score))
        masked = 1.0 - painted(mask, self.probe)
        total = np.zeros(len(mask))
        # A descent enlarges the least difference, and sums over a batch round by its size: on the CPU, where
        # it costs little, images go one by one, so that the model's batch size changes no bit.
        together = 1 if picture.device.type == "cpu" else BLOCK
        for start in range(0, self.images, together):
            rows = range(start, min(start + together, self.images))
            away = torch.stack([self._replacement(step, row) for row in rows]) - picture
            _, slopes = coefficient_gradients(squared, masked * away)
            total -= summed((slopes * away).sum(0), self.probe.cells)  # more of the mask, less of ``away``
        return total / self.images

    def _replacement(self, step: int, row: int) -> Float[Tensor, "c hp wp"]:
        """What stands for masked coefficients in one image of a step, less the baseline."""
        if self.noise is None or row == 0:
            return torch.zeros_like(self.probe.picture)
        drawn = torch.from_numpy(self.noise.drawn(self.probe.picture.shape, (self.stream, step, row)))
        middle, deviation = self._spread
        return middle + deviation * moved(drawn, middle.device)

    @cached_property
    def _spread(self) -> tuple[Float[Tensor, "c hp wp"], Float[Tensor, "c hp wp"]]:
        """Mean and deviation of each channel's coefficients in each band, over the band's place."""
        picture = self.probe.picture
        middle, deviation = torch.zeros_like(picture), torch.zeros_like(picture)
        for band in self.probe.cells.bands:
            inside = (..., *band.slices)
            middle[inside] = picture[inside].mean((1, 2), keepdim=True)
            deviation[inside] = picture[inside].std((1, 2), correction=0, keepdim=True)
        return middle, deviation


def painted(mask: Float[Tensor, " d"], probe: Probe) -> Float[Tensor, "1 hp wp"]:
    """The mask over the probe's picture, on its device."""
    return probe.cells.paint(moved(mask[None].to(probe.picture.dtype), probe.picture.device))[0]


def spatial_slope(mask: Float[Tensor, " d"], probe: Probe) -> Float[np.ndarray, " d"]:
    """The derivative, by each cell's mask, of the masked image's mean absolute distance from the baseline."""
    with torch.inference_mode(mode=False), torch.enable_grad():
        kept = (probe.picture * painted(mask, probe)).detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(probe.basis.unpack(kept).abs().mean(), kept)
    return summed(slope * probe.picture, probe.cells)
