"""Methods side by side: the same measures of each, in pixels and in wavelets, with nulls and prices."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from torch import Tensor

from wcam_widget.evaluate.average_drop import average_drop, average_increase
from wcam_widget.evaluate.faithfulness import deletion, insertion, mu_fidelity
from wcam_widget.evaluate.result import Faithfulness
from wcam_widget.evaluate.rho import rho_minus, rho_plus
from wcam_widget.evaluate.road import road
from wcam_widget.evaluate.scoring_space import Domain
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.method import AbstractMethod, ensure_batch
from wcam_widget.model import BlackBox, ImagesLike, ModelLike, TargetsLike

Measure = Callable[..., Faithfulness]

MEASURES: dict[str, Measure] = {
    "insertion": insertion,
    "deletion": deletion,
    "mu-fidelity": mu_fidelity,
    "average drop": average_drop,
    "average increase": average_increase,
    "rho+": rho_plus,
    "rho-": rho_minus,
    "road": road,
}
USUAL = ("insertion", "deletion", "mu-fidelity")
LOWER = ("deletion", "average drop", "rho-")  # of which less is better
DOMAINS = ("pixels", "wavelet")

BESIDE = "method "  # keeps the names of rows apart from those of null rankings

Column = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Row:
    """One method or null ranking: a result for each measure and domain, and its price per image.

    ``forwards``, ``backwards`` and ``seconds`` are those of the explanations, not of the measures; a null
    ranking needs no model.
    """

    name: str
    results: Mapping[Column, Faithfulness]
    forwards: float = 0.0
    backwards: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Rows of methods, then of null rankings, under one ``(measure, domain)`` per column.

    ``str`` and a notebook show it as a table of means with their standard errors, the best of the methods in
    each column in bold.

    Attributes:
        rows: One row per method.
        nulls: One row per null ranking.
        columns: Measure and domain of each column.
        images: How many images were measured.
    """

    rows: tuple[Row, ...]
    nulls: tuple[Row, ...]
    columns: tuple[Column, ...]
    images: int

    def best(self, measure: str, domain: str) -> str:
        """The method with the best mean.

        Args:
            measure: As "insertion".
            domain: As "pixels" or "wavelet".

        Returns:
            The method's name.

        Raises:
            KeyError: Where that was not measured.
        """
        results = {row.name: row.results[measure, domain].mean for row in self.rows}
        return (min if measure in LOWER else max)(results, key=results.__getitem__)

    def __str__(self) -> str:
        arrows = {True: "↓", False: "↑"}
        heads = [f"{measure} {arrows[measure in LOWER]}, {domain}" for measure, domain in self.columns]
        lines = [["", *heads, "forwards", "backwards", "seconds"]]
        lines.append(["---", *["---:"] * (len(heads) + 3)])
        best = {column: self._mean(column, self.best(*column)) for column in self.columns}
        for row in self.rows:
            price = [f"{row.forwards:.0f}", f"{row.backwards:.0f}", f"{row.seconds:.2g}"]
            lines.append([row.name, *self._cells(row, best), *price])
        lines += [[f"*{row.name}*", *self._cells(row, {}), "", "", ""] for row in self.nulls]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _cells(self, row: Row, best: Mapping[Column, str]) -> list[str]:
        cells = []
        for column in self.columns:
            result, mean = row.results[column], f"{row.results[column].mean:.3f}"
            text = f"{mean} ± {result.error:.3f}" if self.images > 1 else mean
            cells.append(f"**{text}**" if best.get(column) == mean else text)
        return cells

    def _mean(self, column: Column, name: str) -> str:
        """A mean as it is written: what reads the same is as good."""
        return next(f"{row.results[column].mean:.3f}" for row in self.rows if row.name == name)

    def _repr_markdown_(self) -> str:
        return str(self)


