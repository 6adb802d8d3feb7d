"""How often nominal 95 % intervals hold the exact index, and the bounds of derivatives the exact total."""

from __future__ import annotations

import argparse
import math
import multiprocessing

import numpy as np
import torch

from tests.sensitivity.oracles import Oracle, ishigami, linear, sobol_g
from wcam_widget.sensitivity import AbstractAnalysis, Derivative, Estimate, Sobol
from wcam_widget.sensitivity.statistics.jackknife import Replicated


def cosines() -> Oracle:
    """The function for which the bound from derivatives is met exactly, so that it leaves no room."""
    heights = np.array([1.0, 0.7, 0.4, 0.2])
    share = heights**2 / (heights**2).sum()
    terms = torch.tensor(heights, dtype=torch.float32)
    return Oracle(
        name="cosines",
        function=lambda w: (w * math.pi).cos() @ terms,
        groups=np.array([0, 0, 1, 1]),
        total=share,
        first=share,
        variance=float((heights**2).sum() / 2),
    )


FUNCTIONS = {"sobol_g": sobol_g, "ishigami": ishigami, "linear": linear, "cosines": cosines}
ROWS = (16, 64, 256)
LOW, HIGH, WIDTH = 0, 1, 2


def estimates(analysis: AbstractAnalysis, oracle: Oracle, costs: list[int]) -> list[Estimate]:
    """The estimates of a run when it has asked as often as each of ``costs``."""
    function, found = oracle.ask(), []
    state = analysis.init(function)
    for cost in costs:
        while state.evaluations < cost:
            analysis.step(function, state)
        found.append(analysis.estimate(state))
    return found


def sobol(asked: tuple[str, int, tuple[int, ...]]) -> list[list[np.ndarray]]:
    """Misses of Student's and of bootstrap limits, at each number of rows of one run."""
    torch.set_num_threads(1)
    name, seed, rows = asked
    oracle = FUNCTIONS[name]()
    groups = int(oracle.groups.max()) + 1
    # A run with more rows goes on where one with fewer ended.
    costs = [Sobol(rows=count).planned(len(oracle.groups), groups) for count in rows]
    found = []
    for estimate in estimates(Sobol(rows=max(rows), seed=seed), oracle, costs):
        low, high = Replicated(estimate.value, estimate.left_out).bootstrap_interval()
        high = np.maximum(np.minimum(high, 1.0), estimate.value)
        found.append([missed(oracle, estimate.low, estimate.high), missed(oracle, low, high)])
    return found


def derivative(asked: tuple[str, int, int]) -> np.ndarray:
    """Misses of the limits of the bounds."""
    torch.set_num_threads(1)
    name, seed, rows = asked
    oracle, analysis = FUNCTIONS[name](), Derivative(rows=rows, seed=seed)
    function = oracle.ask()
    state = analysis.init(function)
    while not analysis.finished(state):
        analysis.step(function, state)
    estimate = analysis.estimate(state)
    return missed(oracle, estimate.low, estimate.high)


def missed(oracle: Oracle, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """For each active input: whether its index lies below the limits, whether above, and their distance."""
    active = oracle.total > 0
    total, low, high = oracle.total[active], low[active], high[active]
    # Scores are float32: a bound met exactly may miss by their rounding.
    return np.array([low > total * (1 + 1e-5), high < total * (1 - 1e-5), (high - low) / total])


def coverage(name: str, rows: tuple[int, ...], seeds: int, pool) -> list[str]:
    found = np.array(pool.map(sobol, [(name, seed, rows) for seed in range(seeds)], chunksize=4))
    lines = []
    for place, count in enumerate(rows):
        for number, kind in enumerate(("student", "bootstrap")):
            run = found[:, place, number]
            held = 100 * (1 - run[:, LOW].mean(0) - run[:, HIGH].mean(0))
            lines.append(
                f"Sobol({count}), {name}, {kind}: {held.mean():.1f} % covered (inputs {held.min():.1f} to "
                f"{held.max():.1f}); index below in {100 * run[:, LOW].mean():.1f} %, above in "
                f"{100 * run[:, HIGH].mean():.1f} %; median width {np.median(run[:, WIDTH]):.2f} indices"
            )
    return lines


def bounds(name: str, rows: int, seeds: int, pool) -> str:
    found = np.array(pool.map(derivative, [(name, seed, rows) for seed in range(seeds)], chunksize=4))
    low, high = (100 * found[:, side].mean(0) for side in (LOW, HIGH))
    return (
        f"Derivative({rows}), {name}: upper limit violated in {high.mean():.1f} % (worst input "
        f"{high.max():.1f}), lower limit in {low.mean():.1f} % (worst {low.max():.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--jobs", type=int, default=None, help="processes; one for each core if not given")
    chosen = parser.parse_args()
    print(f"Nominal 95 %, {chosen.seeds} seeds; inputs that do nothing are left out")
    # torch's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(chosen.jobs) as pool:
        for name in FUNCTIONS:
            print(*coverage(name, tuple(sorted(chosen.rows)), chosen.seeds, pool), sep="\n", flush=True)
        for name in FUNCTIONS:
            for rows in chosen.rows:
                print(bounds(name, rows, chosen.seeds, pool), flush=True)


if __name__ == "__main__":
    main()
