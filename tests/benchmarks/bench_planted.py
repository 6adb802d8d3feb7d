"""Planted cues: does the top cell tell the only place and band a decision rests on?

Every image is a crop of a photograph with a faint pattern put into one cell of its wavelet picture, drawn at
random. A network looks for that pattern and for nothing else. Like a network it is no Haar transform: its
template is blurred and reaches beyond the cell; its response is divided by the contrast around it, clipped
and saturated. So neighbours and other scales at the same place matter a little, and one cell matters most.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from skimage import data
from torch import Tensor, nn
from torch.nn import functional

from wcam_widget import BlackBox, Derivative, Screened, Sobol, Wcam
from wcam_widget.basis import Cells, WaveletBasis
from wcam_widget.sensitivity.hsic import Hsic
from wcam_widget.sensitivity.refined import Refined

SIDE, LEVELS, GRID = 64, 3, 4
CUE = 0.06  # amplitude of the pattern: fifteen of 256 grey levels
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "brick", "grass", "gravel", "camera")
ANALYSES = {
    "Sobol(rows=16)": Sobol(rows=16),
    "Screened()": Screened(),
    "Refined(rows=16)": Refined(rows=16),
    "Derivative()": Derivative(),
    "Hsic(rows=500)": Hsic(rows=500),
}


class CueNet(nn.Module):
    """Logits of "cue" and "no cue": whether a place agrees with a template, against its contrast.

    The decision lies halfway between an image ``with_cue`` and the same image ``without``.
    """

    template: Tensor
    window: Tensor

    def __init__(self, pattern: Tensor, scale: int, with_cue: Tensor, without: Tensor) -> None:
        super().__init__()
        template = blurred(pattern, scale / 4)
        self.register_buffer("template", template / template.norm())
        reach = blurred((pattern != 0).float(), 2.0 * scale)
        self.register_buffer("window", reach / reach.sum())
        most, least = self.agreement(torch.stack([with_cue, without])).tolist()
        self.threshold, self.gain = (most + least) / 2, 2 / (most - least)

    def agreement(self, images: Tensor) -> Tensor:
        grey = images.mean(1)
        response = (grey * self.template).sum((1, 2))
        around = (grey * self.window).sum((1, 2), keepdim=True)
        contrast = ((grey - around) ** 2 * self.window).sum((1, 2)).sqrt()
        return functional.leaky_relu(response / (contrast + 0.02), 0.2)

    def forward(self, images: Tensor) -> Tensor:
        cue = 6 * torch.tanh(self.gain * (self.agreement(images) - self.threshold))
        return torch.stack([cue, -cue], 1)


@dataclass(frozen=True, eq=False)
class Planted:
    """An image, the network that looks for its cue, and the cell that the cue is in."""

    image: Tensor
    model: BlackBox
    cell: int
    band: int


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """A picture (h, w) blurred by a Gaussian of standard deviation ``sigma`` pixels, zero outside."""
    reach = max(1, int(3 * sigma))
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    line = (line / line.sum()).view(1, 1, 1, -1)
    rows = functional.conv2d(picture[None, None], line, padding=(0, reach))
    return functional.conv2d(rows, line.transpose(2, 3), padding=(reach, 0))[0, 0]


@cache
def photograph(name: str) -> Tensor:
    """One of scikit-image's photographs (3, h, w) in [0, 1]."""
    pixels = np.atleast_3d(getattr(data, name)())
    return torch.from_numpy(pixels).permute(2, 0, 1).float().expand(3, -1, -1) / 255


def plant(seed: int) -> Planted:
    """A crop of a photograph with a cue in one cell; the same for the same ``seed``."""
    random = np.random.default_rng(seed)
    whole = photograph(PHOTOGRAPHS[random.integers(len(PHOTOGRAPHS))])
    top, left = (int(random.integers(side - SIDE)) for side in whole.shape[1:])
    crop = whole[:, top : top + SIDE, left : left + SIDE]
    basis = WaveletBasis((SIDE, SIDE), levels=LEVELS)
    cells = Cells.regular(basis, GRID)
    cell = int(random.integers(len(cells)))
    band, row, column, height, width = cells.rectangles[cell].tolist()
    packed = torch.zeros(1, *basis.picture_size)
    signs = random.choice([-1.0, 1.0], (height, width))
    packed[0, row : row + height, column : column + width] = torch.from_numpy(signs).float()
    pattern = basis.unpack(packed)[0]
    without = basis.pack(CUE + (1 - 2 * CUE) * crop)
    without[:, row : row + height, column : column + width] *= band == 0
    removed = basis.unpack(without)
    image = removed + CUE * pattern / pattern.abs().max()
    net = CueNet(pattern, basis.bands[band].scale, image, removed)
    return Planted(image.clamp(0, 1), BlackBox(net), cell, band)


def found(analysis: Any, images: int) -> Iterator[tuple[bool, bool, int, float]]:
    """For each image: is the top cell the planted one, is the top band its band, cost, share of the cell."""
    for seed in range(images):
        planted = plant(seed)
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
