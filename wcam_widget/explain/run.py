"""The trace of a run: its state and every class score it was told, to go on or to ask about another class."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.model import AbstractTarget
from wcam_widget.perturb.probe import Probe
from wcam_widget.perturb.steadiness import Steadiness, unresolved
from wcam_widget.sensitivity import AbstractAnalysis, Estimate, Tree
from wcam_widget.sensitivity.statistics.average import averaged

IN_MEMORY = 1 << 20  # bytes of class scores kept in memory; more go to a temporary file


class Record:
    """Class scores in the order they were asked for: in memory, and beyond 1 MB in a temporary file.

    >>> record = Record(classes=2)
    >>> record.append(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> len(record), record.read(1, 1)
    (2, tensor([[3., 4.]]))
    """

    def __init__(self, classes: int) -> None:
        self._classes, self._rows = classes, 0
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 it lives as long as the record
        # Not when the interpreter ends: a run in another thread may still write then.
        weakref.finalize(self, self._file.close).atexit = False

    def __len__(self) -> int:
        return self._rows

    def append(self, logits: Float[Tensor, "n k"]) -> None:
        """Keep class scores."""
        self._file.seek(self._rows * 4 * self._classes)
        self._file.write(logits.numpy().astype(np.float32).tobytes())
        self._rows += len(logits)

    def read(self, start: int, rows: int) -> Float[Tensor, "n k"]:
        """``rows`` of them, from number ``start`` on."""
        self._file.seek(start * 4 * self._classes)
        values = np.frombuffer(self._file.read(rows * 4 * self._classes), np.float32)
        return torch.from_numpy(values.reshape(rows, self._classes).copy())

    def cut(self, rows: int) -> None:
        """Forget all but the first ``rows``."""
        self._rows = min(self._rows, rows)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A probe that keeps every class score it is told."""

    probe: Probe
    record: Record

    @property
    def groups(self) -> Int[np.ndarray, " d"]:
        """The band of each cell."""
        return self.probe.groups

    @property
    def tree(self) -> Tree:
        """The tree of the cells."""
        return self.probe.tree

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of rows of weights."""
        return self._kept(self.probe.logits(weights))

    def one_at_a_time(
        self,
        base: Float[Tensor, " d"],
        other: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of ``base`` with one weight from ``other`` each."""
        return self._kept(self.probe.logits_one_at_a_time(base, other, which))

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores and derivatives; these are of one target, and not kept."""
        return self.probe.gradient(weights)

    def _kept(self, logits: Tensor) -> Tensor:
        self.record.append(logits)
        return self.probe.target(logits)


@dataclass(eq=False)
class Replayed:
    """Scores of another target, from the record, in the order of the run."""

    groups: Int[np.ndarray, " d"]
    tree: Tree
    record: Record
    target: AbstractTarget
    row: int = 0

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of the next rows."""
        return self._next(len(weights))

    def one_at_a_time(
        self,
        base: Float[Tensor, " d"],
        other: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of the next rows."""
        del other
        return self._next(len(base) if which is None else len(which))

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Not known: all NaN."""
        return torch.full((len(weights),), torch.nan), torch.full_like(weights, torch.nan)

    def _next(self, rows: int) -> Tensor:
        logits = self.record.read(self.row, rows)
        self.row += rows
        return self.target(logits)


@dataclass(eq=False)
class Trace:
    """One run of an analysis on one image.

    ``rows`` counts the scores of whole steps: an interrupt inside a step leaves more in the record, which the
    next step forgets. ``seconds`` is the time of the steps so far.
    """

    probe: Probe
    analysis: AbstractAnalysis[Any]
    stream: int
    record: Record
    state: Any = field(init=False)
    rows: int = 0
    seconds: float = 0.0
    steadiness: Steadiness = field(init=False)

    def __post_init__(self) -> None:
        self.steadiness = Steadiness(self.probe)
        self.state = self.analysis.init(self.asked, self.stream)

    @property
    def asked(self) -> Recorded:
        """The probe, with its answers kept."""
        return Recorded(self.probe, self.record)

    def step(self) -> None:
        """One more step of the analysis."""
        self.record.cut(self.rows)
        self.state = self.analysis.step(self.asked, self.state)
        self.rows = len(self.record)

    def estimate(self) -> Estimate:
        """The estimate so far."""
        return self.steadiness.applied(self.analysis.estimate(self.state))

    @property
    def unsteady(self) -> str:
        """Why no map is certain, since the network did not answer alike; empty where it did."""
        return self.steadiness.words()

    @property
    def reason(self) -> str:
        """Why a finished run ended, or why nothing of it is certain."""
        return self.unsteady or self.analysis.reason(self.state)

    def of(self, target: AbstractTarget) -> Estimate:
        """The estimate of another target from the same scores, without asking the model."""
        replayed = Replayed(self.probe.groups, self.probe.tree, self.record, target)
        return self.steadiness.applied(self.analysis.again(replayed, self.state, self.stream))


def joined(traces: Sequence[Trace], target: AbstractTarget) -> Estimate:
    """The estimate of a target from several runs; nothing is resolved where the network was not steady."""
    estimate = averaged([trace.of(target) for trace in traces])
    return unresolved(estimate) if any(trace.unsteady for trace in traces) else estimate
