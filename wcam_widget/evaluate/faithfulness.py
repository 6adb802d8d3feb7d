"""Faithfulness: does the score depend on what a map points at? In pixels and in wavelets alike.

Every measure removes cells of one ``Domain`` and asks the model. ``measures`` defines each once, over a
function of weights; ``domain`` says how a map of one domain scores the cells of another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wcam_widget.evaluate import measures
from wcam_widget.evaluate.rankings import Values
from wcam_widget.evaluate.result import Curve, Faithfulness, gathered
from wcam_widget.evaluate.scoring_space import Asked, Case, Domain, ensure_domain
from wcam_widget.explain.method import Pixels
from wcam_widget.explain.wcam.wcam import Wcam

Where = str | Wcam | Domain
STEPS = 50
SUBSETS, REMOVED, PIXEL_GRID = 200, 0.2, 9  # of mu-fidelity


def insertion(
    model: Any,
    images: Pixels,
    attributions: Any,
    targets: Any = None,
    domain: Where = "own",
    steps: int | None = None,
) -> Faithfulness:
    """Area under the score while the most important cells are put into the baseline; higher is better.

    images: (B, C, H, W) in [0, 1]. attributions: one Attribution per image, or maps (B, H, W). targets: one
    class or target each; a class stands for its probability, None for the class that was explained.
    domain: see ``Domain``; the baseline is a blurred image unless given. steps: points after the first,
    evenly over the cells; None for 50, or fewer where there are fewer cells. Equal values go in the order of
    the cells. Raises ValueError or TypeError naming the argument. The mean over images of a share of the
    score is no accuracy: compare with ``null``, which costs three more curves.
    Source: Petsiuk et al. (2018), "RISE".

    >>> import torch
    >>> from wcam_widget import Logit
    >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
    >>> whole = lambda images: images.sum((2, 3))
    >>> insertion(whole, images, images[:, 0], [Logit(0)], Domain(baseline="black")).curves
    array([[0. , 1. , 1.5, 2. , 2. ]])
    """
    asked = Asked(model, images, attributions, targets, ensure_domain(domain, "blurred"))
    return _curves("insertion", asked, steps)


def deletion(
    model: Any,
    images: Pixels,
    attributions: Any,
    targets: Any = None,
    domain: Where = "own",
    steps: int | None = None,
) -> Faithfulness:
    """Area under the score while the most important cells are taken away; lower is better.

    Arguments and errors are those of ``insertion``; the baseline is the image's mean colour unless given.
    Source: Petsiuk et al. (2018), "RISE".

    >>> import torch
    >>> from wcam_widget import Logit
    >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
    >>> whole = lambda images: images.sum((2, 3))
    >>> deletion(whole, images, images[:, 0], [Logit(0)], Domain(baseline="black"), steps=2).curves
    array([[2. , 0.5, 0. ]])
    """
    asked = Asked(model, images, attributions, targets, ensure_domain(domain, "mean"))
    return _curves("deletion", asked, steps)


def mu_fidelity(
    model: Any,
    images: Pixels,
    attributions: Any,
    targets: Any = None,
    domain: Where = "own",
    subsets: int = SUBSETS,
) -> Faithfulness:
    """Rank correlation between a subset's summed values and the fall of the score without it; up to 1.

    Subsets are random fifths of the cells: exactly, since subsets of unequal size would agree by size alone.
    They are the same for every map and null ranking. subsets: at least 3. Without any relation one image's
    value has a standard deviation of 1 / sqrt(subsets - 1): 0.07 for 200, 0.2 for 25. A map or a score that
    does not vary gives 0. Cells of unequal size rank easily, as coarse ones move both sums: compare with
    ``null``, and values of one domain only with each other. Other arguments and errors are those of
    ``insertion``; the baseline is the image's mean colour unless given.
    Source: Bhatt et al. (2020), "Evaluating and Aggregating Feature-based Model Explanations", with
    Spearman's correlation.

    >>> import torch
    >>> from wcam_widget import Logit
    >>> images = torch.arange(81).reshape(1, 1, 9, 9) / 80
    >>> whole = lambda images: images.sum((2, 3))
    >>> mu_fidelity(whole, images, images[:, 0], [Logit(0)], Domain(baseline="black")).mean > 0.999
    True
    """
    if subsets < 3 or int(subsets) != subsets:
        raise ValueError(f"subsets: found {subsets}; accepted are at least 3, and 200 or more tell something")

    def measure(case: Case) -> list[float]:
        cells = len(case.probe.cells)
        size = max(1, round(REMOVED * cells))
        removed = measures.random_subsets(cells, size, subsets, case.random("subsets"))
        falls = measures.drops(case.probe, removed)
        return [_fidelity(values, removed, falls) for values in case.rankings]

    asked = Asked(model, images, attributions, targets, ensure_domain(domain, "mean"), PIXEL_GRID)
    return gathered("mu-fidelity", asked, measure)


def _fidelity(values: Values, removed: np.ndarray, falls: np.ndarray) -> float:
    if values.min() == values.max():
        return 0.0  # sums of equal values differ by rounding alone
    return measures.rank_correlation(np.array([values[row].sum() for row in removed]), falls)


def average_drop(
    model: Any,
    images: Pixels,
    attributions: Any,
    targets: Any = None,
    domain: Where = "own",
    keep: float | None = None,
) -> Faithfulness:
    """Share of the score that is lost when only what the map points at is kept; 0 to 1, lower is better.

    keep: None weights each cell by its value, stretched to [0, 1] over the image (Grad-CAM++); a share in
    (0, 1] keeps that share of the cells, the most valued ones (SISE: 0.15). With None a map that spreads wide
    keeps more of the image and drops less, whatever it points at, and a flat one keeps nothing: maps are
    compared with each other and with ``null`` at one ``keep``. Other arguments and errors are those of
    ``insertion``; the baseline is the image's mean colour unless given. Raises ValueError where a score is
    not positive, as logits may be: a share needs a whole.
    Source: Chattopadhay et al. (2018), "Grad-CAM++", in shares, not percent.

    >>> import torch
    >>> from wcam_widget import Logit
    >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
    >>> whole = lambda images: images.sum((2, 3))
    >>> average_drop(whole, images, images[:, 0], [Logit(0)], Domain(baseline="black"), keep=0.5).mean
    0.25
    """

    def measure(case: Case) -> list[float]:
        before = positive_score(case)
        return [max(0.0, before - after) / before for after in _kept(case, keep)]

    asked = _masked(Asked(model, images, attributions, targets, ensure_domain(domain, "mean")), keep)
    return gathered("average drop", asked, measure)


def average_increase(
    model: Any,
    images: Pixels,
    attributions: Any,
    targets: Any = None,
    domain: Where = "own",
    keep: float | None = None,
) -> Faithfulness:
    """Share of images whose score rises when only what the map points at is kept; higher is better.

    ``values`` are 1 where it rises, else 0. Arguments are those of ``average_drop``; any target will do.
    Source: Chattopadhay et al. (2018), "Grad-CAM++", in shares, not percent.

    >>> import torch
    >>> from wcam_widget import Logit
    >>> images, dark = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]]), lambda images: -images.sum((2, 3))
    >>> average_increase(dark, images, images[:, 0], [Logit(0)], Domain(baseline="black")).mean
    1.0
    """

    def measure(case: Case) -> list[float]:
        return [float(after > case.probe.score) for after in _kept(case, keep)]

    asked = _masked(Asked(model, images, attributions, targets, ensure_domain(domain, "mean")), keep)
    return gathered("average increase", asked, measure)


def positive_score(case: Case) -> float:
    """The score of the image itself, which shares are of; ValueError naming ``targets`` where it has none."""
    score = case.probe.score
    if score <= 0:
        raise ValueError(
            f"targets: the score of images[{case.number}] is {score:.4g}: no share of that can be lost; "
            "accepted are targets with positive scores, such as Probability"
        )
    return score


def _masked(asked: Asked, keep: float | None) -> Asked:
    if keep is not None and not 0 < keep <= 1:
        raise ValueError(f"keep: found {keep!r}; accepted are None and a share in (0, 1]")
    return asked


def _kept(case: Case, keep: float | None) -> np.ndarray:
    """Scores with what the map, and then each null ranking, points at."""
    if keep is None:
        weights = np.array([measures.stretched(values) for values in case.rankings])
    else:
        most = max(1, round(keep * len(case.values)))
        weights = np.array([measures.ranks(values) < most for values in case.rankings])
    return measures.in_parts(case.probe, len(weights), len(case.values), lambda part: weights[part])


def _curves(measure: str, asked: Asked, steps: int | None) -> Faithfulness:
    """The result of insertion or deletion."""
    if steps is not None and (steps < 1 or int(steps) != steps):
        raise ValueError(f"steps: found {steps}; accepted are None and at least 1")

    def both(case: Case) -> list[Curve]:
        cells = len(case.values)
        if steps is not None and steps > cells:
            raise ValueError(f"steps: found {steps}; accepted are None and 1 to {cells}, one for each cell")
        points = measures.counts(cells, min(STEPS, cells) if steps is None else steps)
        removing = measure == "deletion"
        scores = [measures.curve(case.probe, values, points, removing=removing) for values in case.rankings]
        return [Curve(points / cells, one, measures.area(one, points / cells)) for one in scores]

    return gathered(measure, asked, both)
