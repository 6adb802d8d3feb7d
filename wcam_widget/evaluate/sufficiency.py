"""Sufficient information: the smallest set of cells that restores a model's own decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wcam_widget.evaluate import measures
from wcam_widget.evaluate.carried import carried
from wcam_widget.evaluate.depth_search import WINDOW, depths
from wcam_widget.evaluate.rankings import Values, at_random, energy, gradient
from wcam_widget.evaluate.scoring_space import AttributionsLike, Case, Domain, DomainLike, MeasureInputs
from wcam_widget.evaluate.stream import Item, StreamLike, items
from wcam_widget.evaluate.sufficient_set import OwnOrder, SufficientSet
from wcam_widget.evaluate.sufficient_sets import SHOWN, Sufficiency
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.loop import Failure, each
from wcam_widget.explain.method import AbstractMethod, MethodLike
from wcam_widget.explain.wcam.wcam import Wcam
from wcam_widget.model import BlackBox, Logit, ModelLike, TargetsLike
from wcam_widget.model.class_ids import name_of
from wcam_widget.sensitivity.statistics.jackknife import pseudo_values

ORDERS = ("energy", "random", "gradient")

if TYPE_CHECKING:
    from typing import TypeAlias

    MapsLike: TypeAlias = AttributionsLike | AbstractMethod
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    MapsLike = Any


@dataclass(frozen=True)
class Search:
    """How depths are searched.

    Args:
        window: Numbers of cells tested one by one on either side of each answer, at least 0; beyond, twice as
            far each time.
        resamples: Orders of the same map that its uncertainty allows, at least 2, or 0 for no interval. The
            least and the greatest of their depths enclose (resamples - 1) / (resamples + 1) of what others
            would give: 95 % for 39.
        orders: Others to compare with, of "energy", "random" and "gradient".
        randoms: How many random orders.

    Raises:
        ValueError: Naming the argument outside its range.
    """

    window: int = WINDOW
    resamples: int = 39
    orders: tuple[str, ...] = ORDERS
    randoms: int = 3

    def __post_init__(self) -> None:
        if self.window < 0 or int(self.window) != self.window:
            raise ValueError(f"window: found {self.window!r}; accepted is an integer of at least 0")
        if self.resamples != 0 and (self.resamples < 2 or int(self.resamples) != self.resamples):
            raise ValueError(f"resamples: found {self.resamples!r}; accepted are 0 and at least 2")
        if self.randoms < 1 or int(self.randoms) != self.randoms:
            raise ValueError(f"randoms: found {self.randoms!r}; accepted is an integer of at least 1")
        unknown = [name for name in self.orders if name not in ORDERS]
        if unknown:
            raise ValueError(f"orders: found {unknown[0]!r}; accepted are {', '.join(ORDERS)}")


def sufficiency(
    model: ModelLike,
    images: StreamLike,
    attributions: MapsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
    search: Search = Search(),
) -> Sufficiency:
    """Find the smallest set of cells that restores the model's own decision, image by image.

    Cells are kept in the order of their values, equal ones in the order of the cells, the rest is at the
    baseline. The depth is the smallest number of cells from which on the class is the top class at every
    number that was tested; a bisection finds it, and numbers around it, near and far, are tested for a
    decision that is lost again. Other orders of the same cells are searched alike.

    The interval of a depth is that of the orders which the map's own uncertainty allows: its replicates are
    drawn anew with replacement, the cells ranked by their mean, and the depth searched again, without the
    check. Replicates keep what cells have in common, which draws within the intervals of single cells would
    not. An order drawn so has the noise of the map twice, so the upper end is cautious. Maps that were
    computed without chance have a point; cells of which only bounds are known keep their values.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], a list of images, or an iterable of images or batches, as a loader
            gives them. They are read one at a time, and none is kept but the first four, for ``plot``.
        attributions: One ``Attribution`` or map (H, W) per image, or a method, which explains each image when
            its turn comes.
        targets: The class whose decision is restored, for all images or for each; None for the top class of
            each unchanged image. For another class the depth is NaN.
        domain: Which cells are kept: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``, whose maps
            ``beside`` are further orders. Baseline: the image's mean colour unless given.
        search: Window, resamples and the other orders.

    Returns:
        One ``SufficientSet`` per image with the depths of all orders, their table, words and figure.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.
        ModelError: Where the model fails.

    References:
        Kasmi et al. (2023), "Assessment of the Reliability of a Model's Decision by Generalizing Attribution
        to the Wavelet Domain", whose reconstruction depth this is, with controls, intervals and checks.

    Examples:
        >>> images = torch.tensor([[[[0.1, 0.4], [0.2, 0.3]]]])
        >>> over_half = lambda images: images.sum((2, 3)) - 0.65
        >>> sets = sufficiency(over_half, images, images[:, 0], domain=Domain("pixels", baseline="black"))
        >>> sets.table()[["depth", "cells", "first", "monotone"]].values.tolist()
        [[2, 4, 2, True]]
    """
    network = BlackBox.ensure(model)
    place = Domain.ensure(domain, "mean")

    def task(number: int, item: Item) -> Iterator[tuple[SufficientSet, Any]]:
        yield _measured(network, number, item, place, search)

    sets, pictures = [], []
    for number, one in each(task, items(network, images, attributions, targets)):
        if isinstance(one, Failure):
            raise one.error
        smallest, picture = one
        sets.append(smallest)
        if number < SHOWN:
            pictures.append(picture)
    if not sets:
        raise ValueError("images: found none; accepted is at least one image")
    return Sufficiency(tuple(sets), tuple(pictures))


def sufficient_row(
    model: BlackBox,
    image: Float[Tensor, "c h w"],
    label: int | None = None,
    *,
    method: MethodLike = None,
    of_label: bool = False,
    search: Search = Search(resamples=0),
) -> dict[str, float | int | bool | str]:
    """The row of one image, for a table over a data set: what ``SufficientSet.row`` gives.

    Args:
        model: The model.
        image: (C, H, W) in [0, 1].
        label: The class of the image, if it has one.
        method: Of the map; None for ``Wcam()``. All images have the same random rows, so that the row of an
            image does not depend on which others there are.
        of_label: Restore a decision for the class of the label and not the top class.
        search: Window, resamples and the other orders.

    Raises:
        ValueError: Where ``of_label`` finds no label.

    Examples:
        >>> from wcam_widget import Sobol
        >>> model = BlackBox(lambda images: images.mean((2, 3)))
        >>> quick = Wcam(Sobol(rows=2), levels=1, grid=1)
        >>> row = sufficient_row(model, torch.rand(3, 8, 8), method=quick)
        >>> row["cells"], list(row)[:4]
        (4, ['class', 'depth', 'depth.low', 'depth.high'])
    """
    if of_label and label is None:
        raise ValueError("of_label: the image has no label")
    chosen = Wcam() if method is None else method
    return sufficiency(model, image[None], chosen, label if of_label else None, search=search).sets[0].row()


def _measured(
    network: BlackBox, number: int, item: Item, domain: Domain, search: Search
) -> tuple[SufficientSet, Any]:
    """The set of one image, and the picture of what it restores."""
    target = _class_target(network, item)
    given = item.given
    if isinstance(given, AbstractMethod):
        given = given.last(network, item.image, item.target, number)
    beside = {name: [maps[number]] for name, maps in domain.beside.items()}
    inputs = MeasureInputs(network, item.image[None], [given], [target], replace(domain, beside=beside))
    try:
        (case,) = inputs
    except (TypeError, ValueError) as error:
        raise type(error)(str(error).replace("attributions[0]", f"attributions[{number}]")) from None
    case = replace(case, number=number)
    smallest = _searched(case, given, int(target.class_id), search)
    kept = torch.from_numpy(smallest.kept.astype(np.float32))
    return smallest, (item.image, case.probe.rebuild(kept).cpu())


def _class_target(network: BlackBox, item: Item) -> Logit:
    """The class whose decision is restored, as its logit."""
    logits = network.logits(item.image[None])[0]
    target = network.target(item.target, logits)
    class_id = getattr(target, "class_id", None)
    if class_id is None:
        raise ValueError(
            f"targets: found {type(target).__qualname__}, which decides for no class; accepted are None, "
            "class ids, class names and targets of one class"
        )
    made = network.target(Logit(class_id), logits)
    assert isinstance(made, Logit)  # noqa: S101  a logit resolves to a logit
    return made


def _searched(case: Case, given: Any, class_id: int, search: Search) -> SufficientSet:
    """All orders of one image's cells, searched side by side."""
    others = _others(case, search)
    drawn = _resampled(case, given, search.resamples)
    rankings = [case.values, *(one for orders in others.values() for one in orders), *drawn]
    places = np.stack([measures.ranks(values) for values in rankings])
    image_logits = case.probe.image_logits[None].cpu().numpy()
    decided = measures.decisions(image_logits)[0] if image_logits.shape[1] == 1 else class_id

    def holds(order: np.ndarray, count: np.ndarray) -> Bool[np.ndarray, " n"]:
        logits = measures.in_parts(
            case.probe.logits,
            len(order),
            places.shape[1],
            lambda part: places[order[part]] < count[part, None],
        )
        return np.asarray(measures.decisions(logits) == decided)

    checked = [number < len(rankings) - len(drawn) for number in range(len(rankings))]
    in_turn = iter(depths(holds, places.shape[1], checked, search.window))
    own = next(in_turn)
    beside = {name: tuple(next(in_turn) for _ in orders) for name, orders in others.items()}
    kept = places[0] < (places.shape[1] if own.depth is None else own.depth)
    return SufficientSet(
        label=name_of(class_id, case.probe.model.class_names),
        own=OwnOrder.of(own, [one.depth for one in in_turn], _certain(given)),
        others=beside,
        kept=kept,
        groups=case.probe.groups,
        bands=tuple(band.name for band in case.probe.cells.bands),
        energy_share=_share(energy(case.probe), kept),
    )


