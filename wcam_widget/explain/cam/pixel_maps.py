"""Attributions made of a map over the image, from methods that give every pixel a number."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.basis import Cells, PixelBasis
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.map_info import ALL_ZERO, MapInfo
from wcam_widget.model.field_of_view import FieldOfView
from wcam_widget.sensitivity import Estimate

NO_STATISTIC = "a map over the image has no totals of bands"
FLAT = 1e-6  # of the largest value, below which a map's differences are rounding


def pixel_info(
    size: tuple[int, int], method: str, target: str, score: float, planned: int, unit: str
) -> MapInfo:
    """What maps over an image of one size have in common: one cell per pixel, and no totals of bands."""
    basis = PixelBasis(size)
    return MapInfo(
        cells=Cells.dyadic(basis, 1),
        basis=basis,
        method=method,
        target=target,
        score=score,
        planned=planned,
        unit=unit,
        statistic=NO_STATISTIC,
    )


def map_attribution(
    values: Float[Tensor, "h w"] | Float[np.ndarray, "h w"],
    info: MapInfo,
    passes: tuple[int, int],
    seconds: float,
    stop: str,
) -> Attribution:
    """An attribution whose values are those of a map over the image.

    Maps are computed, not sampled, so every value is its own interval with an error of 0. Shares of the
    variance, slopes and totals of bands do not exist and are NaN.

    Args:
        values: The map (H, W).
        info: What ``pixel_info`` gives for its size.
        passes: Forward and backward passes so far.
        seconds: Time so far.
        stop: Why the run ended; empty while it goes on. Of a map that is 0 everywhere it then begins with
            "the map is zero everywhere".

    >>> info = pixel_info((2, 3), "Mine", "logit of cat", 1.0, 3, "contribution")
    >>> map_attribution(torch.zeros(2, 3), info, (1, 1), 0.0, "done").stop
    'the map is zero everywhere; done'
    """
    numbers = torch.as_tensor(values).detach().cpu().double().numpy().flatten()
    estimate = Estimate.exact(numbers, evaluations=passes[0], gradients=passes[1])
    empty = bool(stop) and not numbers.any()
    return info.attribution(estimate, seconds, f"{ALL_ZERO}; {stop}" if empty else stop)


def masks_over(
    maps: Float[Tensor, "n _ _"], view: FieldOfView
) -> tuple[Float[Tensor, "n h w"], Float[Tensor, " n"]]:
    """Maps laid over the image and each stretched to [0, 1] where the network looks, and their spans before.

    Constant ones are 0, and all are where the network does not look.

    >>> masks_over(torch.tensor([[[1.0, 3.0]]]), FieldOfView.full((1, 2)))
    (tensor([[[0., 1.]]]), tensor([2.]))
    """
    over = view.over(maps)
    inside = over if view.is_all else over[:, view.seen.to(over.device)][:, None]
    low, high = inside.amin((1, 2))[:, None, None], inside.amax((1, 2))[:, None, None]
    spans = high - low
    masks = (over - low) / spans.clamp_min(torch.finfo(over.dtype).tiny)
    return masks if view.is_all else masks * view.seen.to(over.device), spans[:, 0, 0]


def in_unit(heat: Float[Tensor, "h w"], view: FieldOfView) -> Float[Tensor, "h w"] | None:
    """A map stretched to [0, 1] where the network looks, 0 elsewhere; None where it shows no place.

    >>> view = FieldOfView.full((1, 2))
    >>> in_unit(torch.tensor([[1.0, 3.0]]), view), in_unit(torch.ones(1, 2), view)
    (tensor([[0., 1.]]), None)
    """
    seen = None if view.is_all else view.seen.to(heat.device)
    inside = heat if seen is None else heat[seen]
    lowest, highest = inside.aminmax()
    if highest - lowest <= FLAT * inside.abs().max():
        return None
    stretched = (heat - lowest) / (highest - lowest)
    return stretched if seen is None else torch.where(seen, stretched, 0.0)
