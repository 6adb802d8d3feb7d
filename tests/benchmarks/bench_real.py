"""EfficientNet-Lite0 on labelled photographs: accuracy, the time of a map, resolved cells, all methods.

Usage: python tests/benchmarks/bench_real.py --images FOLDER. A file's name begins with its class and an
underscore. Maps are stored in ``--out`` as they come; a run that was stopped goes on, and tables say of how
many photographs each row is. Only photographs that the network gets right are explained.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tests.benchmarks.bench_truth import METHODS, report
from tests.benchmarks.real_maps import (
    CHEAP,
    COLUMNS,
    DEAR,
    LINEAR,
    NETWORK,
    Photograph,
    Protocol,
    made,
    matches,
    network,
    pending,
    photographs,
    pixels,
    read_lines,
    run,
)
from tests.benchmarks.timing import cpu_clock
from wcam_widget.evaluate.comparison import Comparison, Row
from wcam_widget.evaluate.rankings import NULLS
from wcam_widget.evaluate.result import Faithfulness
from wcam_widget.sensitivity import Kind

PARTS = ("accuracy", "time", "truth", "maps", "tables")


def print_accuracy(photos: list[Photograph]) -> list[Photograph]:
    """Share of the photographs whose top class is their own, and these."""
    model = network()
    right = [
        photo for photo in photos if int(model.logits(pixels(photo.path)[None])[0].argmax()) == photo.class_id
    ]
    size = "x".join(str(side) for side in pixels(photos[0].path).shape[1:])
    print(f"\n{NETWORK} as loaded, {size}: {len(right)} of {len(photos)} photographs right", flush=True)
    return right


class Timed(NamedTuple):
    """One map: seconds and passes to its first picture and to its end, and what a pass takes bare."""

    first: float
    first_passes: int
    end: float
    passes: int
    bare: float


def timed(name: str, image: torch.Tensor) -> Timed:
    """A map by the network as loaded, between two measurements of its own forward passes."""
    model = network()
    before = bare(image)
    started = cpu_clock()
    marks = [
        (cpu_clock() - started, attribution.done)
        for attribution in made(model, name).steps(model, image)
        if np.any(attribution.values)
    ]
    return Timed(*marks[0], *marks[-1], (before + bare(image)) / 2)


def bare(image: torch.Tensor) -> float:
    """Seconds of one forward pass of the network by itself, in batches of the BlackBox's size."""
    model = network()
    batch = model.preprocess(image.expand(model.batch_size, -1, -1, -1))
    with torch.inference_mode():
        model.net(batch)
        started = cpu_clock()
        model.net(batch)
    return (cpu_clock() - started) / len(batch)


