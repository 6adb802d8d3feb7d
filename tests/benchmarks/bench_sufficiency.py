"""How many cells restore a real network's decision, by four orders of the same cells, over photographs.

A run that is stopped goes on where it was: one JSON line for each photograph. Intervals are bootstrapped over
photographs, 95 %; differences are paired. Run with ``--images FOLDER``, as ``bench_real.py``. Without it, on
planted cues, of which one cell suffices.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.benchmarks.bench_planted import planted_crop
from tests.benchmarks.real_maps import NETWORK, Photograph, photographs, pixels, quick_network, read_lines
from wcam_widget import BlackBox, Derivative, Wcam
from wcam_widget.demo.planted import GRID, LEVELS
from wcam_widget.evaluate import Domain, Search, sufficiency
from wcam_widget.evaluate.over_images import mean_over

ROWS = 16
SEARCH = {"window": 2, "randoms": 2}
RESAMPLED, RESAMPLES = 4, 19  # every fourth photograph has an interval of its own: it costs most
OUT = Path(__file__).parents[2] / "build" / "bench_sufficiency.jsonl"


def line_of(model: BlackBox, photo: Photograph, resamples: int) -> dict[str, Any]:
    """One photograph: the row of its set, what the map took, and the seconds of the processor."""
    started = time.process_time()
    image = pixels(photo.path)[None]
    (attribution,) = Wcam(Derivative(ROWS))(model, image)
    search = Search(**SEARCH, resamples=resamples)
    (one,) = sufficiency(model, image, [attribution], None, Domain(seed=photo.class_id), search).sets
    seconds = time.process_time() - started
    right = int(model.logits(image)[0].argmax()) == photo.class_id
    return {**key_of(photo), "right": right, "seconds": seconds, "row": one.row()}


def planted_line(seed: int) -> dict[str, Any]:
    """One crop with a planted cue, as ``line_of`` has photographs; whether the cue's cell comes first."""
    planted, started = planted_crop(seed), time.process_time()
    images = planted.image[None]
    (attribution,) = Wcam(Derivative(ROWS), levels=LEVELS, grid=GRID)(planted.model, images)
    search, domain = Search(**SEARCH, resamples=RESAMPLES), Domain(seed=seed)
    (one,) = sufficiency(planted.model, images, [attribution], None, domain, search).sets
    right = int(attribution.values.argmax()) == planted.cell
    return {"right": right, "seconds": time.process_time() - started, "row": one.row()}


def key_of(photo: Photograph) -> dict[str, Any]:
    """What a line is known by."""
    return {"image": photo.path.name, "network": NETWORK, "rows": ROWS, "version": version("wcam_widget")}


def chosen(folder: Path, count: int) -> list[Photograph]:
    """Photographs in a fixed random order, so that any number of them is a sample of all."""
    every = photographs(folder)
    return [every[number] for number in np.random.default_rng(0).permutation(len(every))[:count]]


def words(values: np.ndarray, form: str = ".3f") -> str:
    """A mean with its limits."""
    mean = mean_over(values[:, None])
    return " ".join(f"{float(part[0]):{form}}" for part in mean)


def print_table(lines: list[dict[str, Any]]) -> None:
    """Depths as shares of the cells by the four orders, and paired differences from the map's."""
    rows = [line["row"] for line in lines]
    share = {"map": np.array([row["depth"] / row["cells"] for row in rows])}
    orders = [name.removeprefix("monotone.") for name in rows[0] if name.startswith("monotone.")]
    share |= {name: np.array([row[f"depth.{name}"] / row["cells"] for row in rows]) for name in orders}
    print(f"{len(rows)} photographs, {sum(line['right'] for line in lines)} right\n")
    print("| order | share of cells, mean low high | median | more than the map's | ratio | fewer than it |")
    print("| --- | --- | ---: | --- | --- | ---: |")
    for name, values in share.items():
        more, half = words(values - share["map"]), 0.5 / rows[0]["cells"]  # none at all counts as half a cell
        ratio = np.log(np.maximum(values, half) / np.maximum(share["map"], half))
        usual = mean_over(ratio[:, None])
        factor = " ".join(f"{np.exp(float(part[0])):.2f}" for part in usual)
        fewer = (values < share["map"]).mean()
        print(f"| {name} | {words(values)} | {np.median(values):.3f} | {more} | {factor} | {fewer:.0%} |")
    for name in ("energy", "monotone", *(f"monotone.{order}" for order in orders)):
        print(f"{name}: {np.mean([float(row[name]) for row in rows]):.3f}")
    bands = [name for name in rows[0] if name.startswith("budget.")]
    parts = np.array([[row[name] / max(row["depth"], 1) for name in bands] for row in rows])
    print(", ".join(f"{name} {100 * part:.1f} %" for name, part in zip(bands, parts.mean(0), strict=True)))
    spans = [
        (row["depth.low"], row["depth"], row["depth.high"])
        for row in rows
        if row["depth.low"] < row["depth.high"]
    ]
    if spans:
        low, depth, high = np.array(spans).T
        print(f"own intervals, {len(spans)}: {np.median(low / depth):.2f} to {np.median(high / depth):.2f}")
    print(f"seconds of the processor, median: {np.median([line['seconds'] for line in lines]):.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.images is None:
        print_table([planted_line(seed) for seed in range(options.count)])
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    photos = chosen(options.images, options.count)
    keys = [key_of(photo) for photo in photos]
    done = [line["image"] for line in read_lines(options.out) if {k: line[k] for k in keys[0]} in keys]
    model = quick_network(photos[0].path)
    with options.out.open("a") as file:
        for number, photo in enumerate(photos):
            if photo.path.name not in done:
                resamples = RESAMPLES if number % RESAMPLED == 0 else 0
                file.write(json.dumps(line_of(model, photo, resamples)) + "\n")
                file.flush()
    lines = [line for line in read_lines(options.out) if {k: line[k] for k in keys[0]} in keys]
    print_table(lines)


if __name__ == "__main__":
    main()
