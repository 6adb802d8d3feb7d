"""NISSIM of pairs of maps, and its readings over images and attack levels: MOD and VID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from wcam_widget.evaluate.similarity import SSIM, Maps, Ssim
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, replicated


def nissim(first: Maps, second: Maps, ssim: Ssim = SSIM) -> Float[np.ndarray, " n"]:
    """Normalised inverse structural similarity of pairs of maps: (1 - SSIM) / 2, 0 same to 1 opposite.

    Two constant maps are the same.

    Args:
        first: Maps, (n, h, w), finite.
        second: Maps of the same shape.
        ssim: Settings of the structural similarity.

    Returns:
        One value per pair, (n,).

    Raises:
        ValueError: For maps of different shapes, that are not finite or smaller than the window of ``ssim``.

    References:
        Chakraborty et al. (2022), "Generalizing Adversarial Explanations with Grad-CAM".

    Examples:
        >>> import torch
        >>> heat = torch.rand(2, 16, 16)
        >>> nissim(heat, heat).tolist()
        [0.0, 0.0]
    """
    return np.clip((1.0 - ssim(first, second)) / 2.0, 0.0, 1.0)


@final
@dataclass(frozen=True, eq=False)
class Mod:
    """Mean observed dissimilarity at each attack level: ``value``, with 95 % limits over images."""

    value: Float[np.ndarray, " e"]
    low: Float[np.ndarray, " e"]
    high: Float[np.ndarray, " e"]


@final
@dataclass(frozen=True, eq=False)
class Vid:
    """Variation of dissimilarity, in the three readings of its definition; standard deviations, ddof = 0.

    model: over attack levels, of their means over images, with 95 % limits ``low`` and ``high`` over images;
    the reading to report by default. per_image: over attack levels, of each image. per_level: over images, at
    each attack level.
    """

    model: float
    low: float
    high: float
    per_image: Float[np.ndarray, " n"]
    per_level: Float[np.ndarray, " e"]


def mod(values: Float[np.ndarray, "e n"], confidence: float = CONFIDENCE) -> Mod:
    """Mean NISSIM over images at each attack level, with Student limits; of one image nothing limits it.

    Args:
        values: NISSIM, (levels, images), 0 to 1.
        confidence: Of the limits, 0 to 1.

    Returns:
        The mean at each attack level, with its limits.

    Raises:
        ValueError: For values that are not NISSIM of at least one level and one image.

    References:
        Chakraborty et al. (2022), "Generalizing Adversarial Explanations with Grad-CAM".

    Examples:
        >>> mod(np.array([[0.1, 0.3], [0.2, 0.4]])).value.round(2).tolist()
        [0.2, 0.3]
    """
    table = _ensure_values(values, levels=1)
    low, high = replicated(lambda kept: table[:, kept].mean(1), table.shape[1]).symmetric_interval(confidence)
    return Mod(table.mean(1), np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0))


def vid(values: Float[np.ndarray, "e n"], confidence: float = CONFIDENCE) -> Vid:
    """How much dissimilarity varies with the strength of the attack, in all three readings.

    Args:
        values: NISSIM, (levels, images), 0 to 1, of at least two levels.
        confidence: Of the limits, 0 to 1.

    Returns:
        Standard deviations over levels and over images.

    Raises:
        ValueError: For values that are not NISSIM of at least two levels and one image.

    References:
        Chakraborty et al. (2022), "Generalizing Adversarial Explanations with Grad-CAM".

    Examples:
        >>> spread = vid(np.array([[0.1, 0.1], [0.1, 0.5]]))
        >>> round(spread.model, 3), spread.per_image.round(3).tolist(), spread.per_level.round(3).tolist()
        (0.1, [0.0, 0.2], [0.0, 0.2])
    """
    table = _ensure_values(values, levels=2)
    spread = replicated(lambda kept: table[:, kept].mean(1).std(keepdims=True), table.shape[1])
    low, high = spread.symmetric_interval(confidence)
    # The deviation of numbers from 0 to 1 is at most a half.
    limits = float(np.clip(low[0], 0.0, 0.5)), float(np.clip(high[0], 0.0, 0.5))
    return Vid(float(spread.value[0]), *limits, per_image=table.std(0), per_level=table.std(1))


def _ensure_values(values: Float[np.ndarray, "e n"], levels: int) -> Float[np.ndarray, "e n"]:
    table = np.asarray(values, dtype=float)
    fits = table.ndim == 2 and table.shape[0] >= levels and table.shape[1] >= 1
    if not fits or not ((table >= 0) & (table <= 1)).all():
        raise ValueError(
            f"values: found shape {table.shape}; accepted is NISSIM (levels, images) from 0 to 1, "
            f"of at least {levels} attack level{'s' if levels > 1 else ''} and one image"
        )
    return table
