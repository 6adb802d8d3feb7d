"""Rho metrics: how much of the score a map keeps, or leaves behind, for how little of the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from wcam_widget.evaluate import measures
from wcam_widget.evaluate.result import Faithfulness, gathered
from wcam_widget.evaluate.scoring_space import Asked, Case, Domain, ensure_domain
from wcam_widget.explain.method import Pixels
from wcam_widget.explain.wcam.wcam import Wcam


def rho_plus(
    model: Any,
    images: Pixels,
    attributions: Any,
    targets: Any = None,
    domain: str | Wcam | Domain = "own",
) -> Faithfulness:
    """The score of the image weighted by the map, over the mean weight; higher is better.

    Weights are the cells' values, stretched to [0, 1] over the image; a flat map has weights of 1, which give
    the plain score. Arguments and errors are those of ``wcam_widget.evaluate.faithfulness.insertion``; the
    baseline is the image's mean colour unless given ("black": weights on pixels before normalisation).
    Small maps are divided by little: a single pixel of N gets up to N times the baseline's score, so compare
    with ``null``. Source: Jalwana et al. (2021), "CAMERAS".

    >>> import torch
    >>> from wcam_widget import Logit
    >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
    >>> whole = lambda images: images.mean((2, 3))
    >>> rho_plus(whole, images, images[:, 0], [Logit(0)], Domain(baseline="black")).mean
    0.75
    """
    asked = Asked(model, images, attributions, targets, ensure_domain(domain, "mean"))
    return gathered("rho+", asked, lambda case: _per_weight(case, remaining=False))


def rho_minus(
    model: Any,
    images: Pixels,
    attributions: Any,
    targets: Any = None,
    domain: str | Wcam | Domain = "own",
) -> Faithfulness:
    """The score of what the map leaves of the image, over the mean of what it leaves; lower is better.

    As ``rho_plus`` with one less each weight; a flat map leaves the whole image.
    Source: Jalwana et al. (2021), "CAMERAS".

    >>> import torch
    >>> from wcam_widget import Logit
    >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
    >>> whole = lambda images: images.mean((2, 3))
    >>> rho_minus(whole, images, images[:, 0], [Logit(0)], Domain(baseline="black")).mean
    0.25
    """
    asked = Asked(model, images, attributions, targets, ensure_domain(domain, "mean"))
    return gathered("rho-", asked, lambda case: _per_weight(case, remaining=True))


def _per_weight(case: Case, *, remaining: bool) -> list[float]:
    """Scores over mean weights, of the map and of each null ranking."""
    weights = np.array([measures.stretched(values) for values in case.rankings])
    if remaining:
        weights = 1.0 - weights
    weights[weights.min(1) == weights.max(1)] = 1.0
    scores = measures.in_parts(case.probe, len(weights), len(case.values), lambda part: weights[part])
    return list(scores / weights.mean(1))
