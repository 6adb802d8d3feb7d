"""What the passes of a map cost by each engine, over as many by eager torch, in one run.

One call asks for all rows, as the first map of a network does: torch serves the first ones, and the copy,
the export and its check are in the time. Eager torch is timed on fewer rows before and after, as the machine
may change meanwhile. Gradients are taken turn by turn in batches of as many rows as a block of `Screened`
has, each in a turn of its own, once the copy is there; medians. Wall time, because both use all threads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch

from wcam_widget import BlackBox, load_model
from wcam_widget.model.engines import exporting

ROWS, EAGER_ROWS, BATCH = 1104, 96, 32
BLOCK, TURNS = 4, 12  # rows with a gradient
ASKED = {"fast": 0.30, "without": 0.75}


def seconds_of(model: BlackBox, images: torch.Tensor, rows: int) -> float:
    started = time.perf_counter()
    places = torch.arange(rows) % len(images)
    model.logits_of(lambda start, stop: images[places[start:stop]], rows)
    return time.perf_counter() - started


@contextmanager
def without_onnxruntime() -> Iterator[None]:
    with patch.object(exporting, "find_spec", lambda _name: None):
        yield


def measure(name: str, network: str, rows: int) -> None:
    model = load_model(network, device="cpu")
    eager = model.by("torch")
    images = torch.rand(BATCH, 3, *(model.input_size or (224, 224)))
    seconds_of(eager, images, BATCH)
    before = seconds_of(eager, images, EAGER_ROWS) / EAGER_ROWS
    taken = seconds_of(model, images, rows) / rows
    after = seconds_of(eager, images, EAGER_ROWS) / EAGER_ROWS
    share = 2 * taken / (before + after)
    print(
        f"{network}, {name}: {share:.2f} of eager torch (asked: at most {ASKED[name]}), {taken * 1e3:.1f} ms "
        f"an image for {rows}, eager {before * 1e3:.1f} and {after * 1e3:.1f} ms; {model.engine}",
        flush=True,
    )


def measure_gradients(network: str) -> None:
    model = load_model(network, device="cpu")
    eager = model.by("torch")
    images = torch.rand(BLOCK, 3, *(model.input_size or (224, 224)))
    seconds: dict[BlackBox, list[float]] = {eager: [], model: []}
    model.logits(images)
    for turn in range(-3, TURNS):  # the first ones make the copy
        for each, taken in seconds.items():
            started = time.perf_counter()
            each.gradients(images, lambda rows: rows, 0)
            if turn >= 0:
                taken.append(1e3 * (time.perf_counter() - started) / BLOCK)
    before, after = (statistics.median(taken) for taken in seconds.values())
    print(
        f"{network}, gradients: {after / before:.2f} of eager torch, {after:.1f} ms a row, "
        f"eager {before:.1f} ms; {model.engine}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="efficientnet-lite0")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"CPU, threads: {torch.get_num_threads()}, torch {torch.__version__}, batches of {BATCH}")
    measure("fast", chosen.network, chosen.rows)
    with without_onnxruntime():
        measure("without", chosen.network, chosen.rows)
    measure_gradients(chosen.network)


if __name__ == "__main__":
    main()
