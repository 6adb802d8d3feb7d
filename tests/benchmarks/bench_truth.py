"""Maps of real networks against the records of real_truth.py: a table of ends, and ranks over the price.

Runs are kept in ``--out`` as they end; one that was stopped goes on. Times are those of one warm run after
another; the machine should do nothing else. The published method is on other cells: its map is carried to
those of the record, and has ranks only.

    python tests/benchmarks/bench_truth.py --out build/bench_truth --threads 2
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tests.benchmarks.against_truth import HELD, RECORDS, TOP, Judged, Run, Truth, run
from wcam_widget import Derivative, Sobol, Wcam
from wcam_widget.explain import AbstractMethod

DEFAULT, LINEAR, SOBOL, PUBLISHED = "Wcam()", "Derivative(32)", "Sobol(32)", "as_published(28, 8)"
METHODS: dict[str, AbstractMethod] = {
    DEFAULT: Wcam(),
    LINEAR: Wcam(Derivative(32)),
    PUBLISHED: Wcam.as_published(28, 8),
    SOBOL: Wcam(Sobol(32)),
}
COLOURS = dict(zip(METHODS, ("#009E73", "#E69F00", "#CC79A7", "#0072B2"), strict=True))
COLUMNS = {
    "rank": "rank agreement",
    "clean": "without the truth's noise",
    "shared": f"top {TOP} shared",
    "error": f"relative error, top {TOP}",
    "width": "width over value, top 10",
    "covered": f"cover, top {HELD}",
    "unresolved": "not resolved",
}


def read(path: Path) -> list[Run]:
    """The runs so far."""
    if not path.exists():
        return []
    return [Run(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def missing(done: list[Run], methods: list[str], seeds: int) -> Iterator[tuple[Truth, str, int]]:
    """What is still to run: of the dear methods one seed each."""
    had = {(one.network, one.photo, one.method, one.seed) for one in done}
    for path in sorted(RECORDS.glob("truth_*.npz")):
        truth = Truth.read(path)
        for name in methods:
            for seed in range(seeds if name in {DEFAULT, LINEAR} else 1):
                if (truth.network, truth.photo, name, seed) not in had:
                    yield truth, name, seed


def middle(values: list[float]) -> str:
    """Median and range.

    >>> middle([0.3, 0.1, 0.2])
    '0.2 (0.1 to 0.3)'
    """
    if not np.isfinite(values).all():
        return "–"
    return f"{np.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def print_table(runs: list[Run]) -> None:
    """Medians and ranges over photographs and seeds, a network and a method a row."""
    rows = defaultdict(list)
    for one in runs:
        rows[one.network, one.method].append(one)
    heads = [*COLUMNS.values(), "passes", "seconds", "first picture, s", "largest fall of a frame's ranks"]
    print("\n| network | method | runs | " + " | ".join(heads) + " |\n|" + " --- |" * (len(heads) + 3))
    for (network, method), some in sorted(rows.items()):
        cells = [middle([one.end[name] for one in some]) for name in Judged._fields]
        cells[5] += f", mean {np.mean([one.end['covered'] for one in some]):.3f}"
        cells += [middle([one.frames[-1][0] for one in some]), middle([one.frames[-1][1] for one in some])]
        cells += [middle([one.frames[0][1] for one in some]), middle([one.fall for one in some])]
        print(f"| {network} | {method} | {len(some)} | {' | '.join(cells)} |")


def print_price(runs: list[Run]) -> None:
    """The passes after which the default ranks as one Sobol(32) run does, by photograph."""
    print("\n| network | photograph | Sobol(32): rank agreement, passes | the default reaches it after |")
    print("| --- | --- | --- | --- |")
    for sobol in (one for one in runs if one.method == SOBOL):
        wanted = sobol.end["rank"]
        same = [one for one in runs if (one.network, one.photo, one.method) == (*place(sobol), DEFAULT)]
        needed = [next((done for done, _, rank in one.frames if rank >= wanted), np.inf) for one in same]
        price = f"{wanted:.3f}, {sobol.frames[-1][0]:,}"
        print(f"| {sobol.network} | {sobol.photo} | {price} | {np.median(needed):.0f} |")


def place(one: Run) -> tuple[str, str]:
    """Which network and photograph."""
    return one.network, one.photo


def draw(runs: list[Run], path: Path) -> None:
    """Rank agreement over the price, a panel for each photograph of which there is a Sobol run."""
    places = sorted({place(one) for one in runs if one.method == SOBOL})
    figure = Figure(figsize=(3.2 * len(places), 3.2), layout="constrained")
    panels = figure.subplots(1, len(places), sharex=True, sharey=True, squeeze=False)[0]
    for axis, (network, photo) in zip(panels, places, strict=True):
        for name, colour in COLOURS.items():
            some = [one for one in runs if place(one) == (network, photo) and one.method == name]
            for number, one in enumerate(some):
                passes, _, ranks = zip(*one.frames, strict=True)
                axis.plot(passes, ranks, color=colour, lw=1.2, label="" if number else name)
        axis.set(xscale="log", title=f"{photo}, {network.removeprefix('efficientnet-')}", ylim=(0, 1))
        axis.set_xlabel("forward-equivalents")
    panels[0].set_ylabel("rank agreement with the truth")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(COLOURS), frameon=False)
    figure.savefig(path, dpi=110)


def report(out: Path, methods: list[str], seeds: int, threads: int) -> list[Run]:
    """Run what is missing and print the tables; all runs."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "runs.jsonl"
    for truth, name, seed in missing(read(path), methods, seeds):
        one = run(truth, name, METHODS[name], seed, threads)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(one)) + "\n")
        print(truth.network, truth.photo, name, seed, one.end, one.frames[-1], flush=True)
    runs = read(path)
    print_table(runs)
    print_price(runs)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench_truth"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--figure", type=Path)
    chosen = parser.parse_args()
    runs = report(chosen.out, chosen.methods, chosen.seeds, chosen.threads)
    if chosen.figure is not None:
        draw(runs, chosen.figure)


if __name__ == "__main__":
    main()
