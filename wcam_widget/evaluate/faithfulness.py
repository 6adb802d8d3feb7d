"""Faithfulness: does the score depend on what a map points at? In pixels and in wavelets alike.

Every measure scores images without some cells of one ``Domain``. ``measures`` defines each once, over a
function of weights; ``scoring_space`` says how a map of one domain ranks the cells of another.
"""

from __future__ import annotations

import numpy as np

from wcam_widget.evaluate import measures
from wcam_widget.evaluate.rankings import Values
from wcam_widget.evaluate.result import Curve, Faithfulness, collect
from wcam_widget.evaluate.scoring_space import AttributionsLike, Case, Domain, DomainLike, MeasureInputs
from wcam_widget.model import ImagesLike, ModelLike, TargetsLike

STEPS = 50
SUBSETS, REMOVED, PIXEL_GRID = 200, 0.2, 9  # of mu-fidelity


def insertion(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
    steps: int | None = None,
) -> Faithfulness:
    """Area under the score while the most important cells are put into the baseline; higher is better.

    Equal values go in the order of the cells. The mean over images of a share of the score is no accuracy:
    compare with ``null``.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: A class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Which cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline:
            a blurred image unless given.
        steps: Points after the first, evenly over the cells; None: 50, or as many as there are cells.

    Returns:
        Areas, one per image, with their curves and those of ``null`` rankings, three more an image.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Petsiuk, Das and Saenko (2018), "RISE".

    Examples:
        >>> import torch
        >>> from wcam_widget import Logit
        >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
        >>> total = lambda images: images.sum((2, 3))
        >>> insertion(total, images, images[:, 0], [Logit(0)], Domain(baseline="black")).curves
        array([[0. , 1. , 1.5, 2. , 2. ]])
    """
    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "blurred"))
    return _curves("insertion", inputs, steps)


def deletion(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
    steps: int | None = None,
) -> Faithfulness:
    """Area under the score while the most important cells are taken away; lower is better.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: A class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Which cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline:
            the image's mean colour unless given.
        steps: Points after the first, evenly over the cells; None: 50, or as many as there are cells.

    Returns:
        Areas, one per image, with their curves and those of ``null`` rankings, three more an image.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Petsiuk, Das and Saenko (2018), "RISE".

    Examples:
        >>> import torch
        >>> from wcam_widget import Logit
        >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
        >>> total = lambda images: images.sum((2, 3))
        >>> deletion(total, images, images[:, 0], [Logit(0)], Domain(baseline="black"), steps=2).curves
        array([[2. , 0.5, 0. ]])
    """
    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "mean"))
    return _curves("deletion", inputs, steps)


def mu_fidelity(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
    subsets: int = SUBSETS,
) -> Faithfulness:
    """Rank correlation between a subset's summed values and the fall of the score without it; up to 1.

    Subsets are random fifths of the cells: exactly, since subsets of unequal size would agree by size alone.
    They are the same for every map and null ranking. Without any relation one image's value has a standard
    deviation of 1 / sqrt(subsets - 1): 0.07 for 200, 0.2 for 25. A map or a score that does not vary gives 0.
    Cells of unequal size rank easily, as coarse ones move both sums: compare with ``null``, and values of one
    domain only with each other.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: A class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Which cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline:
            the image's mean colour unless given; pixels are 9x9 cells.
        subsets: How many subsets are removed, at least 3.

    Returns:
        One value per image, with ``null`` rankings measured in the same cells.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Bhatt, Weller and Moura (2020), "Evaluating and Aggregating Feature-based Model Explanations",
        with Spearman's correlation.

    Examples:
        >>> import torch
        >>> from wcam_widget import Logit
        >>> images = torch.arange(81).reshape(1, 1, 9, 9) / 80
        >>> total = lambda images: images.sum((2, 3))
        >>> mu_fidelity(total, images, images[:, 0], [Logit(0)], Domain(baseline="black")).mean > 0.999
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

    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "mean"), PIXEL_GRID)
    return collect("mu-fidelity", inputs, measure)


def _fidelity(values: Values, removed: np.ndarray, falls: np.ndarray) -> float:
    if values.min() == values.max():
        return 0.0  # sums of equal values differ by rounding alone
    return measures.rank_correlation(np.array([values[row].sum() for row in removed]), falls)


def _curves(measure: str, inputs: MeasureInputs, steps: int | None) -> Faithfulness:
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

    return collect(measure, inputs, both)
