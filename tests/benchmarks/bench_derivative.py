"""Derivative against a converged Sobol run and against the published settings, on the demo model."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from wcam_widget import Attribution, Derivative, Sobol, Wcam, load_demo
from wcam_widget.explain import AbstractMethod


def timed(method: AbstractMethod, model, image) -> tuple[Attribution, float]:
    started = time.perf_counter()
    *_, attribution = method.steps(model, image)
    return attribution, time.perf_counter() - started


def shared(one: np.ndarray, other: np.ndarray, top: int) -> int:
    return len(set(np.argsort(-one)[:top]) & set(np.argsort(-other)[:top]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=256, help="rows of the converged Sobol run")
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder that keeps the converged runs")
    chosen = parser.parse_args()
    demo = load_demo()
    for number in range(chosen.images):
        image = demo.images[number]
        derivative, quick = timed(Wcam(Derivative(32)), demo.model, image)
        _, again = timed(Wcam(Derivative(32)), demo.model, image)
        _, published = timed(Wcam.as_published(grid=28, rows=8), demo.model, image)
        sobol, slow = timed(Wcam(Sobol(chosen.rows, seed=1)), demo.model, image)
        if chosen.keep:
            sobol.save(chosen.keep / f"demo-{number}-{chosen.rows}")
        rank = spearmanr(derivative.values, sobol.values)[0]
        print(
            f"image {number} ({demo.class_names[demo.labels[number]]}): Derivative(32) against "
            f"Sobol({chosen.rows}): Spearman {rank:.3f}, "
            f"{shared(derivative.values, sobol.values, 30)} of the top 30 shared; "
            f"{published / min(quick, again):.0f} times less wall time than "
            f"Wcam.as_published(grid=28, rows=8), "
            f"{slow / min(quick, again):.0f} times less than Sobol",
            flush=True,
        )


if __name__ == "__main__":
    main()
