"""How time and memory grow with cells, rows and the side of the image; a network that costs next to nothing.

Each point runs in a process of its own, so that memory is its own. Time is what the processor spends on the
whole analysis, with one thread, after a first small one; memory is the peak of the process above where it
stood with the model and the image. The slope is that of a straight line through the logarithms: 1 where twice
as much of one thing takes twice as much of the other, 0 where it does not matter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.benchmarks.timing import peak_megabytes
from wcam_widget import BlackBox, Derivative, Sobol, Wcam
from wcam_widget.basis import Cells

SIDE = 224
# Coefficients per side of a cell, and so many cells, one per coefficient in the end.
CUTS = {28: 64, 14: 256, 7: 1024, 4: 3136, 2: 12544, 1: 50176}
ROWS = (2, 4, 8, 16, 32)
SIDES = (64, 128, 256, 512, 1024)


def cheap(side: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(3 * (side // 16) ** 2, 10))


def point(analysis: str, rows: int, cut: int | None, side: int) -> dict[str, float]:
    """Seconds, megabytes and cells of one run; cells of ``cut`` coefficients a side, or 4x4 in every band."""
    torch.set_num_threads(1)
    grid: Any = 4 if cut is None else lambda basis: Cells.dyadic(basis, cut)
    kind = {"Sobol": Sobol, "Derivative": Derivative}[analysis]
    # What is loaded once is loaded here, with images so small that the memory they took is no reserve.
    list(Wcam(kind(2), grid=1).steps(BlackBox(cheap(32), batch_size=2), torch.rand(3, 32, 32), 0))
    model, image = BlackBox(cheap(side), engine="torch"), torch.rand(3, side, side)
    seconds: list[float] = []
    cells: list[int] = []

    def run() -> None:
        started = time.process_time()
        *_, attribution = Wcam(kind(rows), grid=grid).steps(model, image, 0)
        seconds.append(time.process_time() - started)
        cells.append(len(attribution.values))

    return {"megabytes": peak_megabytes(run), "seconds": seconds[0], "cells": cells[0]}


def measured(analysis: str, rows: int, cut: int | None, side: int) -> dict[str, float]:
    arguments = json.dumps([analysis, rows, cut, side])
    answer = subprocess.run(
        [sys.executable, __file__, "--point", arguments], check=True, capture_output=True, text=True
    )
    return dict(json.loads(answer.stdout))


def slope(amounts: list[float], found: list[float]) -> float:
    return float(np.polyfit(np.log(amounts), np.log(np.maximum(found, 1e-3)), 1)[0])


def series(title: str, amounts: list[float], found: list[dict[str, float]]) -> None:
    for unit, form in (("seconds", ".2f"), ("megabytes", ".0f")):
        values = [one[unit] for one in found]
        row = ", ".join(
            f"{amount:.0f}: {value:{form}}" for amount, value in zip(amounts, values, strict=True)
        )
        print(f"{title}, {unit}: slope {slope(amounts, values):+.2f} ({row})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--point", help="analysis, rows, cut and side of one run, as JSON")
    parser.add_argument("--most", type=int, default=50176, help="leave out what has more cells")
    chosen = parser.parse_args()
    if chosen.point:
        print(json.dumps(point(*json.loads(chosen.point))))
        return
    for analysis in ("Sobol", "Derivative"):
        cuts = [cut for cut, cells in CUTS.items() if cells <= chosen.most]
        found = [measured(analysis, 2, cut, SIDE) for cut in cuts]
        series(f"{analysis}, 2 rows, cells", [one["cells"] for one in found], found)
        found = [measured(analysis, rows, None, SIDE) for rows in ROWS]
        series(f"{analysis}, 160 cells, rows", [float(rows) for rows in ROWS], found)
        found = [measured(analysis, 2, None, side) for side in SIDES]
        series(f"{analysis}, 160 cells, side", [float(side) for side in SIDES], found)


if __name__ == "__main__":
    main()
