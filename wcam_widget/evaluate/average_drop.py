"""Average drop and average increase: what only the cells a map points at do to the score."""

from __future__ import annotations

import numpy as np

from wcam_widget.evaluate import measures
from wcam_widget.evaluate.result import Faithfulness, collect
from wcam_widget.evaluate.scoring_space import AttributionsLike, Case, Domain, DomainLike, MeasureInputs
from wcam_widget.model import ImagesLike, ModelLike, TargetsLike


def average_drop(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
    keep: float | None = None,
) -> Faithfulness:
    """Share of the score that is lost when only what the map points at is kept; 0 to 1, lower is better.

    With ``keep=None`` a map that spreads wide keeps more of the image and drops less, whatever it points at,
    and a flat one keeps nothing: maps are compared with each other and with ``null`` at one ``keep``. Scores
    must be positive, as those of logits may not be.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: A class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Which cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline:
            the image's mean colour unless given.
        keep: None weights each cell by its value, stretched to [0, 1] over the image (Grad-CAM++); a share in
            (0, 1] keeps that share of the cells, the most valued ones (SISE: 0.15).

    Returns:
        One value per image, with ``null`` rankings measured in the same cells.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Chattopadhay et al. (2018), "Grad-CAM++", in shares, not percent.

    Examples:
        >>> import torch
        >>> from wcam_widget import Logit
        >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
        >>> total = lambda images: images.sum((2, 3))
        >>> average_drop(total, images, images[:, 0], [Logit(0)], Domain(baseline="black"), keep=0.5).mean
        0.25
    """

    def measure(case: Case) -> list[float]:
        before = positive_score(case)
        return [max(0.0, before - after) / before for after in _kept(case, keep)]

    _ensure_keep(keep)
    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "mean"))
    return collect("average drop", inputs, measure)


def average_increase(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
    keep: float | None = None,
) -> Faithfulness:
    """Share of images whose score rises when only what the map points at is kept; higher is better.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: A class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Which cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline:
            the image's mean colour unless given.
        keep: None weights each cell by its value, stretched to [0, 1] over the image (Grad-CAM++); a share in
            (0, 1] keeps that share of the cells, the most valued ones (SISE: 0.15).

    Returns:
        ``values`` of 1 where the score rises, else 0, with ``null`` rankings measured in the same cells.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Chattopadhay et al. (2018), "Grad-CAM++", in shares, not percent.

    Examples:
        >>> import torch
        >>> from wcam_widget import Logit
        >>> images, dark = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]]), lambda images: -images.sum((2, 3))
        >>> average_increase(dark, images, images[:, 0], [Logit(0)], Domain(baseline="black")).mean
        1.0
    """

    def measure(case: Case) -> list[float]:
        return [float(after > case.probe.score) for after in _kept(case, keep)]

    _ensure_keep(keep)
    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "mean"))
    return collect("average increase", inputs, measure)


def positive_score(case: Case) -> float:
    """The score of the image itself; ValueError naming ``targets`` where no share of it can be lost."""
    score = case.probe.score
    if score <= 0:
        raise ValueError(
            f"targets: the score of images[{case.number}] is {score:.4g}: no share of that can be lost; "
            "accepted are targets with positive scores, such as Probability"
        )
    return score


def _ensure_keep(keep: float | None) -> None:
    if keep is not None and not 0 < keep <= 1:
        raise ValueError(f"keep: found {keep!r}; accepted are None and a share in (0, 1]")


def _kept(case: Case, keep: float | None) -> np.ndarray:
    """Scores with what the map, and then each null ranking, points at."""
    if keep is None:
        weights = np.array([measures.stretched(values) for values in case.rankings])
    else:
        most = max(1, round(keep * len(case.values)))
        weights = np.array([measures.ranks(values) < most for values in case.rankings])
    return measures.in_parts(case.probe, len(weights), len(case.values), lambda part: weights[part])
