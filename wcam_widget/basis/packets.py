"""The wavelet packet basis: every band split again, down to one level (Coifman and Wickerhauser 1992)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pywt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.basis import filters
from wcam_widget.basis.bands import (
    APPROXIMATION,
    AbstractBasis,
    Band,
    DeviceCopies,
    as_float32,
    as_whole_images,
    ensure_sides,
    ensure_size,
)

SPLITS = (APPROXIMATION, "LH", "HL", "HH")


@dataclass(frozen=True)
class PacketBasis(AbstractBasis):
    """Full tree of wavelet packets of images of one size: 4^levels bands of equal width in frequency.

    size, wavelet and shift as in ``WaveletBasis``; levels: how often every band is split. Band ``P(r,c)``
    holds the r-th of 2^levels steps of frequency along y and the c-th along x, from low to high; ``A`` is
    P(0,0). It counts to the wavelet level and orientation whose frequencies it divides. The picture has all
    bands in the order of their frequencies, low ones top left.

    Raises ValueError as ``WaveletBasis`` does. Source: Coifman and Wickerhauser (1992), "Entropy-based
    algorithms for best basis selection".

    >>> basis = PacketBasis((32, 48), "db2", levels=2)
    >>> [(band.name, band.level, band.orientation) for band in basis.bands][:4]
    [('A2', 2, 'A'), ('P(1,0)', 2, 'LH'), ('P(0,1)', 2, 'HL'), ('P(1,1)', 2, 'HH')]
    >>> image = torch.rand(3, 32, 48)
    >>> bool((basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5)
    True
    """

    size: tuple[int, int]
    wavelet: str = "haar"
    levels: int = 2
    shift: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", ensure_size(self.size))
        filters.ensure_wavelet(self.wavelet)
        filters.ensure_levels(self.levels, self.size)
        object.__setattr__(self, "shift", filters.ensure_shift(self.shift, self.levels))

    @cached_property
    def _filters(self) -> pywt.Wavelet:
        return filters.ensure_wavelet(self.wavelet)

    @cached_property
    def _sides(self) -> list[tuple[int, int]]:
        """Height and width of the bands of level 0 (the extended image), 1, …, levels."""
        return filters.padded_sides(self.size, self.shift, self.levels, self._filters.dec_len)

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """By wavelet level, coarse to fine, then orientation, then frequency; A first."""
        steps, (height, width) = 2**self.levels, self._sides[-1]
        offset = filters.tile_offset(steps, self._filters.dec_len, self.shift)
        found = []
        for row, column in np.ndindex(steps, steps):
            octave = max(row, column).bit_length()
            orientation = SPLITS[(row.bit_length() == octave) + 2 * (column.bit_length() == octave)]
            level = min(self.levels, self.levels + 1 - octave)
            name = f"P({row},{column})" if octave else f"A{level}"
            orientation = orientation if octave else APPROXIMATION
            rectangle = (row * height, column * width, height, width)
            found.append(Band(name, level, orientation, *rectangle, scale=steps, offset=offset))
        return tuple(sorted(found, key=lambda b: (b.name[0], -b.level, SPLITS.index(b.orientation), b.top)))

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

    def pack(self, image: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c hp wp"]:
        """Coefficients of ``image`` in the packed layout, float32 or float64."""
        ensure_sides(image, self.size, "image")
        values = as_float32(image)
        picture = self._analyse(values)
        for _ in range(filters.CORRECTIONS.get(self.wavelet, 0)):
            picture = picture + self._analyse(values - self.unpack(picture))
        return picture

    def _analyse(self, image: Tensor) -> Tensor:
        steps, (height, width) = 2**self.levels, self._sides[-1]
        with filters.full_precision(image.device):
            parts = filters.mirrored(image, self.shift).unsqueeze(-3)
            for _ in range(self.levels):
                parts = torch.stack(filters.split(parts, self._filters, 1), dim=-3).flatten(-4, -3)
        ordered = parts.index_select(-3, self._to_picture.on(parts.device))
        grid = ordered.reshape(*image.shape[:-2], steps, steps, height, width)
        return grid.transpose(-3, -2).reshape(*image.shape[:-2], *self.picture_size)

    def unpack(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c h w"]:
        """Images of packed coefficients, cropped to ``size``."""
        ensure_sides(picture, self.picture_size, "picture")
        steps, (height, width) = 2**self.levels, self._sides[-1]
        grid = as_float32(picture).reshape(*picture.shape[:-2], steps, height, steps, width)
        ordered = grid.transpose(-3, -2).flatten(-4, -3)
        parts = ordered.index_select(-3, self._to_tree.on(ordered.device))
        with filters.full_precision(picture.device):
            for level in range(self.levels, 0, -1):
                four = parts.reshape(*parts.shape[:-3], -1, 4, *parts.shape[-2:]).unbind(-3)
                parts = filters.join(four, self._filters, self._sides[level - 1 : level + 1])
        return parts[..., 0, self.shift[0] :, self.shift[1] :]

    def patches(
        self, coefficients: Float[Tensor, "n c h w"], band: Band, corners: Sequence[tuple[int, int]]
    ) -> tuple[Float[Tensor, "n c ph pw"], list[tuple[int, int]]]:
        """Images of single blocks of one band, as large as those of a wavelet band of the coarsest level."""
        spans = [filters.reach(side, self.levels, self._filters.dec_len) for side in coefficients.shape[2:]]
        if math.prod(spans) > math.prod(self.size):
            return as_whole_images(self, coefficients, band, corners)
        height, width = self._sides[-1]
        place = int(self._order[band.top // height * 2**self.levels + band.left // width])
        path = [SPLITS[place // 4**step % 4] for step in range(self.levels)]
        patches = filters.grown(coefficients, self._filters, path)
        return patches, filters.patch_places(corners, band.scale, self._filters.dec_len, self.shift)

    def shifted(self, dy: int, dx: int) -> PacketBasis:
        """The same basis with tiles that begin ``dy`` pixels above the image and ``dx`` to its left."""
        return replace(self, shift=(dy, dx))

    def settings(self) -> dict[str, object]:
        """``{"basis": "packets", "size": …, "wavelet": …, "levels": …, "shift": …}``."""
        size, shift = list(self.size), list(self.shift)
        return {
            "basis": "packets",
            "size": size,
            "wavelet": self.wavelet,
            "levels": self.levels,
            "shift": shift,
        }
