"""Rho metrics: how much of the score a map keeps, or leaves behind, for how little of the image."""

from __future__ import annotations

import numpy as np

from wcam_widget.evaluate import measures
from wcam_widget.evaluate.result import Faithfulness, collect
from wcam_widget.evaluate.scoring_space import AttributionsLike, Case, Domain, DomainLike, MeasureInputs
from wcam_widget.model import ImagesLike, ModelLike, TargetsLike


def rho_plus(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
) -> Faithfulness:
    """Score of the image weighted by the map, over the mean weight; higher is better.

    Weights are the cells' values, stretched to [0, 1] over the image; a flat map has weights of 1, which give
    the plain score. Small maps are divided by little: a single pixel of N gets up to N times the baseline's
    score, so compare with ``null``. "black" as baseline weights pixels before normalisation.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: A class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Which cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline:
            the image's mean colour unless given.

    Returns:
        One value per image, with ``null`` rankings measured in the same cells.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Jalwana et al. (2021), "CAMERAS", section 5.

    Examples:
        >>> import torch
        >>> from wcam_widget import Logit
        >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
        >>> total = lambda images: images.mean((2, 3))
        >>> rho_plus(total, images, images[:, 0], [Logit(0)], Domain(baseline="black")).mean
        0.75
    """
    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "mean"))
    return collect("rho+", inputs, lambda case: _per_weight(case, remaining=False))


def rho_minus(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
) -> Faithfulness:
    """Score of what the map leaves of the image, over the mean of what it leaves; lower is better.

    As ``rho_plus`` with one less each weight; a flat map leaves the image as it is.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: A class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Which cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline:
            the image's mean colour unless given.

    Returns:
        One value per image, with ``null`` rankings measured in the same cells.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Jalwana et al. (2021), "CAMERAS", section 5.

    Examples:
        >>> import torch
        >>> from wcam_widget import Logit
        >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
        >>> total = lambda images: images.mean((2, 3))
        >>> rho_minus(total, images, images[:, 0], [Logit(0)], Domain(baseline="black")).mean
        0.25
    """
    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "mean"))
    return collect("rho-", inputs, lambda case: _per_weight(case, remaining=True))


def _per_weight(case: Case, *, remaining: bool) -> list[float]:
    """Scores over mean weights, of the map and of each null ranking."""
    weights = np.array([measures.stretched(values) for values in case.rankings])
    if remaining:
        weights = 1.0 - weights
    weights[weights.min(1) == weights.max(1)] = 1.0
    scores = measures.in_parts(case.probe, len(weights), len(case.values), lambda part: weights[part])
    return list(scores / weights.mean(1))
