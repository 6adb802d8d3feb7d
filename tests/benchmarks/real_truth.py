"""Total indices of all cells of photographs on real networks, by brute force: what estimates are judged by.

Rows of exchanges of every cell give the ranks, many more of the cells that are highest then give the values,
thousands of plain scores the variance. Hours on two cores; a record of a photograph is a few kilobytes in
tests/reference, so that comparing against it takes seconds. A run that was stopped goes on where it was.

    python tests/benchmarks/real_truth.py --network efficientnet-lite0 --photo cat --out tests/reference
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage.data import stereo_motorcycle

from wcam_widget import load_model, load_photos
from wcam_widget.files import atomic_write
from wcam_widget.perturb.probe import Probe
from wcam_widget.perturb.space import Space
from wcam_widget.sensitivity.sampling.exchanges import Exchanges, exchanges

HIGHEST, TOGETHER = 60, 20
SEED, EVERY, HIGH, PLAIN = 711, 0, 1, 2  # streams that no analysis draws from
FIELDS = ("count", "mean", "spread")


def truth_photos() -> dict[str, Image.Image]:
    """The photographs of the package and one more of scikit-image."""
    return {**load_photos(), "motorcycle": Image.fromarray(stereo_motorcycle()[0])}


@dataclass(frozen=True)
class Plan:
    """Rows of all cells, rows of the highest, plain scores."""

    rows: int
    more: int
    plain: int


@dataclass(eq=False)
class Moments:
    """Running counts, means and sums of squared deviations (2, d) of ``d`` numbers (Welford 1962).

    Rows with even and odd numbers apart: how well both halves agree says how sure ranks are.
    """

    count: np.ndarray
    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def read(cls, path: Path) -> tuple[Moments, np.ndarray]:
        """Those of a record, and its plain scores."""
        with np.load(path) as held:
            return cls(*(held[name].astype(float) for name in FIELDS)), held["scores"].astype(float)

    def together(self) -> Moments:
        """Both halves as one, (d,) each (Chan, Golub and LeVeque 1983)."""
        count = self.count.sum(0)
        mean = (self.count * self.mean).sum(0) / count
        return Moments(count, mean, (self.spread + self.count * (self.mean - mean) ** 2).sum(0))

    def add(self, row: int, which: np.ndarray, values: np.ndarray) -> None:
        """Count one number in for each of ``which``."""
        place = row % 2, which
        self.count[place] += 1
        away = values - self.mean[place]
        self.mean[place] += away / self.count[place]
        self.spread[place] += away * (values - self.mean[place])


def halves(probe: Probe, stream: int, row: int, cells: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Half the squared steps of the score with each of ``cells`` drawn anew, and the plain scores.

    A few cells share an image: how steep the score is there is noise that they have in common.
    """
    order = np.random.default_rng([SEED, stream, row]).permutation(len(cells))
    plain, values = [], np.zeros(len(cells))
    for number, some in enumerate(np.array_split(order, -(-len(cells) // TOGETHER))):
        which = cells[some]
        drawn = exchanges([SEED, stream, number], row, which[None], len(probe.cells))
        steps = probe.one_at_a_time(torch.from_numpy(drawn.rows[0]), _ends(drawn, which), which)
        plain.append(float(probe(torch.from_numpy(drawn.rows))[0]))
        values[some] = (steps.double().numpy() - plain[-1]) ** 2 / 2 * drawn.importance[0]
    return plain, values


def _ends(drawn: Exchanges, which: np.ndarray) -> torch.Tensor:
    row = drawn.rows[0].copy()
    row[which] = drawn.ends[0]
    return torch.from_numpy(row)


def measured(probe: Probe, plan: Plan, path: Path) -> None:
    """Measure the cells of a photograph, beginning with what ``path`` holds."""
    cells, steps, plain = _read(path, len(probe.cells))
    everyone, started = np.arange(len(probe.cells)), time.perf_counter()
    done = {stream: int(steps[stream]) for stream in (EVERY, HIGH, PLAIN)}
    scores = list(plain)
    while done[EVERY] < plan.rows or done[HIGH] < plan.more or done[PLAIN] < plan.plain:
        if done[EVERY] < plan.rows:
            found, values = halves(probe, EVERY, done[EVERY], everyone)
            cells.add(done[EVERY], everyone, values)
            scores += found
            done[EVERY] += 1
        elif done[PLAIN] < plan.plain:
            generator = np.random.default_rng([SEED, PLAIN, done[PLAIN]])
            rows = torch.from_numpy(generator.random((100, len(everyone)), np.float32))
            scores += probe(rows).tolist()
            done[PLAIN] += 100
        else:
            highest = (
                np.sort(np.argsort(-cells.mean.sum(0))[:HIGHEST])
                if done[HIGH] == 0
                else np.flatnonzero(cells.count.sum(0) > plan.rows)
            )
            found, values = halves(probe, HIGH, done[HIGH], highest)
            cells.add(done[HIGH], highest, values)
            scores += found
            done[HIGH] += 1
        if sum(done.values()) % 10 == 0 or done == {EVERY: plan.rows, HIGH: plan.more, PLAIN: plan.plain}:
            _write(path, cells, np.array(list(done.values())), np.array(scores))
            print(path.name, done, f"{time.perf_counter() - started:.0f} s", flush=True)


def _read(path: Path, cells: int) -> tuple[Moments, np.ndarray, np.ndarray]:
    if not path.exists():
        return Moments(*np.zeros((3, 2, cells))), np.zeros(3, np.int64), np.zeros(0)
    moments, scores = Moments.read(path)
    with np.load(path) as held:
        return moments, held["done"], scores


def _write(path: Path, cells: Moments, done: np.ndarray, scores: np.ndarray) -> None:
    numbers = {name: getattr(cells, name).astype(np.float32) for name in FIELDS}
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, done=done, scores=scores.astype(np.float32), **numbers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--photo", default="cat", choices=list(truth_photos()))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--more", type=int, default=300)
    parser.add_argument("--plain", type=int, default=2000)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(chosen.network, engine="onnx")
    image = model.fit(truth_photos()[chosen.photo])
    probe = Space().probe(model, image)
    chosen.out.mkdir(parents=True, exist_ok=True)
    path = chosen.out / f"truth_{chosen.network}_{chosen.photo}.npz"
    measured(probe, Plan(chosen.rows, chosen.more, chosen.plain), path)
    print(json.dumps({"record": path.name, "class": model.top(image, 1)[0][0]}))


if __name__ == "__main__":
    main()
