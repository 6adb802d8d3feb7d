"""Planted cues: does the top cell tell the only place and band a decision rests on?

Crops of photographs with a cue in one cell (``wcam_widget.demo.planted``), explained by each analysis.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from skimage import data
from torch import Tensor

from wcam_widget import Derivative, Screened, Sobol, Wcam
from wcam_widget.basis import Cells, WaveletBasis
from wcam_widget.demo.planted import GRID, LEVELS, PlantedCue, plant
from wcam_widget.sensitivity.analyses.hsic import Hsic
from wcam_widget.sensitivity.analyses.refined import Refined

SIDE = 64
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "brick", "grass", "gravel", "camera")
ANALYSES = {
    "Sobol(rows=16)": Sobol(rows=16),
    "Screened()": Screened(),
    "Refined(rows=16)": Refined(rows=16),
    "Derivative()": Derivative(),
    "Hsic(rows=500)": Hsic(rows=500),
}


@cache
def photograph(name: str) -> Tensor:
    """One of scikit-image's photographs (3, h, w) in [0, 1]."""
    pixels = np.atleast_3d(getattr(data, name)())
    return torch.from_numpy(pixels).permute(2, 0, 1).float().expand(3, -1, -1) / 255


def planted_crop(seed: int) -> PlantedCue:
    """A crop of a photograph with a cue in one cell; the same for the same ``seed``."""
    random = np.random.default_rng(seed)
    whole = photograph(PHOTOGRAPHS[random.integers(len(PHOTOGRAPHS))])
    top, left = (int(random.integers(side - SIDE)) for side in whole.shape[1:])
    return plant(whole[:, top : top + SIDE, left : left + SIDE], random)


def found(analysis: Any, images: int) -> Iterator[tuple[bool, bool, int, float]]:
    """For each image: is the top cell the planted one, is the top band its band, cost, share of the cell."""
    for seed in range(images):
        planted = planted_crop(seed)
        (attribution,) = Wcam(analysis, levels=LEVELS, grid=GRID)(planted.model, planted.image[None])
        cell, band = int(attribution.values.argmax()), int(attribution.profile().total.argmax())
        share = float(attribution.values[planted.cell])
        yield cell == planted.cell, band == planted.band, attribution.done, share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100)
    count = parser.parse_args().images
    print(f"{count} images of {SIDE}x{SIDE}, {len(Cells.regular(WaveletBasis((SIDE, SIDE)), GRID))} cells")
    print(
        f"{'':18} {'top cell':>9} {'top band':>9} {'forward-equivalents':>20} {'planted value':>14} {'s':>5}"
    )
    for name, analysis in ANALYSES.items():
        started = time.perf_counter()
        cells, bands, cost, shares = zip(*found(analysis, count), strict=True)
        seconds = time.perf_counter() - started
        print(
            f"{name:18} {sum(cells):5}/{count} {sum(bands):5}/{count} {np.mean(cost):20.0f} "
            f"{np.mean(shares):14.2f} {seconds:5.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
