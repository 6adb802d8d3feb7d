"""How often nominal 95 % intervals hold the exact index, and the bounds of derivatives the exact total."""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch

from tests.sensitivity.oracles import Oracle, ishigami, linear, sobol_g
from wcam_widget.sensitivity import AbstractAnalysis, Derivative, Sobol
from wcam_widget.sensitivity.intervals import Replicated

FUNCTIONS = {"sobol_g": sobol_g, "ishigami": ishigami, "linear": linear}
ROWS = (16, 64, 256)
INTERVALS = ("student", "bootstrap")


def one_run(asked: tuple[AbstractAnalysis, str]) -> np.ndarray:
    """Of each interval: which active inputs have their index below it, which above, and its width in indices."""
    torch.set_num_threads(1)
    analysis, name = asked
    oracle = FUNCTIONS[name]()
    *_, estimate = analysis.run(oracle.ask())
    limits = [(estimate.low, estimate.high)]
    if isinstance(analysis, Sobol):
        low, high = Replicated(estimate.value, estimate.left_out).bootstrap_interval()
        limits.append((low, np.maximum(np.minimum(high, 1.0), estimate.value)))
    return np.array([measured(oracle, low, high) for low, high in limits])


def measured(oracle: Oracle, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    active = oracle.total > 0
    total, low, high = oracle.total[active], low[active], high[active]
    # Scores are float32: a bound met exactly may miss by their rounding.
    return np.array([low > total * (1 + 1e-5), high < total * (1 - 1e-5), (high - low) / total])


def over_seeds(analysis: AbstractAnalysis, name: str, seeds: Iterable[int], pool) -> np.ndarray:
    asked = [(replace(analysis, seed=seed), name) for seed in seeds]
    return np.array(pool.map(one_run, asked, chunksize=4))


def intervals(rows: int, name: str, seeds: Iterable[int], pool) -> list[str]:
    found = over_seeds(Sobol(rows=rows), name, seeds, pool)
    lines = []
    for number, kind in enumerate(INTERVALS):
        too_high, too_low, width = found[:, number].transpose(1, 0, 2)
        held = 100 * (1 - too_high.mean(0) - too_low.mean(0))
        lines.append(
            f"Sobol({rows:3}) {name:9} {kind:10} covers {held.mean():5.1f} % (inputs from {held.min():5.1f} "
            f"to {held.max():5.1f}); index below in {100 * too_high.mean():4.1f} %, above in "
            f"{100 * too_low.mean():4.1f} %; median width {np.median(width):5.2f} of the index"
        )
    return lines


def bounds(rows: int, name: str, seeds: Iterable[int], pool) -> str:
    found = over_seeds(Derivative(rows=rows), name, seeds, pool)[:, 0]
    too_high, too_low = (100 * found[:, side].mean(0) for side in (0, 1))
    return (
        f"Derivative({rows:3}) {name:9} upper limit violated in {too_low.mean():4.1f} % (worst input "
        f"{too_low.max():4.1f}), lower limit in {too_high.mean():4.1f} % (worst {too_high.max():4.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--jobs", type=int, default=None, help="processes; one for each core if not given")
    chosen = parser.parse_args()
    seeds = range(chosen.seeds)
    print(f"{chosen.seeds} seeds; inputs that do nothing are left out")
    # torch's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(chosen.jobs) as pool:
        for rows in chosen.rows:
            for name in FUNCTIONS:
                print(*intervals(rows, name, seeds, pool), sep="\n", flush=True)
                print(bounds(rows, name, seeds, pool), flush=True)


if __name__ == "__main__":
    main()