def compare_methods(
    model: ModelLike,
    images: ImagesLike,
    methods: Mapping[str, AbstractMethod],
    targets: TargetsLike = None,
    measures: Sequence[str] = USUAL,
    domains: Sequence[str | Domain] = DOMAINS,
) -> Comparison:
    """Explain images by every method and measure every map in every domain, beside the null rankings.

    A keyboard interrupt ends the explanations: methods whose maps are complete are measured, with a warning.
    Class targets stand for logits where a method says so, and for probabilities in the measures.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        methods: Methods by the names of their rows, at least one.
        targets: A class id, class name or target for all images or for each; None for its top class.
        measures: Of "insertion", "deletion", "mu-fidelity", "average drop", "average increase", "rho+",
            "rho-" and "road", each as its own function defines it.
        domains: "pixels", "wavelet" or a ``Domain``, for all methods alike, which "own" is not.

    Returns:
        A table of means with standard errors, rows of methods, then of null rankings.

    Raises:
        ValueError: Naming the argument that does not fit; also what the methods and measures raise.
        TypeError: For an argument of another type, likewise.

    Examples:
        >>> import torch
        >>> from torch import nn
        >>> from wcam_widget.explain import GradCam
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> cams = {"Grad-CAM": GradCam(), "HiResCAM": GradCam(variant="hirescam")}
        >>> table = compare_methods(net, torch.rand(2, 3, 16, 16), cams, measures=["insertion"])
        >>> [row.name for row in table.nulls], table.columns
        (['energy', 'random', 'centre'], (('insertion', 'pixels'), ('insertion', 'wavelet')))
    """
    if not methods:
        raise ValueError("methods: found none; accepted is a table of names and at least one method")
    unknown = [name for name in measures if name not in MEASURES]
    if unknown or not measures:
        wrong = unknown[0] if unknown else "none"
        raise ValueError(f"measures: found {wrong!r}; accepted are {', '.join(MEASURES)}")
    if not domains:
        raise ValueError("domains: found none; accepted are pixels, wavelet and a Domain")
    places = {_word(domain): _ensure_common(domain) for domain in domains}
    network = BlackBox.ensure(model)
    batch, wanted = ensure_batch(images, targets, network)
    tops = network.logits(batch).argmax(1).tolist()
    goals = [top if target is None else target for top, target in zip(tops, wanted, strict=True)]
    explained = _explained(network, batch, goals, methods)
    columns = {
        (measure, place): _measured(MEASURES[measure], (network, batch, goals), explained, domain)
        for measure in measures
        for place, domain in places.items()
    }
    rows = [
        replace(one.row, results={column: results[name] for column, results in columns.items()})
        for name, one in explained.items()
    ]
    nulls = [
        Row(null, {column: next(iter(results.values())).null[null] for column, results in columns.items()})
        for null in _shared_nulls(list(places.values()))
    ]
    return Comparison(tuple(rows), tuple(nulls), tuple(columns), len(batch))


class _MethodMaps(NamedTuple):
    """The maps of one method, and its row but for the results."""

    row: Row
    maps: list[Attribution]


def _explained(
    network: BlackBox, images: Tensor, targets: list[Any], methods: Mapping[str, AbstractMethod]
) -> dict[str, _MethodMaps]:
    """All maps, method by method; an interrupt ends with those that are complete, unless there are none."""
    maps_of: dict[str, _MethodMaps] = {}
    for name, method in methods.items():
        started = time.perf_counter()
        try:
            maps = method(network, images, targets)
        except KeyboardInterrupt:
            maps = []
        count = len(maps)
        if count < len(images):
            break
        seconds = time.perf_counter() - started
        forwards = sum(one.evaluations for one in maps) / count
        backwards = sum(one.gradients for one in maps) / count
        maps_of[name] = _MethodMaps(Row(name, {}, forwards, backwards, seconds / count), maps)
    if not maps_of:
        raise KeyboardInterrupt
    if len(maps_of) < len(methods):
        warnings.warn(f"interrupted: {len(maps_of)} of {len(methods)} methods are returned", stacklevel=3)
    return maps_of


def _measured(
    measure: Measure,
    inputs: tuple[BlackBox, Tensor, list[Any]],
    maps_of: Mapping[str, _MethodMaps],
    domain: Domain,
) -> dict[str, Faithfulness]:
    """One measure of all maps in one domain: what is removed at random is scored once for all."""
    (first, one), *others = maps_of.items()
    beside = {f"{BESIDE}{name}": each.maps for name, each in others}
    network, images, targets = inputs
    result = measure(network, images, one.maps, targets, replace(domain, beside=beside))
    nulls = {name: each for name, each in result.null.items() if name not in beside}
    rest = {name: replace(result.null[f"{BESIDE}{name}"], null=nulls) for name, _ in others}
    return {first: replace(result, null=nulls), **rest}


def _word(domain: str | Domain) -> str:
    space = domain.space if isinstance(domain, Domain) else domain
    return space if isinstance(space, str) else "own cells"


def _ensure_common(domain: str | Domain) -> Domain:
    made = domain if isinstance(domain, Domain) else Domain(domain)
    if made.space == "own":
        raise ValueError("domains: found 'own', which differs from method to method; give pixels or wavelet")
    return made


def _shared_nulls(domains: Sequence[Domain]) -> list[str]:
    """The null rankings of all domains, in the order of the first."""
    return [null for null in domains[0].nulls if all(null in domain.nulls for domain in domains)]
