"""Profiles and zooming of a real network over photographs, in the form of the published tables.

A run that is stopped goes on where it was: one JSON line for each photograph. Intervals are bootstrapped over
photographs, 95 %. Run with ``--images FOLDER``, as ``bench_real.py``.
"""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.benchmarks.bench_sufficiency import chosen
from tests.benchmarks.real_maps import NETWORK, Photograph, network, quick_network, read_lines
from wcam_widget import BlackBox, Derivative, Wcam, zoom
from wcam_widget.evaluate.over_images import mean_over
from wcam_widget.sensitivity.statistics.paired import sign_flip_p

ROWS, FACTOR = 16, 2
OUT = Path(__file__).parents[2] / "build" / "bench_scales.jsonl"


def key_of(photo: Photograph) -> dict[str, Any]:
    """What a line is known by."""
    return {"image": photo.path.name, "network": NETWORK, "rows": ROWS, "version": version("wcam_widget")}


def line_of(model: BlackBox, photo: Photograph) -> dict[str, Any]:
    """One photograph: scores and decisions of all views, totals and Shapley effects of their levels."""
    method = Wcam(Derivative(ROWS))
    (row,) = zoom(model, str(photo.path), factors=(FACTOR,), method=method, targets=photo.class_id).rows
    levels = {
        f"{factor:g} {view}": {"shapley": one.groups.shapley.tolist(), "total": one.groups.total.tolist()}
        for (factor, view), one in row.levels.items()
    }
    views = {"scores": row.scores.tolist(), "right": row.right.tolist(), "resolution": row.resolution}
    return {**key_of(photo), **views, "levels": levels}


def with_limits(values: np.ndarray) -> str:
    """A mean over photographs with its limits."""
    mean = mean_over(values[:, None])
    return f"{mean.value[0]:.3f} ({mean.low[0]:.3f} to {mean.high[0]:.3f})"


def print_table(lines: list[dict[str, Any]]) -> None:
    """Levels as in the published table, 0 the approximation; then accuracy, and the steps of the gain."""
    print(f"{len(lines)} photographs, {lines[0]['resolution']:.2f} pixels of the first to one of its view\n")
    print("| view | level, coarse to fine | Shapley effect | total |\n| --- | --- | --- | --- |")
    for view in lines[0]["levels"]:
        effects, totals = (
            np.array([line["levels"][view][name] for line in lines]) for name in ("shapley", "total")
        )
        for level in range(effects.shape[1]):
            print(
                f"| {view} | {level} | {with_limits(effects[:, level])} | {with_limits(totals[:, level])} |"
            )
    scores, right = (np.array([line[name] for line in lines]) for name in ("scores", "right"))
    views = {"factor 1": (0, 0), "zoomed": (1, 0), "cropped": (1, 1), "enlarged": (1, 2)}
    print("\n| view | accuracy | probability |\n| --- | ---: | --- |")
    for name, (factor, view) in views.items():
        print(f"| {name} | {right[:, factor, view].mean():.2f} | {with_limits(scores[:, factor, view])} |")
    start, (zoomed, cropped, enlarged) = scores[:, 0, 0], scores[:, 1].T
    steps = {
        "zoom": zoomed - start,
        "background removed": cropped - start,
        "larger on the grid": enlarged - cropped,
        "finer detail": zoomed - enlarged,
    }
    print("\n| step | gain | p |\n| --- | --- | ---: |")
    for name, gain in steps.items():
        print(f"| {name} | {with_limits(gain)} | {sign_flip_p(gain[:, None])[0]:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    photos = chosen(options.images, options.count)
    keys = [key_of(photo) for photo in photos]
    done = [line["image"] for line in read_lines(options.out) if {k: line[k] for k in keys[0]} in keys]
    model = quick_network(photos[0].path)
    model.input_size = network().input_size
    with options.out.open("a") as file:
        for photo in photos:
            if photo.path.name not in done:
                file.write(json.dumps(line_of(model, photo)) + "\n")
                file.flush()
    print_table([line for line in read_lines(options.out) if {k: line[k] for k in keys[0]} in keys])


if __name__ == "__main__":
    main()
