"""Attributions made of a map over the image, from methods that give every pixel a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.basis import Cells, PixelBasis
from wcam_widget.explain.attribution import Attribution
from wcam_widget.sensitivity import Estimate, GroupEstimate, Kind

NO_STATISTIC = "a map over the image has no totals of bands"
ALL_ZERO = "the map is zero everywhere"
FLAT = 1e-6  # of the largest value, below which a map's differences are rounding


@dataclass(frozen=True, eq=False)
class Told:
    """What is said of a map: how it was made, of what, and what it cost.

    ``evaluations`` and ``gradients`` count the forward and backward passes behind it, ``planned`` the
    forward-equivalents of the whole run; ``stop`` says why it ended and is empty while it goes on.
    """

    method: str
    target: str
    score: float
    unit: str
    evaluations: int
    gradients: int
    planned: int
    seconds: float
    stop: str


def map_attribution(values: Float[Tensor, "h w"] | Float[np.ndarray, "h w"], told: Told) -> Attribution:
    """An attribution with one cell per pixel, whose values are the map's.

    Maps are computed, not sampled, so every value is its own interval with an error of 0. Shares of the
    variance, slopes and totals of bands do not exist and are NaN. Where the map is 0 everywhere a finished
    ``stop`` begins with "the map is zero everywhere".

    >>> told = Told("Mine", "logit of cat", 1.0, "contribution", 1, 1, 3, 0.0, "done")
    >>> map_attribution(torch.zeros(2, 3), told).stop
    'the map is zero everywhere; done'
    """
    heat = torch.as_tensor(values).detach().cpu().double().numpy()
    basis = PixelBasis((heat.shape[0], heat.shape[1]))
    numbers = heat.flatten()
    unknown, band, none = np.full(numbers.size, np.nan), np.full(1, np.nan), np.zeros((0, 1))
    groups = GroupEstimate(total=band, low=band, high=band, shapley=band, closed=band, left_out=none)
    estimate = Estimate(
        value=numbers,
        low=numbers,
        high=numbers,
        kind=np.full(numbers.size, Kind.ESTIMATED, np.int8),
        error=np.zeros(numbers.size),
        first=unknown,
        slope=unknown,
        left_out=np.zeros((0, numbers.size)),
        groups=groups,
        variance=float("nan"),
        evaluations=told.evaluations,
        gradients=told.gradients,
    )
    empty = bool(told.stop) and not numbers.any()
    return Attribution(
        estimate=estimate,
        cells=Cells.dyadic(basis, 1),
        basis=basis,
        method=told.method,
        target=told.target,
        score=told.score,
        planned=told.planned,
        seconds=told.seconds,
        complete=bool(told.stop),
        stop=f"{ALL_ZERO}; {told.stop}" if empty else told.stop,
        unit=told.unit,
        statistic=NO_STATISTIC,
    )


def over_image(maps: Float[Tensor, "n h w"], size: tuple[int, int]) -> Float[Tensor, "n H W"]:
    """Maps stretched over the image, bilinear between the centres of their positions."""
    return torch.nn.functional.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def masks_over(
    maps: Float[Tensor, "n h w"], size: tuple[int, int]
) -> tuple[Float[Tensor, "n H W"], Float[Tensor, " n"]]:
    """Maps stretched over the image and each to [0, 1], and the span each had before; constant ones are 0.

    >>> masks_over(torch.tensor([[[1.0, 3.0]]]), (1, 2))
    (tensor([[[0., 1.]]]), tensor([2.]))
    """
    over = over_image(maps, size)
    low, high = over.amin((1, 2), keepdim=True), over.amax((1, 2), keepdim=True)
    spans = high - low
    return (over - low) / spans.clamp_min(torch.finfo(over.dtype).tiny), spans[:, 0, 0]


def in_unit(heat: Float[Tensor, "h w"]) -> Float[Tensor, "h w"] | None:
    """A map stretched to [0, 1]; None where all of it is equal, so that it shows no place.

    >>> in_unit(torch.tensor([[1.0, 3.0]])), in_unit(torch.ones(2, 2))
    (tensor([[0., 1.]]), None)
    """
    lowest, highest = heat.aminmax()
    if highest - lowest <= FLAT * heat.abs().max():
        return None
    return (heat - lowest) / (highest - lowest)
