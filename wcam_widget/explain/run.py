"""A run of an analysis on one image: its state and its class scores, to go on or to explain another class."""

from __future__ import annotations

import copy
import io
import os
import tempfile
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
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


class ScoreStore:
    """Class scores in the order of a run: in memory, and beyond 1 MB in a temporary file.

    Args:
        classes: Class scores of a row.
        earlier: A store whose first rows this one begins with; they are not copied.
        shared: How many rows of ``earlier`` these are; later ones of it do not show here.

    Examples:
        >>> store = ScoreStore(classes=2)
        >>> store.append(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> branch = ScoreStore(2, earlier=store, shared=1)
        >>> branch.append(torch.tensor([[5.0, 6.0]]))
        >>> len(branch), branch.read(0, 2)
        (2, tensor([[1., 2.],
                [5., 6.]]))
    """

    def __init__(self, classes: int, earlier: ScoreStore | None = None, shared: int = 0) -> None:
        self._classes, self._earlier, self._shared, self._rows = classes, earlier, shared, shared
        self._file: io.BytesIO | io.FileIO = io.BytesIO()
        self._lock = threading.Lock()  # a map of another class may be read while the run goes on

    def __len__(self) -> int:
        return self._rows

    @property
    def on_disk(self) -> bool:
        """Whether the rows of this store lie in a temporary file."""
        return not isinstance(self._file, io.BytesIO)

    def append(self, logits: Float[Tensor, "n k"]) -> None:
        """Keep class scores after those there are."""
        with self._lock:
            start = self._place(self._rows)
            data = logits.numpy().astype(np.float32).tobytes()
            if not self.on_disk and start + len(data) > IN_MEMORY:
                self._move_to_disk()
            self._file.seek(start)
            self._file.write(data)
            self._rows += len(logits)

    def read(self, start: int, rows: int) -> Float[Tensor, "n k"]:
        """``rows`` of them, from number ``start`` on."""
        before = max(0, min(rows, self._shared - start))
        with self._lock:
            self._file.seek(self._place(start + before))
            data = self._file.read((rows - before) * 4 * self._classes)
        values = torch.from_numpy(np.frombuffer(data, np.float32).reshape(-1, self._classes).copy())
        return values if self._earlier is None else torch.cat([self._earlier.read(start, before), values])

    def truncate(self, rows: int) -> None:
        """Keep the first ``rows`` only, but all that are shared."""
        self._rows = max(self._shared, min(self._rows, rows))

    def _place(self, row: int) -> int:
        return max(0, row - self._shared) * 4 * self._classes

    def _move_to_disk(self) -> None:
        with tempfile.TemporaryFile() as opened:
            descriptor = os.dup(opened.fileno())
        # Closed with the store, but not when the interpreter ends: a run in another thread may still write.
        weakref.finalize(self, os.close, descriptor).atexit = False
        held, self._file = self._file, io.FileIO(descriptor, "r+", closefd=False)
        held.seek(0)
        self._file.write(held.read())


