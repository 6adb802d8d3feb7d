"""The wavelet packet basis: every band split again, down to one level (Coifman and Wickerhauser 1992)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from typing_extensions import override

from wcam_widget.basis import filters
from wcam_widget.basis.bands import APPROXIMATION, Band, DeviceCopies
from wcam_widget.basis.filter_bank import AbstractFilterBank

SPLITS = (APPROXIMATION, "LH", "HL", "HH")


@dataclass(frozen=True)
class PacketBasis(AbstractFilterBank):
    """Full tree of wavelet packets of images of one size: 4^levels bands of equal width in frequency.

    Band ``P(r,c)`` holds the r-th of 2^levels steps of frequency along y and the c-th along x, from low to
    high; ``A`` is P(0,0). It counts to the wavelet level and orientation whose frequencies it divides. The
    picture has all bands in the order of their frequencies, low ones top left.

    Args:
        size: Height and width of the image in pixels, any two integers, odd or even.
        wavelet: A name of ``pywt.wavelist(kind="discrete")``.
        levels: How often every band is split, 1 to ``floor(log2(min(size)))``.
        shift: Rows and columns by which tiles begin before the image, each 0 to 2^levels - 1.

    Raises:
        ValueError: For an unknown wavelet, more levels than the size allows or a shift of a tile.

    References:
        Coifman and Wickerhauser (1992), "Entropy-based algorithms for best basis selection".

    Examples:
        >>> basis = PacketBasis((32, 48), "db2", levels=2)
        >>> [(band.name, band.level, band.orientation) for band in basis.bands][:4]
        [('A2', 2, 'A'), ('P(1,0)', 2, 'LH'), ('P(0,1)', 2, 'HL'), ('P(1,1)', 2, 'HH')]
        >>> image = torch.rand(3, 32, 48)
        >>> bool((basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5)
        True
    """

    levels: int = 2

    name: ClassVar[str] = "packets"

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """By wavelet level, coarse to fine, then orientation, then frequency; A first."""
        steps, (height, width) = 2**self.levels, self._sides[-1]
        offset = filters.tile_offset(steps, self._filters.dec_len, self.shift)
        bands = []
        for row, column in np.ndindex(steps, steps):
            octave = max(row, column).bit_length()
            orientation = SPLITS[(row.bit_length() == octave) + 2 * (column.bit_length() == octave)]
            level = min(self.levels, self.levels + 1 - octave)
            name = f"P({row},{column})" if octave else f"A{level}"
            orientation = orientation if octave else APPROXIMATION
            rectangle = (row * height, column * width, height, width)
            bands.append(Band(name, level, orientation, *rectangle, scale=steps, offset=offset))
        return tuple(sorted(bands, key=lambda b: (b.name[0], -b.level, SPLITS.index(b.orientation), b.top)))

    @property
    def picture_size(self) -> tuple[int, int]:
        """2^levels bands along each axis, without gaps."""
        height, width = self._sides[-1]
        return 2**self.levels * height, 2**self.levels * width

    @cached_property
    def _order(self) -> Int[np.ndarray, " n"]:
        """The place in the tree of each packet, the packets row by row in the order of frequency.

        Each high-pass step turns the order of frequencies below it around, so that the r-th packet is reached
        by the Gray code of r: its bits, first level first, say where the high-pass filter is taken.
        """
        gray = np.arange(2**self.levels) ^ (np.arange(2**self.levels) >> 1)
        places = np.zeros((len(gray), len(gray)), dtype=np.int64)
        for level in reversed(range(self.levels)):
            bits = (gray >> level) & 1
            places = 4 * places + bits[:, None] + 2 * bits[None, :]
        return places.ravel()

    @cached_property
    def _to_picture(self) -> DeviceCopies:
        return DeviceCopies(torch.from_numpy(self._order))

    @cached_property
    def _to_tree(self) -> DeviceCopies:
        return DeviceCopies(torch.from_numpy(np.argsort(self._order)))

    @override
    def _analyse(self, extended: Float[Tensor, "*batch c he we"]) -> Float[Tensor, "*batch c hp wp"]:
        steps, (height, width) = 2**self.levels, self._sides[-1]
        parts = extended.unsqueeze(-3)
        for _ in range(self.levels):
            parts = torch.stack(filters.split(parts, self._filters, 1), dim=-3).flatten(-4, -3)
        ordered = parts.index_select(-3, self._to_picture.on(parts.device))
        grid = ordered.reshape(*extended.shape[:-2], steps, steps, height, width)
        return grid.transpose(-3, -2).reshape(*extended.shape[:-2], *self.picture_size)

    @override
    def _synthesise(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c he we"]:
        steps, (height, width) = 2**self.levels, self._sides[-1]
        grid = picture.reshape(*picture.shape[:-2], steps, height, steps, width)
        ordered = grid.transpose(-3, -2).flatten(-4, -3)
        parts = ordered.index_select(-3, self._to_tree.on(ordered.device))
        for level in range(self.levels, 0, -1):
            four = parts.reshape(*parts.shape[:-3], -1, 4, *parts.shape[-2:]).unbind(-3)
            parts = filters.join(four, self._filters, self._sides[level - 1 : level + 1])
        return parts[..., 0, :, :]

    @override
    def _path(self, band: Band) -> list[str]:
        height, width = self._sides[-1]
        place = int(self._order[band.top // height * 2**self.levels + band.left // width])
        return [SPLITS[place // 4**step % 4] for step in range(self.levels)]
