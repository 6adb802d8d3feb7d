"""Localisation: does a map point at where the object is? Against masks drawn by hand, without a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy import ndimage

from wcam_widget.evaluate.measures import ranks
from wcam_widget.evaluate.result import standard_error
from wcam_widget.evaluate.scoring_space import AttributionsLike, ensure_maps
from wcam_widget.explain.attribution import Attribution

TOLERANCE = 15.0  # pixels, of the pointing game as first played
MOST = 0.2

if TYPE_CHECKING:
    MasksLike: TypeAlias = np.ndarray | torch.Tensor
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    MasksLike = Any

Mask = Bool[np.ndarray, "h w"]
Heat = Float[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class Localisation:
    """One measure of one map per image, and what pixels chosen blindly would reach.

    Attributes:
        measure: Its name.
        values: In [0, 1], higher is better, (B,).
        chance: What pixels chosen blindly would reach, in [0, 1], (B,).
        flat: True where a map points nowhere, as all its pixels are equal; its value is 0, (B,).

    Examples:
        >>> Localisation("pointing game", np.array([1.0, 0.0]), np.array([0.2, 0.4]), np.zeros(2, bool)).mean
        0.5
    """

    measure: str
    values: Float[np.ndarray, " b"]
    chance: Float[np.ndarray, " b"]
    flat: Bool[np.ndarray, " b"]

    @property
    def mean(self) -> float:
        """The mean over images."""
        return float(self.values.mean())

    @property
    def error(self) -> float:
        """The standard error of the mean over images; NaN for a single image, which tells none."""
        return standard_error(self.values)


def pointing_game(
    attributions: AttributionsLike, masks: MasksLike, tolerance: float = TOLERANCE
) -> Localisation:
    """Whether the highest pixel lies less than ``tolerance`` pixels from the object.

    Distances go from centre to centre of pixels; of equal pixels the first counts, row by row.

    Args:
        attributions: One ``Attribution`` per image, taken by ``spatial()``, or maps, (B, H, W).
        masks: (B, H, W), True where the object is; each holds some object.
        tolerance: In pixels, above 0.

    Returns:
        A value in [0, 1] per image, higher is better, and what pixels chosen blindly would reach.

    Raises:
        ValueError: Naming the argument, for shapes and values that do not fit.
        TypeError: Naming the argument, for another type.

    References:
        Zhang et al. (2018), "Top-down Neural Attention by Excitation Backprop", section 4.

    Examples:
        >>> heat = np.zeros((1, 20, 40))
        >>> heat[0, 5, 30] = 1.0
        >>> mask = np.zeros((1, 20, 40), bool)
        >>> mask[0, 5, :16] = True
        >>> pointing_game(heat, mask).mean, pointing_game(heat, mask, tolerance=15.5).mean
        (0.0, 1.0)
    """
    if not tolerance > 0:
        raise ValueError(f"tolerance: found {tolerance!r}; accepted is a positive number of pixels")

    def score(heat: Heat, mask: Mask) -> tuple[float, float]:
        near = ndimage.distance_transform_edt(~mask) < tolerance
        return float(near.flat[heat.argmax()]), float(near.mean())

    return _over_images("pointing game", attributions, masks, score)


def energy_inside(attributions: AttributionsLike, masks: MasksLike) -> Localisation:
    """Share of the map's positive values that lies on the object: the energy-based pointing game.

    A map without positive values gives 0.

    Args:
        attributions: One ``Attribution`` per image, taken by ``spatial()``, or maps, (B, H, W).
        masks: (B, H, W), True where the object is; each holds some object.

    Returns:
        A value in [0, 1] per image, higher is better, and what pixels chosen blindly would reach.

    Raises:
        ValueError: Naming the argument, for shapes and values that do not fit.
        TypeError: Naming the argument, for another type.

    References:
        Wang et al. (2020), "Score-CAM", section 4.3.

    Examples:
        >>> mask = np.array([[[True, False], [False, True]]])
        >>> energy_inside(np.array([[[3.0, 1.0], [0.0, -5.0]]]), mask).mean
        0.75
    """

    def score(heat: Heat, mask: Mask) -> tuple[float, float]:
        positive = heat.clip(min=0.0)
        total = float(positive.sum())
        return (float(positive[mask].sum()) / total if total > 0 else 0.0), float(mask.mean())

    return _over_images("energy inside", attributions, masks, score)


def mean_iou(attributions: AttributionsLike, masks: MasksLike, most: float = MOST) -> Localisation:
    """Intersection over union of the object and the ``most`` share of pixels with the highest values.

    Equal pixels go in their order, row by row. ``chance`` is that of as many blindly chosen pixels with their
    expected intersection.

    Args:
        attributions: One ``Attribution`` per image, taken by ``spatial()``, or maps, (B, H, W).
        masks: (B, H, W), True where the object is; each holds some object.
        most: The share of pixels, in (0, 1].

    Returns:
        A value in [0, 1] per image, higher is better, and what pixels chosen blindly would reach.

    Raises:
        ValueError: Naming the argument, for shapes and values that do not fit.
        TypeError: Naming the argument, for another type.

    References:
        Sattarzadeh et al. (2021), "Explaining Convolutional Neural Networks through Attribution-Based Input
        Sampling and Block-Wise Feature Aggregation" (SISE), section 4.

    Examples:
        >>> mask = np.array([[[True, True], [False, False]]])
        >>> mean_iou(np.array([[[3.0, 1.0], [0.0, 2.0]]]), mask, 0.5).chance
        array([0.33333333])
    """
    if not 0 < most <= 1:
        raise ValueError(f"most: found {most!r}; accepted is a share in (0, 1]")

    def score(heat: Heat, mask: Mask) -> tuple[float, float]:
        chosen = max(1, round(most * heat.size))
        common = int((mask.ravel() & (ranks(heat.ravel()) < chosen)).sum())
        both, expected = chosen + int(mask.sum()), chosen * float(mask.mean())
        return common / (both - common), expected / (both - expected)

    return _over_images("mean IoU", attributions, masks, score)


def _over_images(
    measure: str,
    attributions: AttributionsLike,
    masks: MasksLike,
    score: Callable[[Heat, Mask], tuple[float, float]],
) -> Localisation:
    objects = ensure_masks(masks)
    given = ensure_maps(attributions, torch.from_numpy(objects[:, None].astype(np.float32)))
    heats = [one.spatial() if isinstance(one, Attribution) else one for one in given]
    flat = np.array([heat.min() == heat.max() for heat in heats])
    values, chance = np.array([score(*pair) for pair in zip(heats, objects, strict=True)]).T
    return Localisation(measure, np.where(flat, 0.0, values), chance, flat)


def ensure_masks(masks: MasksLike) -> Bool[np.ndarray, "b h w"]:
    """Masks (B, H, W) of True and False; errors name ``masks``."""
    accepted = "a bool tensor or array (B, H, W), True where the object is"
    if not isinstance(masks, np.ndarray | torch.Tensor):
        raise TypeError(f"masks: found {type(masks).__qualname__}; accepted is {accepted}")
    table = masks.detach().cpu().numpy() if isinstance(masks, torch.Tensor) else masks
    if table.dtype != bool or table.ndim != 3 or table.size == 0:
        raise ValueError(f"masks: found {table.dtype} {table.shape}; accepted is {accepted}")
    empty = np.flatnonzero(~table.any((1, 2)))
    if len(empty):
        raise ValueError(f"masks[{empty[0]}]: found no object; accepted is {accepted}")
    return np.ascontiguousarray(table)
