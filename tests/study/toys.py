"""A small network and small pictures, importable by other processes, and a run to kill."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from wcam_widget import Sobol, Study, Wcam
from wcam_widget.model import BlackBox

PROFILE = {"profile": {"method": Wcam(Sobol(rows=2), levels=1, grid=2)}}
NAMES = ("red", "green", "blue")


class Channels(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, images):
        return images.mean((2, 3)) * self.gain


def network() -> BlackBox:
    return BlackBox(Channels(), class_names=NAMES)


def slowly(model, image, label):
    time.sleep(0.01)
    return {"mean": float(image.mean())}


def write_pictures(folder: Path, count: int) -> None:
    generator = np.random.default_rng(0)
    for place in range(count):
        pixels = generator.integers(0, 256, (16, 16, 3), np.uint8)
        path = folder / NAMES[place % 3] / f"{place:03d}.png"
        path.parent.mkdir(exist_ok=True, parents=True)
        Image.fromarray(pixels).save(path)


if __name__ == "__main__":
    sys.stdout.write("started\n")
    sys.stdout.flush()
    Study(network(), sys.argv[1], slowly, sys.argv[2]).run()