@dataclass(frozen=True, eq=False)
class RecordingProbe:
    """A probe that keeps the class scores of every row."""

    probe: Probe
    store: ScoreStore

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
        start_row: Float[Tensor, " d"],
        end_row: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of ``start_row`` with one weight from ``end_row`` each."""
        return self._kept(self.probe.logits_one_at_a_time(start_row, end_row, which))

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores and derivatives; these are of one target, and not kept."""
        return self.probe.gradient(weights)

    def _kept(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
        self.store.append(logits)
        return self.probe.target(logits)


@dataclass(eq=False)
class ReplayProbe:
    """Scores of another target from a store, in the order of the run; no model is evaluated."""

    groups: Int[np.ndarray, " d"]
    tree: Tree
    store: ScoreStore
    target: AbstractTarget
    row: int = 0

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of the next rows."""
        return self._next(len(weights))

    def one_at_a_time(
        self,
        start_row: Float[Tensor, " d"],
        end_row: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of the next rows."""
        del end_row
        return self._next(len(start_row) if which is None else len(which))

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Not known: all NaN."""
        return torch.full((len(weights),), torch.nan), torch.full_like(weights, torch.nan)

    def _next(self, rows: int) -> Float[Tensor, " n"]:
        logits = self.store.read(self.row, rows)
        self.row += rows
        return self.target(logits)


@dataclass(eq=False)
class Run:
    """An analysis at work on one image; ``checkpoint`` is what an attribution keeps of it.

    ``state`` and ``store`` hold complete steps only. ``seconds`` is the time of the steps so far.
    """

    probe: Probe
    analysis: AbstractAnalysis[Any]
    stream: int
    store: ScoreStore
    state: Any
    steadiness: Steadiness
    seconds: float = 0.0

    @classmethod
    def begin(cls, probe: Probe, analysis: AbstractAnalysis[Any], stream: int) -> Run:
        """A run before its first step; ValueError where the analysis does not fit the probe."""
        store = ScoreStore(len(probe.image_logits))
        state = analysis.init(RecordingProbe(probe, store), stream)
        return cls(probe, analysis, stream, store, state, Steadiness(probe))

    def branch(self, analysis: AbstractAnalysis[Any]) -> Run:
        """A run that goes on from here with ``analysis``; this one, and what it answers, stay as they are."""
        return replace(
            self,
            analysis=analysis,
            store=ScoreStore(len(self.probe.image_logits), self.store, len(self.store)),
            state=copy.deepcopy(self.state),
            steadiness=self.steadiness.copy(),
        )

    def step(self) -> None:
        """One more step of the analysis; an interrupt inside it leaves the run as it was."""
        rows = len(self.store)
        try:
            self.analysis.step(RecordingProbe(self.probe, self.store), self.state)
        except BaseException:
            self.store.truncate(rows)
            raise

    @property
    def finished(self) -> bool:
        """Whether the analysis is done."""
        return self.analysis.finished(self.state)

    @property
    def reason(self) -> str:
        """Why a finished run ended, or why nothing of it is certain."""
        return self.steadiness.words() or self.analysis.reason(self.state)

    def estimate(self) -> Estimate:
        """The estimate so far."""
        return self.checkpoint().applied(self.analysis.estimate(self.state))

    def checkpoint(self) -> Checkpoint:
        """The run up to here, whatever it does later."""
        steadiness = self.steadiness
        return Checkpoint(self, self.state.evaluations, steadiness.evaluations, steadiness.words())


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run up to one of its steps, from which an attribution answers: later rows do not count.

    ``rows`` counts the scores the analysis had then, ``looks`` the forward passes that checked the network
    besides. ``unsteady`` says why no map of it is certain, and is empty where the network answered alike.
    """

    run: Run
    rows: int
    looks: int
    unsteady: str

    @property
    def probe(self) -> Probe:
        """The score of the image as a function of its cells' weights."""
        return self.run.probe

    @property
    def analysis(self) -> AbstractAnalysis[Any]:
        """The analysis of the run."""
        return self.run.analysis

    def applied(self, estimate: Estimate) -> Estimate:
        """An estimate with the looks counted; no cell of it is resolved where the network was not steady."""
        counted = replace(estimate, evaluations=estimate.evaluations + self.looks)
        return unresolved(counted) if self.unsteady else counted

    def for_target(self, target: AbstractTarget) -> Checkpoint:
        """A run of another target up to here, from the same class scores, without a forward pass."""
        run = self.run
        replay = ReplayProbe(run.probe.groups, run.probe.tree, run.store, target)
        state = run.analysis.replayed(replay, run.state, run.stream, self.rows)
        store = ScoreStore(len(run.probe.image_logits), run.store, replay.row)
        return replace(
            self, run=replace(run, probe=replace(run.probe, target=target), state=state, store=store)
        )

    def estimate(self) -> Estimate:
        """The estimate of a run that has not gone further than this."""
        return self.applied(self.run.analysis.estimate(self.run.state))


def joint_estimate(checkpoints: Sequence[Checkpoint]) -> Estimate:
    """The estimate of several runs; nothing is resolved where the network was not steady."""
    estimate = averaged([one.estimate() for one in checkpoints])
    return unresolved(estimate) if any(one.unsteady for one in checkpoints) else estimate


def joint_stop(checkpoints: Sequence[Checkpoint], before: str) -> str:
    """Why runs that follow those of the target ``before`` ended."""
    finished = all(one.run.finished for one in checkpoints)
    return checkpoints[0].run.reason if finished else f"the rows of the run for {before} are used up"
