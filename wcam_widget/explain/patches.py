"""What each cell adds to the image, cut to where it is not zero."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.basis import AbstractBasis, Cells

CHUNK = 16 << 20  # bytes of patches made in one go
KEPT = 96 << 20  # bytes of patches kept for the next row


@dataclass(frozen=True, eq=False)
class Patches:
    """The image-domain patch of every cell, made in chunks of one band and kept while memory allows.

    Patches of cells one after another come from one chunk, so a pass over all cells makes every chunk at
    most once however many there are.
    """

    basis: AbstractBasis
    cells: Cells
    picture: Float[Tensor, "c hp wp"]
    _chunks: OrderedDict[int, tuple[Tensor, list[tuple[int, int]]]] = field(default_factory=OrderedDict)
    _starts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", np.array(self._cuts()))

    def add(self, image: Float[Tensor, "c h w"], cell: int, factor: float) -> None:
        """Add ``factor`` times the patch of ``cell`` to ``image``, in place."""
        chunk = int(np.searchsorted(self._starts, cell, side="right")) - 1
        patches, places = self._chunk(chunk)
        number = cell - int(self._starts[chunk])
        (top, left), patch = places[number], patches[number]
        height, width = image.shape[1:]
        rows = slice(max(top, 0), min(top + patch.shape[1], height))
        columns = slice(max(left, 0), min(left + patch.shape[2], width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        seen = patch[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        image[:, rows, columns].add_(seen, alpha=factor)

    def _cuts(self) -> list[int]:
        """First cells of the chunks: a new one where the band changes or the memory is full."""
        cuts, bytes_so_far, band_before = [], CHUNK, -1
        reach = self._reach()
        for cell, (band, _, _, height, width) in enumerate(self.cells.rectangles.tolist()):
            scale = self.cells.bands[band].scale
            size = 4 * len(self.picture) * (scale * height + reach[band]) * (scale * width + reach[band])
            if band != band_before or bytes_so_far + size > CHUNK:
                cuts.append(cell)
                bytes_so_far = 0
            bytes_so_far += size
            band_before = band
        return cuts

    def _reach(self) -> list[int]:
        """How much larger than its tile a patch of each band is, from the patch of one coefficient."""
        one = self.picture.new_ones(1, 1, 1, 1)
        return [self.basis.patches(one, band, [(0, 0)])[0].shape[2] - band.scale for band in self.cells.bands]

    def _chunk(self, number: int) -> tuple[Tensor, list[tuple[int, int]]]:
        if number not in self._chunks:
            stop = self._starts[number + 1] if number + 1 < len(self._starts) else len(self.cells)
            self._chunks[number] = self._make(int(self._starts[number]), int(stop))
            while len(self._chunks) > 1 and self._held() > KEPT:
                self._chunks.popitem(last=False)
        return self._chunks[number]

    def _held(self) -> int:
        return sum(patches.nbytes for patches, _ in self._chunks.values())

    def _make(self, start: int, stop: int) -> tuple[Tensor, list[tuple[int, int]]]:
        """Patches of cells of one band; blocks are padded with zeros to the largest among them."""
        table = self.cells.rectangles[start:stop]
        band = self.cells.bands[int(table[0, 0])]
        height, width = (int(side) for side in table[:, 3:5].max(0))
        blocks = self.picture.new_zeros(stop - start, len(self.picture), height, width)
        for block, (_, top, left, rows, columns) in zip(blocks, table.tolist(), strict=True):
            block[:, :rows, :columns] = self.picture[:, top : top + rows, left : left + columns]
        corners = [(int(top) - band.top, int(left) - band.left) for _, top, left, _, _ in table]
        with torch.no_grad():
            return self.basis.patches(blocks, band, corners)
