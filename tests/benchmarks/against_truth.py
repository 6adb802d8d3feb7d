"""Maps of real networks against records of the truth, with the records' own noise taken out.

The records are those of real_truth.py in tests/reference: of single photographs, cell by cell.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import spearmanr

from tests.benchmarks.real_truth import Moments, truth_photos
from wcam_widget import Attribution, Wcam, load_model
from wcam_widget.evaluate.carried import carried
from wcam_widget.explain import AbstractMethod
from wcam_widget.sensitivity import Kind

RECORDS = Path(__file__).parents[1] / "reference"
TOP, HIGHEST, HELD = 30, 10, 60
Z = 1.96


@dataclass(frozen=True, eq=False)
class Truth:
    """Total indices of a photograph's cells, their standard errors, and how reliable their ranks are.

    ``reliability`` is the rank agreement that two records as long as this one would have.
    """

    network: str
    photo: str
    total: np.ndarray
    error: np.ndarray
    reliability: float

    @classmethod
    def read(cls, path: Path) -> Truth:
        """A record of real_truth.py."""
        _, network, photo = path.stem.split("_")
        halves, scores = Moments.read(path)
        both, variance = halves.together(), scores.var(ddof=1)
        total = both.mean / variance
        error = np.sqrt(both.spread / (both.count - 1) / both.count) / variance
        # The fourth moment says how sure a variance of independent scores is.
        common = np.sqrt((((scores - scores.mean()) ** 4).mean() / variance**2 - 1) / len(scores))
        agree = float(spearmanr(*halves.mean)[0])
        # Spearman (1910) and Brown (1910): of a record twice as long as each half.
        return cls(network, photo, total, np.hypot(error, total * common), 2 * agree / (1 + agree))


class Judged(NamedTuple):
    """How near one map is to the truth; ``clean`` is the rank agreement without the truth's noise."""

    rank: float
    clean: float
    shared: int
    error: float
    width: float
    covered: float
    unresolved: int


@dataclass(frozen=True)
class Run:
    """One run of a method: its frames (passes, seconds, rank agreement with the truth) and its end.

    ``fall`` is the most by which the rank agreement with the end was ever lower than in an earlier frame.
    """

    network: str
    photo: str
    method: str
    seed: int
    frames: list[tuple[int, float, float]]
    fall: float
    end: dict[str, Any]


def judged(values: np.ndarray, found: Attribution, truth: Truth) -> Judged:
    """A map against the truth: ranks, the highest cells, errors of values less the truth's own, intervals.

    ``values`` are on the truth's cells. A map on other cells has ranks only.
    """
    rank = float(spearmanr(values, truth.total)[0])
    clean = min(1.0, rank / np.sqrt(truth.reliability))
    top = np.argsort(-truth.total)[:TOP]
    shared = len(set(top) & set(np.argsort(-values)[:TOP]))
    if len(found.values) != len(truth.total):
        return Judged(rank, clean, shared, np.nan, np.nan, np.nan, 0)
    squares = (values[top] / truth.total[top] - 1) ** 2 - (truth.error[top] / truth.total[top]) ** 2
    highest = np.argsort(-values)[:HIGHEST]
    widths = (found.high - found.low)[highest] / values[highest]
    error, covered = float(np.sqrt(max(0.0, squares.mean()))), float(held(values, found, truth).mean())
    unresolved = int((found.kind == Kind.UNRESOLVED).sum())
    return Judged(rank, clean, shared, error, float(np.median(widths)), covered, unresolved)


def held(values: np.ndarray, found: Attribution, truth: Truth) -> np.ndarray:
    """Whether the record lies where intervals and its own error let 95 % of records lie.

    Of the cells that the map has highest: those that a record has highest are so by its noise, too.
    """
    known = np.argsort(-values)[:HELD]
    low, high = (
        np.hypot(end[known] - values[known], Z * truth.error[known]) for end in (found.low, found.high)
    )
    away = truth.total[known] - values[known]
    return (-low <= away) & (away <= high)


def run(truth: Truth, name: str, method: AbstractMethod, seed: int, threads: int) -> Run:
    """One run; the stream number is the seed."""
    torch.set_num_threads(threads)
    model = load_model(truth.network, engine="onnx")
    image = model.fit(truth_photos()[truth.photo])
    probe = Wcam().probe(model, image)
    while model.engine.name == "torch":  # not the first photograph: the engine is there
        model.logits(image[None])
        time.sleep(0.2)
    started, frames, maps = time.perf_counter(), [], []
    for found in method.steps(model, image, stream=seed):
        values = carried(found, probe.basis, probe.cells)
        frames.append((found.done, time.perf_counter() - started, float(spearmanr(values, truth.total)[0])))
        maps.append(values)
    near = [float(spearmanr(values, maps[-1])[0]) for values in maps]
    fall = max((high - now for high, now in zip(np.maximum.accumulate(near), near, strict=True)), default=0.0)
    end = judged(maps[-1], found, truth)._asdict()
    return Run(truth.network, truth.photo, name, seed, frames, float(fall), end)
