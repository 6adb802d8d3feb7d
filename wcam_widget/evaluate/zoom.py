"""The same object at several scales: what the score gains by zooming, and at which scales it is gained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate.levels import level_effects, levels_of
from wcam_widget.evaluate.measures import decisions
from wcam_widget.evaluate.stream import StreamLike, count_of, read
from wcam_widget.evaluate.zoomed_levels import EXPLAINED, VIEWS, LevelRow, Zoom, ZoomRow
from wcam_widget.explain.loop import Failure, each
from wcam_widget.explain.method import MethodLike, ensure_targets
from wcam_widget.explain.wcam.wcam import Wcam
from wcam_widget.model import AbstractTarget, BlackBox, Logit, ModelLike, TargetLike, TargetsLike
from wcam_widget.perturb.space import LEVELS, AtMost
from wcam_widget.stress.zoom import FRAME, Zoomed, zoom_views

if TYPE_CHECKING:
    from typing import TypeAlias

    BoxLike: TypeAlias = (
        tuple[float, float, float, float] | Sequence[tuple[float, float, float, float]] | None
    )
    FactorsLike: TypeAlias = Sequence[float]
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    BoxLike = FactorsLike = Any


def zoom(
    model: ModelLike,
    image: StreamLike,
    box: BoxLike = None,
    factors: FactorsLike = (1, 1.5, 2),
    method: MethodLike = None,
    targets: TargetsLike = None,
) -> Zoom:
    """Measure what zooming in does to a score, and at which physical scales the score rests on the image.

    Two controls stand beside each view: the crop that is not enlarged, where only the background is gone, and
    the crop that is enlarged from the view at factor 1, which has no detail that was not there before. What
    zooming gains is the sum of three steps: to the crop (background removed), on to the enlarged crop (larger
    on the network's grid), on to the zoomed view (finer detail). The steps depend on their order.

    Levels are compared by physical scale: level k at factor f covers as much of the object as level
    k - log2 f at factor 1. Each level has one set of all of its cells and filters, so that its total index
    and Shapley effect need no sum or mean over cells, whose number differs from scale to scale. Zoomed views
    have log2 f more levels, rounded; the grid of cells is that of each view.

    Args:
        model: A ``BlackBox``, a torch module or a callable. Views have its ``input_size``, or where it has
            none, as many pixels as the photograph has at the largest factor.
        image: A photograph, (C, H, W) in [0, 1], a path or an image of PIL, larger than the model's input; or
            several: a list, a batch, or an iterable of them.
        box: The object, as top, left, bottom, right in pixels of the photograph; one for all of several, or
            one for each; None for the middle.
        factors: At least 1 each; 1 itself is always measured.
        method: A ``Wcam`` whose analysis, wavelet, levels (at factor 1) and cells are used; None for
            ``Wcam()``.
        targets: A class id or class name for all photographs or for each, whose probability is the score;
            None for the top class at factor 1, so that accuracy is agreement with that.

    Returns:
        Scores and decisions of all views, totals and Shapley effects of their levels, and what they say.

    Raises:
        ValueError: Naming the argument that does not fit.
        ModelError: Where the model fails.

    References:
        Kasmi et al. (2023), "Scale Matters: Attribution Meets the Wavelet Domain to Explain Model Sensitivity
        to Image Corruptions", whose zooming this repeats with controls; Owen (2014), "Sobol' indices and
        Shapley value".

    Examples:
        >>> import torch
        >>> from wcam_widget import Derivative
        >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, 2))
        >>> model = BlackBox(net)
        >>> model.input_size = (16, 16)
        >>> measured = zoom(model, torch.rand(3, 40, 40), factors=[2], method=Wcam(Derivative(4), levels=2))
        >>> measured.table()["physical"].tolist()
        [2.0, 2.0, 1.0, 2.0, 2.0, 1.0, 0.0, 2.0, 2.0, 1.0, 0.0]
    """
    network = BlackBox.ensure(model)
    chosen = ensure_method(method)
    levels = ensure_factors(factors)
    images = image[None] if isinstance(image, Tensor | np.ndarray) and image.ndim == 3 else image
    boxes = _boxes(box, images)
    wanted = _targets(targets, images)

    def task(number: int, photo: Float[Tensor, "c h w"]) -> Iterator[ZoomRow]:
        yield _measured(network, photo, (levels, next(boxes), next(wanted)), chosen, number)

    rows = []
    for _, one in each(task, read(images)):
        if isinstance(one, Failure):
            raise one.error
        rows.append(one)
    return Zoom(tuple(levels), tuple(rows))


def _measured(
    network: BlackBox, photo: Tensor, view: tuple[list[float], Any, TargetLike], method: Wcam, number: int
) -> ZoomRow:
    """Scores of all views of one photograph, and the levels of those that are explained."""
    factors, box, target = view
    size = _size(network, photo, max(factors))
    views = [zoom_views(photo, size, factor, box) for factor in factors]
    goal = _goal(network, views[0], target)
    scores, right, levels = [], [], {}
    for one in views:
        logits = network.logits(torch.stack([getattr(one, name) for name in VIEWS]))
        scores.append(goal(logits).double().numpy())
        decided = True if logits.shape[1] == 1 else getattr(goal, "class_id", None)
        right.append(decisions(logits.numpy()) == decided)
        for name in EXPLAINED if one.factor > 1 else EXPLAINED[:1]:
            levels[one.factor, name] = _levels(network, one, name, (method, goal), number)
    pictures = tuple(views[-1:]) if number == 0 else ()
    label = goal.label(network.class_names)
    return ZoomRow(label, np.array(scores), np.array(right), levels, views[-1].resolution, pictures)


def _levels(
    network: BlackBox, views: Zoomed, name: str, what: tuple[Wcam, AbstractTarget], stream: int
) -> LevelRow:
    """Indices of the levels of one view, whose physical scales are those of factor 1."""
    method, goal = what
    shift = math.log2(views.factor)
    wanted = LEVELS if method.levels is None else method.levels
    size = (views.zoomed.shape[1], views.zoomed.shape[2])
    deeper = AtMost(int(wanted) + round(shift)).on(size)
    space = replace(method, levels=deeper).space
    probe = space.probe(network, getattr(views, name), goal)
    groups = level_effects(probe, method.analysis_for(network), stream)
    kinds = levels_of(probe.cells.bands)
    return LevelRow(
        kinds=tuple(kind for kind, _ in kinds),
        levels=tuple(level for _, level in kinds),
        physical=np.array([level - shift for _, level in kinds]),
        groups=groups,
    )


def _goal(network: BlackBox, views: Zoomed, target: TargetLike) -> AbstractTarget:
    """The probability of the class, or its score where the model gives no probabilities."""
    logits = network.logits(views.original[None])[0]
    goal = network.target(target, logits)
    return goal.as_probability() if isinstance(goal, Logit) else goal


def _size(network: BlackBox, photo: Tensor, largest: float) -> int:
    if network.input_size is not None:
        return min(network.input_size)
    return max(1, round(FRAME * min(photo.shape[1:]) / largest))


def ensure_method(method: MethodLike) -> Wcam:
    """A ``Wcam`` of wavelets; TypeError or ValueError naming ``method`` for anything else."""
    if method is not None and not isinstance(method, Wcam):
        raise TypeError(f"method: found {type(method).__qualname__}; accepted are None and a Wcam")
    chosen = Wcam() if method is None else method
    if not isinstance(chosen.wavelet, str) or chosen.wavelet in ("pixels", "fourier"):
        raise ValueError(
            f"method: found wavelet={chosen.wavelet!r}, which has no levels; accepted are wavelets"
        )
    return chosen


def ensure_factors(factors: FactorsLike) -> list[float]:
    """Rising factors, 1 the first; ValueError naming ``factors`` below 1."""
    wrong = [one for one in factors if not 1 <= one < math.inf]
    if wrong or not len(factors):
        raise ValueError(
            f"factors: found {wrong[0] if wrong else 'none'}; accepted are numbers of at least 1"
        )
    return sorted({1.0, *map(float, factors)})


def _boxes(box: Any, images: Any) -> Iterator[Any]:
    """A box for each image."""
    if box is None or np.ndim(box) == 1:
        while True:
            yield box
    count = count_of(images)
    if count is not None and len(box) != count:
        raise ValueError(f"box: found {len(box)} boxes for {count} images; one each is needed")
    yield from box


def _targets(targets: Any, images: Any) -> Iterator[Any]:
    """A target for each image."""
    count = count_of(images)
    if count is not None:
        yield from ensure_targets(targets, count)
        return
    (single,) = ensure_targets(targets, 1)
    while True:
        yield single
