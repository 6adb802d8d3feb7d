"""Methods side by side: the same measures of each, in pixels and in wavelets, with nulls and prices."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from wcam_widget.evaluate.domain import Domain
from wcam_widget.evaluate.faithfulness import average_drop, average_increase, deletion, insertion, mu_fidelity
from wcam_widget.evaluate.result import Faithfulness
from wcam_widget.evaluate.rho import rho_minus, rho_plus
from wcam_widget.evaluate.road import road
from wcam_widget.explain.method import AbstractMethod, Pixels, ensure_batch, ensure_model
from wcam_widget.model import BlackBox

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

Column = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Row:
    """One method or null ranking: a result for each measure and domain, and its price per image.

    ``forwards``, ``backwards`` and ``seconds`` are those of the explanations, not of the measures; a null
    ranking asks the model nothing.
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
    """

    rows: tuple[Row, ...]
    nulls: tuple[Row, ...]
    columns: tuple[Column, ...]
    images: int

    def best(self, measure: str, domain: str) -> str:
        """The method with the best mean; KeyError where that was not asked."""
        results = {row.name: row.results[measure, domain].mean for row in self.rows}
        return (min if measure in LOWER else max)(results, key=results.__getitem__)

    def __str__(self) -> str:
        arrows = {True: "↓", False: "↑"}
        heads = [f"{measure} {arrows[measure in LOWER]}, {domain}" for measure, domain in self.columns]
        lines = [["", *heads, "forwards", "backwards", "seconds"]]
        lines.append(["---", *["---:"] * (len(heads) + 3)])
        best = {column: self.best(*column) for column in self.columns}
        for row in self.rows:
            price = [f"{row.forwards:.0f}", f"{row.backwards:.0f}", f"{row.seconds:.2g}"]
            lines.append([row.name, *self._cells(row, best), *price])
        lines += [[f"*{row.name}*", *self._cells(row, {}), "", "", ""] for row in self.nulls]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _cells(self, row: Row, best: Mapping[Column, str]) -> list[str]:
        cells = []
        for column in self.columns:
            result = row.results[column]
            text = f"{result.mean:.3f} ± {result.error:.3f}" if self.images > 1 else f"{result.mean:.3f}"
            cells.append(f"**{text}**" if best.get(column) == row.name else text)
        return cells

    def _repr_markdown_(self) -> str:
        return str(self)


def compare_methods(
    model: Any,
    images: Pixels,
    methods: Mapping[str, AbstractMethod],
    targets: Sequence[Any] | None = None,
    measures: Sequence[str] = USUAL,
    domains: Sequence[str | Domain] = DOMAINS,
) -> Comparison:
    """Explain images by every method and measure every map in every domain, beside the null rankings.

    images: (B, C, H, W) in [0, 1]. methods: by the names of their rows. targets: a class id, class name or
    target for each image; None for its top class, found once. measures: of "insertion", "deletion",
    "mu-fidelity", "average drop", "average increase", "rho+", "rho-" and "road", each as its own function
    defines it. domains: "pixels", "wavelet" or a ``Domain``, for all methods alike, which "own" is not. Class
    targets stand for logits where a method says so, and for probabilities in the measures.

    A keyboard interrupt returns the rows that are whole, with a warning. Raises ValueError and TypeError
    naming the argument, and what the methods and measures raise.

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
        found = unknown[0] if unknown else "none"
        raise ValueError(f"measures: found {found!r}; accepted are {', '.join(MEASURES)}")
    if not domains:
        raise ValueError("domains: found none; accepted are pixels, wavelet and a Domain")
    places = {_word(domain): _ensure_common(domain) for domain in domains}
    network = ensure_model(model)
    asked, wanted = ensure_batch(images, targets)
    tops = network.logits(asked).argmax(1).tolist()
    goals = [top if target is None else target for top, target in zip(tops, wanted, strict=True)]
    table = _Table(network, asked, goals, tuple(measures), places)
    rows: list[Row] = []
    try:
        for name, method in methods.items():
            rows.append(table.row(name, method, first=not rows))
    except KeyboardInterrupt:
        if not rows:
            raise
        warnings.warn(f"interrupted: {len(rows)} of {len(methods)} methods are returned", stacklevel=2)
    columns = tuple((measure, place) for measure in measures for place in places)
    nulls = [
        Row(null, {column: rows[0].results[column].null[null] for column in columns})
        for null in _shared_nulls(list(places.values()))
    ]
    return Comparison(tuple(rows), tuple(nulls), columns, len(asked))


@dataclass(frozen=True, eq=False)
class _Table:
    """What every row is measured on."""

    model: BlackBox
    images: Tensor
    targets: list[Any]
    measures: tuple[str, ...]
    places: Mapping[str, Domain] = field(default_factory=dict)

    def row(self, name: str, method: AbstractMethod, *, first: bool) -> Row:
        """The row of one method; the null rankings, which are the same for all, are scored in the first."""
        started = time.perf_counter()
        maps = method(self.model, self.images, self.targets)
        if len(maps) < len(self.images):
            raise KeyboardInterrupt  # it was caught inside, and a row of some images is no row
        seconds = time.perf_counter() - started
        results = {}
        for measure in self.measures:
            for place, domain in self.places.items():
                where = domain if first else replace(domain, nulls=())
                results[measure, place] = MEASURES[measure](
                    self.model, self.images, maps, self.targets, where
                )
        count = len(maps)
        forwards, backwards = (
            sum(getattr(one, kind) for one in maps) / count for kind in ("evaluations", "gradients")
        )
        return Row(name, results, forwards, backwards, seconds / count)


def _word(domain: str | Domain) -> str:
    space = domain.space if isinstance(domain, Domain) else domain
    return space if isinstance(space, str) else "own cells"


def _ensure_common(domain: str | Domain) -> Domain:
    asked = domain if isinstance(domain, Domain) else Domain(domain)
    if asked.space == "own":
        raise ValueError("domains: found 'own', which differs from method to method; give pixels or wavelet")
    return asked


def _shared_nulls(domains: Sequence[Domain]) -> list[str]:
    """The null rankings that all domains ask for, in the order of the first."""
    return [null for null in domains[0].nulls if all(null in domain.nulls for domain in domains)]
