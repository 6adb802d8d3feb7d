"""The result of a method: a value with an interval for every cell, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int8

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.explain import archive
from wcam_widget.explain.run import Trace, joined
from wcam_widget.sensitivity import Estimate, Kind
from wcam_widget.sensitivity.analysis import GROUP_STATISTIC, RESOLUTION, UNIT
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, Limits, Replicated
from wcam_widget.sensitivity.statistics.multiple_tests import LEVEL, exceeding
from wcam_widget.sensitivity.statistics.paired import Difference, compare

if TYPE_CHECKING:
    import xarray

NO_TRACE = "it was read from a file or copied, or made without keeping scores: explain the image by itself"
INTERVALS = ("student", "bootstrap")


@dataclass(frozen=True, eq=False)
class Profile:
    """Indices of the bands, coarse to fine, in the order of ``names``.

    ``total`` (with ``low`` and ``high``, 95 %) is the share of the variance in which a band takes part,
    ``closed`` what it causes without the others; ``shapley`` shares the variance out and adds to 1. What was
    not estimated is NaN. ``interactions`` holds what every two bands cause together, or is None where that
    was not asked for. ``statistic`` says how ``total`` is defined.
    """

    names: tuple[str, ...]
    levels: tuple[int, ...]
    orientations: tuple[str, ...]
    total: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]
    shapley: Float[np.ndarray, " g"]
    closed: Float[np.ndarray, " g"]
    interactions: Float[np.ndarray, "g g"] | None
    statistic: str


@dataclass(frozen=True, eq=False)
class Attribution:
    """Importance of every cell to one score of one image.

    ``estimate`` holds the numbers, ``cells`` and ``basis`` where they are. ``planned`` counts the
    forward-equivalents of the whole run, ``seconds`` the time so far. ``stop`` says why it ended; it is
    empty while ``complete`` is False and the run goes on. ``traces`` hold the class scores of the run, from
    which other targets are explained; no file or copy keeps them. They hold the network, the image, its
    coefficients and at most 1 MB of class scores, more in a temporary file; ``alone()`` lets go of all that.

    >>> from wcam_widget import Sobol, Wcam
    >>> import torch
    >>> method = Wcam(Sobol(rows=2), levels=1, grid=2)
    >>> (attribution,) = method(lambda images: images.mean((2, 3)), torch.rand(1, 3, 8, 8))
    >>> attribution.profile().names
    ('A1', 'LH1', 'HL1', 'HH1')
    >>> attribution.packed().shape, attribution.spatial().shape
    ((8, 8), (8, 8))
    """

    estimate: Estimate
    cells: Cells
    basis: AbstractBasis
    method: str
    target: str
    score: float
    planned: int
    seconds: float
    complete: bool
    stop: str
    unit: str = UNIT
    statistic: str = GROUP_STATISTIC
    traces: tuple[Trace, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        done = "" if self.complete else ", partial"
        of = f"{self.target} = {self.score:.3g}"
        return f"<Attribution of {of}: {self.method}, {len(self.values)} cells{done}>"

    def __getstate__(self) -> dict[str, Any]:
        """All but the runs, which hold the network and open files."""
        return {**vars(self), "traces": ()}

    @property
    def values(self) -> Float[np.ndarray, " d"]:
        """The value of each cell, in ``unit``."""
        return self.estimate.value

    @property
    def low(self) -> Float[np.ndarray, " d"]:
        """Lower ends of the intervals, 95 %."""
        return self.estimate.low

    @property
    def high(self) -> Float[np.ndarray, " d"]:
        """Upper ends of the intervals, 95 %."""
        return self.estimate.high

    @property
    def kind(self) -> Int8[np.ndarray, " d"]:
        """What each value is: a ``wcam_widget.sensitivity.Kind``."""
        return self.estimate.kind

    @property
    def slope(self) -> Float[np.ndarray, " d"]:
        """Mean change of the score per unit of weight; positive where more of the cell raises it."""
        return self.estimate.slope

    @property
    def variance(self) -> float:
        """Variance of the score over the random weights."""
        return self.estimate.variance

    @property
    def evaluations(self) -> int:
        """Forward passes so far."""
        return self.estimate.evaluations

    @property
    def gradients(self) -> int:
        """Backward passes so far; each counts as two more forwards in ``done``."""
        return self.estimate.gradients

    @property
    def done(self) -> int:
        """Forward-equivalents so far, out of ``planned``."""
        return self.evaluations + 2 * self.gradients

    @property
    def signed(self) -> bool:
        """Whether values below 0 mean something; shares of a variance fall there by chance alone."""
        return bool(np.isnan(self.variance) and (self.values < 0).any())

    def packed(self) -> Float[np.ndarray, "hp wp"]:
        """The values over the packed picture; 0 in its gaps."""
        return self.cells.packed(self.values)

    def spatial(self) -> Float[np.ndarray, "h w"]:
        """The values spread over the image's pixels; the sum over pixels is the sum over cells."""
        return self.cells.spatial(self.values)

    def profile(self) -> Profile:
        """The indices of the bands."""
        bands, groups = self.cells.bands, self.estimate.groups
        return Profile(
            names=tuple(band.name for band in bands),
            levels=tuple(band.level for band in bands),
            orientations=tuple(band.orientation for band in bands),
            total=groups.total,
            low=groups.low,
            high=groups.high,
            shapley=groups.shapley,
            closed=groups.closed,
            interactions=groups.superset,
            statistic=self.statistic,
        )

    @property
    def first(self) -> Float[np.ndarray, " d"]:
        """First-order index of each cell: what it causes alone; NaN where it was not estimated."""
        return self.estimate.first

    @property
    def error(self) -> Float[np.ndarray, " d"]:
        """Standard error of each value."""
        return self.estimate.error

    def for_target(self, target: Any) -> Attribution:
        """The map of another class, probability or margin from the same class scores, without new forwards.

        ``target``: a class id, a class name or a target. Raises ValueError where the run kept no class
        scores, or where it consists of derivatives, which belong to one target.
        """
        if not self.traces:
            raise ValueError(f"for_target has no class scores to go by: {NO_TRACE}")
        probe = self.traces[0].probe
        resolved = probe.model.target(target, probe.whole)
        label, score = resolved.label(probe.model.class_names), float(resolved(probe.whole[None])[0])
        return replace(self, estimate=joined(self.traces, resolved), target=label, score=score)

    def intervals(self, kind: str = "student", confidence: float = CONFIDENCE) -> Limits:
        """Lower and upper ends for every cell, at any confidence: Student's t or a bootstrap of replicates.

        Cells of which only bounds are known keep those. Raises ValueError where the method has no
        replicates, or for another ``kind``.
        """
        if kind not in INTERVALS:
            raise ValueError(f"kind={kind!r} is unknown; {', '.join(INTERVALS)} are known")
        measured = self._measured("intervals")
        replicated = Replicated(self.values, self.estimate.left_out)
        found = replicated.interval(confidence)
        if kind == "bootstrap":
            found = replicated.bootstrap_interval(confidence=confidence)
        return np.where(measured, found[0], self.low), np.where(measured, found[1], self.high)

    def matters(
        self, threshold: float = RESOLUTION, level: float = LEVEL, control: str = "holm"
    ) -> Bool[np.ndarray, " d"]:
        """Which cells take part in more than ``threshold`` of the variance, with all cells tested at once.

        A total index is above 0 as soon as the score moves at all, so the threshold should not be 0.
        ``control``: "holm" keeps the chance of one false cell below ``level``, "benjamini-hochberg" the
        expected share of false ones. Cells of which only bounds are known never count. See
        ``wcam_widget.sensitivity.statistics.multiple_tests``.
        """
        tested = self._measured("matters") & (self.kind != Kind.BOUNDED)
        found = np.zeros(len(self.values), bool)
        signed = bool((self.values < 0).any())  # as noise makes of estimators other than Jansen's
        replicated = Replicated(self.values[tested], self.estimate.left_out[:, tested])
        found[tested] = exceeding(replicated, threshold, level, control, signed=signed)
        return np.asarray(found & (self.kind != Kind.UNRESOLVED))

    def compare(self, other: Attribution, confidence: float = CONFIDENCE) -> Difference:
        """This map less ``other``, cell by cell and band by band, with intervals and a permutation test.

        Both must come from one method with one seed, so that both models or images saw the same masks: clean
        against corrupted, model against model. Cells that were not measured in both are NaN, and do not
        count in the distance. Raises ValueError naming ``other`` where they do not correspond.
        """
        if self.method != other.method or not np.array_equal(self.cells.rectangles, other.cells.rectangles):
            raise ValueError(f"other was made by {other.method!r}, not by {self.method!r} on the same cells")
        both = self._measured("compare") & other._measured("compare")
        difference = compare(_part(self.estimate, both), _part(other.estimate, both), confidence)
        part = difference.cells
        value, low, high, error = (
            _whole(each, both) for each in (part.value, part.low, part.high, part.error)
        )
        return replace(difference, cells=replace(part, value=value, low=low, high=high, error=error))

    def _measured(self, asked: str) -> Bool[np.ndarray, " d"]:
        if not self.estimate.measured.any():
            raise ValueError(f"{asked} needs independent replicates; {self.method} has none so far")
        return self.estimate.measured

    def stopped(self, reason: str) -> Attribution:
        """The same result, with the reason why it ended before it was complete."""
        return self if self.complete else replace(self, stop=reason)

    def alone(self) -> Attribution:
        """The same numbers without the run: ``for_target`` and ``Wcam.resume`` cannot go on from it."""
        return replace(self, traces=())

    def save(self, path: str | Path) -> Path:
        """Write a ``.npz`` that ``load`` reads: arrays and JSON, no pickle; whole or not at all.

        Returns the path, with ``.npz`` added where it was missing.
        """
        return archive.write(Path(path), self)

    @classmethod
    def load(cls, path: str | Path) -> Attribution:
        """Read what ``save`` wrote; ValueError naming the file where it is damaged or of a newer version."""
        return cls(**archive.read(Path(path)))

    def to_xarray(self) -> xarray.Dataset:
        """The values with their bands and places as an ``xarray.Dataset`` over the dimension ``cell``."""
        import xarray  # noqa: PLC0415 takes a second to import, and only this asks for it

        bands = [self.cells.bands[number] for number in self.cells.groups]
        columns: dict[str, Any] = {
            "value": self.values,
            "low": self.low,
            "high": self.high,
            "kind": self.kind,
            "slope": self.slope,
        }
        places = {
            "band": [band.name for band in bands],
            "level": [band.level for band in bands],
            "orientation": [band.orientation for band in bands],
        }
        places |= dict(zip(("top", "left", "bottom", "right"), self.cells.support.T, strict=True))
        return xarray.Dataset(
            {name: ("cell", column) for name, column in columns.items()},
            coords={name: ("cell", column) for name, column in places.items()},
            attrs={"target": self.target, "score": self.score, "unit": self.unit, "method": self.method},
        )


def _part(estimate: Estimate, kept: Bool[np.ndarray, " d"]) -> Estimate:
    """The estimate of some of the cells."""
    return replace(estimate, value=estimate.value[kept], left_out=estimate.left_out[:, kept])


def _whole(numbers: Float[np.ndarray, " k"], kept: Bool[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """Numbers of some of the cells, NaN for the others."""
    whole = np.full(len(kept), np.nan)
    whole[kept] = numbers
    return whole