def print_time(photos: list[Photograph]) -> None:
    """Medians and ranges over photographs, on the network as loaded; ratios to its own passes beside.

    With one thread (``OMP_NUM_THREADS=1``) seconds are those of the processor, whatever else it does.
    """
    print(
        f"\n{len(photos)} photographs, {torch.get_num_threads()} threads, medians and ranges. A backward pass"
    )
    print("counts as two forwards. Ratio: seconds over those that as many bare forwards take.\n")
    print("| | seconds to the first picture | passes | to the end | passes | ratio | bare forward, ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in ("wcam", LINEAR):
        runs = [timed(name, pixels(photo.path)) for photo in photos]
        columns = [
            spread([one.first for one in runs]),
            spread([one.first_passes for one in runs], 0),
            spread([one.end for one in runs]),
            spread([one.passes for one in runs], 0),
            spread([one.end / (one.passes * one.bare) for one in runs], 2),
            spread([1000 * one.bare for one in runs], 0),
        ]
        print(f"| {name} | {' | '.join(columns)} |", flush=True)


def spread(values: list[float], digits: int = 1) -> str:
    """Median and range.

    >>> spread([3.0, 1.0, 2.0])
    '2.0 (1.0 to 3.0)'
    """
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def store(photos: list[Photograph], path: Path, protocol: Protocol, workers: int) -> None:
    """Make the lines that are missing; each task's are written, and kept, as soon as they are there."""
    tasks = list(pending(photos, read_lines(path), protocol))
    print(f"\n{len(tasks)} tasks to do, {workers} workers, {path}", flush=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool, path.open("a", encoding="utf-8") as file:
        futures = [pool.submit(run, task) for task in tasks]
        for number, future in enumerate(as_completed(futures), 1):
            lines = future.result()
            file.write("".join(json.dumps(line) + "\n" for line in lines))
            file.flush()
            names = ", ".join(line["method"] for line in lines)
            print(f"{number} of {len(tasks)}: {lines[0]['image']}: {names}", flush=True)


def print_tables(lines: list[dict[str, Any]]) -> None:
    """Resolved cells, and the table of methods: null rankings first, then methods by their price."""
    found = {name: [line for line in lines if line["method"] == name] for name in (*NULLS, *CHEAP, *DEAR)}
    rows = {name: row(name, each) for name, each in found.items() if each}
    print("\n| cells | photographs | own rows | bounded | not resolved | pooled |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in ("wcam", LINEAR):
        cells = [line["cells"] for line in found[name]]
        total = sum(sum(one.values()) for one in cells)
        shares = [
            f"{sum(one.get(kind.name.lower(), 0) for one in cells) / total:.1%}" for kind in Kind if total
        ]
        print(f"| {name} | {len(cells)} | {' | '.join(shares)} |")
    methods = [name for name in rows if name not in NULLS]
    nulls = [name for name in rows if name in NULLS]
    both = (tuple(rows[name] for name in names) for names in (methods, nulls))
    table = str(Comparison(*both, COLUMNS, max(map(len, found.values())))).splitlines()
    start = len(table) - len(nulls)
    print("\n" + "\n".join([*table[:2], *table[start:], *table[2:start]]))
    print("\nSeconds are those of one processor. In forward passes of the same worker they are worth")
    print(", ".join(f"{name} {mean(found[name], 'forwards_worth'):.0f}" for name in methods))


def row(name: str, lines: list[dict[str, Any]]) -> Row:
    """The lines of one method as a row of a comparison; its name says of how many photographs."""
    flat = np.zeros(len(lines), bool)
    results = {
        column: Faithfulness(*column, np.array([line["measured"]["/".join(column)] for line in lines]), flat)
        for column in COLUMNS
    }
    bare_row = Row(f"{name}, n={len(lines)}", results)
    if name in NULLS:
        return bare_row
    prices = {key: mean(lines, key) for key in ("forwards", "backwards", "seconds")}
    return replace(bare_row, **prices)


def mean(lines: list[dict[str, Any]], key: str) -> float:
    """The mean of a number over lines."""
    return statistics.fmean(line[key] for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of labelled photographs")
    parser.add_argument(
        "--out", type=Path, default=Path("build/bench_real"), help="folder that keeps the maps"
    )
    parser.add_argument("--count", type=int, default=30, help="photographs of the table of methods")
    parser.add_argument("--timed", type=int, default=5, help="photographs that are timed")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    path, protocol = chosen.out / "maps.jsonl", Protocol()
    photos = photographs(chosen.images)
    if {"accuracy", "time", "maps"} & set(chosen.parts):
        right = print_accuracy(photos)
        order = np.random.default_rng(0).permutation(len(right))  # so that a run cut short has no favourites
        picked = [right[number] for number in order[: chosen.count]]
    if "time" in chosen.parts:
        print_time(picked[: chosen.timed])
    if "truth" in chosen.parts:
        report(chosen.out, list(METHODS), 3, torch.get_num_threads())
    if "maps" in chosen.parts:
        store(picked, path, protocol, chosen.workers)
    if "tables" in chosen.parts:
        print_tables([line for line in read_lines(path) if matches(line, protocol)])


if __name__ == "__main__":
    main()