def _others(case: Case, search: Search) -> dict[str, list[Values]]:
    """The values of the cells by every order beside the map's own."""
    rng = case.random("orders")
    makers = {
        "energy": lambda: [energy(case.probe)],
        "random": lambda: [at_random(case.probe, rng) for _ in range(search.randoms)],
        "gradient": lambda: [gradient(case.probe)] if case.probe.model.differentiable else [],
    }
    orders = {name: makers[name]() for name in search.orders} | {
        name: [values] for name, values in case.others.items()
    }
    return {name: values for name, values in orders.items() if values}


def _resampled(case: Case, given: Any, count: int) -> Sequence[Values]:
    """Values of the cells as other draws of the map's replicates would give them."""
    if not isinstance(given, Attribution) or len(given.estimate.left_out) < 2:
        return []
    estimate = given.estimate
    replicates = len(estimate.left_out)
    pseudo = pseudo_values(estimate.value, estimate.left_out)
    drawn = case.random("replicates").multinomial(replicates, np.full(replicates, 1 / replicates), count)
    values = np.where(np.isfinite(pseudo).all(0), drawn / replicates @ np.nan_to_num(pseudo), estimate.value)
    maps = (replace(given, estimate=replace(estimate, value=row)) for row in values)
    return [carried(one, case.probe.basis, case.probe.cells) for one in maps]


def _certain(given: Any) -> bool:
    """Whether a map is computed without chance, so that its order is the only one."""
    return not isinstance(given, Attribution) or bool((given.error == 0).all())


def _share(values: Float[np.ndarray, " d"], kept: Bool[np.ndarray, " d"]) -> float:
    total = values.sum()
    return float(values[kept].sum() / total) if total > 0 else float("nan")
