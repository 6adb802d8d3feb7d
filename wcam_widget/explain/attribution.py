"""The result of a method: a value with an interval for every cell, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int8

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.explain import archive
from wcam_widget.explain.cell_table import cell_table
from wcam_widget.explain.cell_tests import above, difference, limits
from wcam_widget.explain.profile import Profile
from wcam_widget.explain.run import Checkpoint, joint_estimate, joint_stop
from wcam_widget.model import TargetLike
from wcam_widget.sensitivity.analysis import GROUP_STATISTIC, UNIT
from wcam_widget.sensitivity.estimate import RESOLUTION, Estimate
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, Limits
from wcam_widget.sensitivity.statistics.multiple_tests import LEVEL
from wcam_widget.sensitivity.statistics.paired import Difference

if TYPE_CHECKING:
    import xarray

NO_TRACE = "it was read from a file or copied, or made without keeping scores: explain the image by itself"


@dataclass(frozen=True, eq=False)
class Attribution:
    """Importance of every cell to one score of one image.

    Args:
        estimate: The numbers of the ``d`` cells and of the bands.
        cells: Where the numbers are.
        basis: The basis of the cells.
        method: The method and its settings in words.
        target: The score that is explained, in words.
        score: The score of the image itself.
        planned: Forward-equivalents of the entire run; a backward pass counts as two.
        seconds: Time of the run so far.
        complete: Whether the run has ended.
        stop: Why it ended; empty while it goes on.
        unit: What a value is.
        statistic: What the ``total`` of a band is.
        traces: The runs up to here, for other targets: network, image, and class scores, beyond 1 MB in a
            temporary file. No file or copy keeps them, and ``alone()`` lets go of them.
        engine: What ran most passes instead of the network itself, "ONNX Runtime"; empty if nothing.

    Examples:
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
    traces: tuple[Checkpoint, ...] = field(default=(), repr=False)
    engine: str = ""

    def __repr__(self) -> str:
        by, done = self.engine and f", {self.engine}", "" if self.complete else ", partial"
        of = f"{self.target} = {self.score:.3g}"
        return f"<Attribution of {of}: {self.method}, {len(self.values)} cells{by}{done}>"

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
        """The indices of the bands, coarse to fine."""
        return Profile.from_groups(self.cells.bands, self.estimate.groups, self.statistic)

    @property
    def first(self) -> Float[np.ndarray, " d"]:
        """First-order index of each cell: what it causes alone; NaN where it was not estimated."""
        return self.estimate.first

    @property
    def error(self) -> Float[np.ndarray, " d"]:
        """Standard error of each value."""
        return self.estimate.error

    def for_target(self, target: TargetLike) -> Attribution:
        """The map of another class, probability or margin from the same class scores, without new forwards.

        Args:
            target: A class id, a class name or a target; None for the top class.

        Returns:
            The same run with the values, label and score of that target.

        Raises:
            ValueError: Where the run kept no class scores, or consists of derivatives, which have one target.

        Examples:
            >>> import torch
            >>> from wcam_widget import Sobol, Wcam
            >>> method = Wcam(Sobol(rows=2), levels=1, grid=2)
            >>> (first,) = method(lambda images: images.mean((2, 3)), torch.rand(1, 3, 8, 8), 0)
            >>> first.for_target(2).target
            'logit of class 2'
        """
        if not self.traces:
            raise ValueError(f"for_target has no class scores to go by: {NO_TRACE}")
        probe = self.traces[0].probe
        resolved = probe.model.target(target, probe.image_logits)
        label, score = resolved.label(probe.model.class_names), float(resolved(probe.image_logits[None])[0])
        runs = tuple(one.for_target(resolved) for one in self.traces)
        stop = joint_stop(runs, self.target) if self.complete else self.stop
        return replace(self, estimate=joint_estimate(runs), target=label, score=score, traces=runs, stop=stop)

    def intervals(self, kind: str = "student", confidence: float = CONFIDENCE) -> Limits:
        """Lower and upper ends for every cell; cells of which only bounds are known keep those.

        Args:
            kind: "student", Student's t over the replicates, or "bootstrap", of the replicates.
            confidence: The chance that an interval holds the value, above 0 and below 1.

        Returns:
            Lower and upper ends (d,) each, in ``unit``.

        Raises:
            ValueError: For another ``kind``, or where the method has no replicates.
        """
        self._ensure_replicates("intervals")
        return limits(self.estimate, kind, confidence)

    def matters(
        self, threshold: float = RESOLUTION, level: float = LEVEL, control: str = "holm"
    ) -> Bool[np.ndarray, " d"]:
        """Which cells take part in more than ``threshold`` of the variance, with all cells tested at once.

        A total index is above 0 as soon as the score moves at all, so the threshold should not be 0. Cells of
        which only bounds are known never count.

        Args:
            threshold: Share of the variance, in [0, 1).
            level: Of the tests, above 0 and below 1.
            control: "holm" keeps the chance of one false cell below ``level``, "benjamini-hochberg" the
                expected share of false ones.

        Returns:
            One bool per cell (d,).

        Raises:
            ValueError: For another ``control``, or where the method has no replicates.

        References:
            Holm (1979), "A sequentially rejective test"; Benjamini and Hochberg (1995), false discovery.
        """
        self._ensure_replicates("matters")
        return above(self.estimate, threshold, level, control)

    def compare(self, other: Attribution, confidence: float = CONFIDENCE) -> Difference:
        """This map less ``other``, cell by cell and band by band, with intervals and a permutation test.

        Both must come from one method with one seed, so that both models or images saw the same masks: clean
        against corrupted, model against model. Cells not measured in both are NaN and outside the distance.

        Args:
            other: The map to compare with, of the same method on the same cells.
            confidence: Of the intervals, above 0 and below 1.

        Returns:
            Differences of cells (d,) and bands with their intervals, and the distance of the two maps.

        Raises:
            ValueError: Naming ``other`` where the maps do not correspond.
        """
        if self.method != other.method or not np.array_equal(self.cells.rectangles, other.cells.rectangles):
            raise ValueError(f"other was made by {other.method!r}, not by {self.method!r} on the same cells")
        self._ensure_replicates("compare")
        other._ensure_replicates("compare")
        return difference(self.estimate, other.estimate, confidence)

    def _ensure_replicates(self, purpose: str) -> None:
        if not self.estimate.measured.any():
            raise ValueError(f"{purpose} needs independent replicates; {self.method} has none so far")

    def stopped(self, reason: str) -> Attribution:
        """The same result, if it is not complete, with why it ended.

        Args:
            reason: What ``stop`` then says.
        """
        return self if self.complete else replace(self, stop=reason)

    def alone(self) -> Attribution:
        """The same numbers without the run: ``for_target`` and ``Wcam.resume`` cannot go on from it."""
        return replace(self, traces=())

    def save(self, path: str | Path) -> Path:
        """Write a file of arrays and JSON, without pickle, that ``load`` reads; complete or not at all.

        Args:
            path: Of the file; ``.npz`` is added where it is missing.

        Returns:
            The path of the file.
        """
        return archive.write(Path(path), vars(self))

    @classmethod
    def load(cls, path: str | Path) -> Attribution:
        """Read what ``save`` wrote: the attribution without its run.

        Args:
            path: Of the file.

        Raises:
            ValueError: Naming the file where it is damaged, of a newer version, or far larger unpacked.
        """
        return cls(**archive.read(Path(path)))

    def to_xarray(self) -> xarray.Dataset:
        """The values with their bands and places as a table.

        Returns:
            A dataset over the dimension ``cell``: ``value``, ``low``, ``high``, ``kind`` and ``slope``, with
            the band, its level and orientation, and ``top``, ``left``, ``bottom``, ``right`` in pixels.
        """
        columns = {name: getattr(self.estimate, name) for name in ("value", "low", "high", "kind", "slope")}
        about: dict[str, str | float] = {"target": self.target, "score": self.score, "unit": self.unit}
        return cell_table(self.cells, columns, about | {"method": self.method})
