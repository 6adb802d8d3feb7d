"""Planted cues: images whose class hangs on one cell of their wavelet picture, and networks that look at it.

A faint pattern is put into one cell, drawn at random, and a network looks for that pattern and for nothing
else. Like a network it is no Haar transform: its template is blurred and reaches beyond the cell; its
response is divided by the contrast around it, clipped and saturated. So neighbours and other scales at the
same place matter a little, and one cell matters most. What a method should point at is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from wcam_widget.basis import Cells, WaveletBasis
from wcam_widget.model import BlackBox

LEVELS, GRID = 3, 4
AMPLITUDE = 0.06  # of the pattern: fifteen of 256 grey levels


class CueNet(nn.Module):
    """Logits of "cue" and "no cue": whether a place agrees with a template, against its contrast.

    ``agreement`` is one position of the layer ``match``, which compares the template with every place. The
    decision lies halfway between an image ``with_cue`` and the same image ``without``, both (c, h, w).
    """

    window: Tensor

    def __init__(self, pattern: Float[Tensor, "h w"], scale: int, with_cue: Tensor, without: Tensor) -> None:
        super().__init__()
        template = blurred(pattern, scale / 4)
        template = template / template.norm()
        (top, bottom), (left, right) = (_span(template.abs().sum(axis)) for axis in (1, 0))
        height, width = bottom - top, right - left
        self.place = top + height // 2, left + width // 2
        self.margins = (width // 2, width - 1 - width // 2, height // 2, height - 1 - height // 2)
        self.match = nn.Conv2d(1, 1, (height, width), bias=False)
        self.match.weight.data = template[None, None, top:bottom, left:right].clone()
        reach = blurred((pattern != 0).float(), 2.0 * scale)
        self.register_buffer("window", reach / reach.sum())
        self.threshold, self.gain = 0.0, 1.0
        with torch.no_grad():
            most, least = self.agreement(torch.stack([with_cue, without])).tolist()
        self.threshold, self.gain = (most + least) / 2, 2 / (most - least)

    def agreement(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """How much the planted place looks like the template, against the contrast around it."""
        grey = images.mean(1)
        matched = self.match(functional.pad(grey[:, None], self.margins))
        response = matched[:, 0, self.place[0], self.place[1]]
        around = (grey * self.window).sum((1, 2), keepdim=True)
        variance = ((grey - around) ** 2 * self.window).sum((1, 2))
        contrast = variance.clamp(min=1e-12).sqrt()  # a root of 0 has no derivative
        return functional.leaky_relu(response / (contrast + 0.02), 0.2)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 2"]:
        """The two logits of each image."""
        cue = 6 * torch.tanh(self.gain * (self.agreement(images) - self.threshold))
        return torch.stack([cue, -cue], 1)


@dataclass(frozen=True, eq=False)
class PlantedCue:
    """An image with a cue, the network that looks for it, and the cell that the cue is in.

    ``cells`` are those of Haar with 3 levels, 4x4 in every band; ``cell`` and ``band`` count among them.
    """

    image: Float[Tensor, "c h w"]
    model: BlackBox
    cells: Cells
    cell: int
    band: int

    def on_cue(self, heat: Float[np.ndarray, "h w"]) -> bool:
        """Whether the highest pixel of a map over the image lies in the cue's cell."""
        row, column = divmod(int(heat.argmax()), heat.shape[1])
        top, left, bottom, right = self.cells.support[self.cell]
        return bool(top <= row < bottom and left <= column < right)


def plant(image: Float[Tensor, "c h w"], random: np.random.Generator) -> PlantedCue:
    """Put a cue into one cell of an image (C, H, W) in [0, 1], cell and pattern drawn from ``random``.

    The sides must be multiples of 32, so that every cell has a coefficient. What the cell held is removed.

    >>> planted = plant(torch.rand(3, 64, 64), np.random.default_rng(0))
    >>> planted.model.logits(planted.image[None]).argmax().item(), len(planted.cells)
    (0, 160)
    """
    height, width = image.shape[1], image.shape[2]
    basis = WaveletBasis((height, width), levels=LEVELS)
    cells = Cells.regular(basis, GRID)
    cell = int(random.integers(len(cells)))
    band, row, column, rows, columns = cells.rectangles[cell].tolist()
    inside = np.s_[:, row : row + rows, column : column + columns]
    packed = torch.zeros(1, *basis.picture_size)
    packed[inside] = torch.from_numpy(random.choice([-1.0, 1.0], (rows, columns))).float()
    pattern = basis.unpack(packed)[0]
    without = basis.pack(AMPLITUDE + (1 - 2 * AMPLITUDE) * image)
    without[inside] *= band == 0
    removed = basis.unpack(without)
    made = removed + AMPLITUDE * pattern / pattern.abs().max()
    model = BlackBox(CueNet(pattern, basis.bands[band].scale, made, removed), class_names=("cue", "no cue"))
    return PlantedCue(made.clamp(0, 1), model, cells, cell, band)


def blurred(picture: Float[Tensor, "h w"], sigma: float) -> Float[Tensor, "h w"]:
    """A picture blurred by a Gaussian of standard deviation ``sigma`` pixels, zero outside.

    >>> round(float(blurred(torch.eye(9)[4:5].T @ torch.eye(9)[4:5], 1.0).sum()), 3)
    1.0
    """
    reach = max(1, int(3 * sigma))
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    line = (line / line.sum()).view(1, 1, 1, -1)
    rows = functional.conv2d(picture[None, None], line, padding=(0, reach))
    return functional.conv2d(rows, line.transpose(2, 3), padding=(reach, 0))[0, 0]


def _span(sums: Float[Tensor, " n"]) -> tuple[int, int]:
    """First and one past the last place where there is anything."""
    places = torch.nonzero(sums).flatten()
    return int(places[0]), int(places[-1]) + 1
