"""Maps of real networks against records of the truth, with the records' own noise taken out.

The records are those of real_truth.py in tests/reference, of photographs in the package.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, spearmanr

from wcam_widget import Attribution, Derivative, Wcam, load_model, load_photos
from wcam_widget.explain import AbstractMethod
from wcam_widget.sensitivity import Kind

RECORDS = Path(__file__).parents[1] / "reference"
TOP, HIGHEST, HELD = 30, 10, 60
METHODS: dict[str, AbstractMethod] = {
    "Wcam(), the default": Wcam(),
    "Wcam(Derivative(32))": Wcam(Derivative(32)),
}


@dataclass(frozen=True, eq=False)
class Truth:
    """Total indices of a photograph's cells, their standard errors, and how sure the variance is."""

    network: str
    photo: str
    total: np.ndarray
    error: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Truth:
        """A record of real_truth.py."""
        _, network, photo = path.stem.split("_")
        with np.load(path) as held:
            count, scores = held["count"], held["scores"].astype(float)
            variance = scores.var(ddof=1)
            total = held["mean"] / variance
            error = np.sqrt(held["spread"] / (count - 1) / count) / variance
        # The fourth moment says how sure a variance of independent scores is.
        common = np.sqrt((((scores - scores.mean()) ** 4).mean() / variance**2 - 1) / len(scores))
        return cls(network, photo, total, np.hypot(error, total * common))


class Judged(NamedTuple):
    """How near one map is to the truth."""

    rank: float
    shared: int
    error: float
    width: float
    covered: float
    unresolved: int
    passes: int
    seconds: float
    first: float


def judged(found: Attribution, truth: Truth, first: float) -> Judged:
    """A map against the truth: ranks, the highest cells, errors of values less the truth's own, intervals."""
    top = np.argsort(-truth.total)[:TOP]
    squares = (found.values[top] / truth.total[top] - 1) ** 2 - (truth.error[top] / truth.total[top]) ** 2
    highest = np.argsort(-found.values)[:HIGHEST]
    widths = (found.high - found.low)[highest] / found.values[highest]
    return Judged(
        float(spearmanr(found.values, truth.total)[0]),
        len(set(top) & set(np.argsort(-found.values)[:TOP])),
        float(np.sqrt(max(0.0, squares.mean()))),
        float(np.median(widths)),
        float(held(found, truth).mean()),
        int((found.kind == Kind.UNRESOLVED).sum()),
        found.done,
        found.seconds,
        first,
    )


def held(found: Attribution, truth: Truth) -> np.ndarray:
    """The chance that each interval holds its index, for the highest cells, the truth's noise allowed for."""
    known = np.argsort(-truth.total)[:HELD]
    total, error = truth.total[known], truth.error[known]
    return norm.cdf((found.high[known] - total) / error) - norm.cdf((found.low[known] - total) / error)


def maps(truth: Truth, method: AbstractMethod, seeds: int) -> Iterator[Judged]:
    """One judgement for each seed; the stream number is the seed."""
    model = load_model(truth.network)
    image = model.fit(load_photos()[truth.photo])
    for seed in range(seeds):
        started, first = time.perf_counter(), 0.0
        found = []
        for attribution in method.steps(model, image, stream=seed):
            first = first or time.perf_counter() - started
            found = [attribution]
        yield judged(found[0], truth, first)


def print_truth(seeds: int) -> None:
    """Medians and ranges over records and seeds."""
    records = [Truth.read(path) for path in sorted(RECORDS.glob("truth_*.npz"))]
    noise = np.median([np.median((one.error / one.total)[np.argsort(-one.total)[:TOP]]) for one in records])
    print(f"\n{len(records)} photographs on real networks, {seeds} seeds each, medians and ranges.")
    print(f"The truth's own error of the highest {TOP} cells, {noise:.2f} of the value, is taken out.\n")
    fields = "rank agreement", f"top {TOP} shared", f"relative error, top {TOP}", "width over value, top 10"
    fields += f"cover, top {HELD}", "not resolved", "passes", "seconds", "first picture, s"
    print("| | " + " | ".join(fields) + " |\n|" + " --- |" * (len(fields) + 1))
    for name, method in METHODS.items():
        found = np.array([one for truth in records for one in maps(truth, method, seeds)], float)
        middle, low, high = np.median(found, 0), found.min(0), found.max(0)
        columns = [f"{m:.3g} ({a:.3g} to {b:.3g})" for m, a, b in zip(middle, low, high, strict=True)]
        columns[4] += f"; mean {found[:, 4].mean():.3f} over {len(found) * HELD} cell-runs"
        print(f"| {name} | " + " | ".join(columns) + " |", flush=True)
