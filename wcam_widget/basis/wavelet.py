"""The wavelet basis: a padded discrete transform packed into one picture (Mallat 1989)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pywt
from jaxtyping import Float
from torch import Tensor

from wcam_widget.basis import filters
from wcam_widget.basis.bands import (
    APPROXIMATION,
    AbstractBasis,
    Band,
    as_float32,
    as_whole_images,
    ensure_sides,
    ensure_size,
)

DETAILS = ("LH", "HL", "HH")


@dataclass(frozen=True)
class WaveletBasis(AbstractBasis):
    """Discrete wavelet transform of images of one size, for every discrete wavelet of PyWavelets.

    size: height and width of the image, any two integers, odd or even. wavelet: a name of
    ``pywt.wavelist(kind="discrete")``. levels: 1 to ``floor(log2(min(size)))``, 1 where a side is a single
    pixel. The picture has HL top right and LH bottom left, as pywt packs them. Borders are extended by
    half-point symmetry; wavelets longer than Haar then have a few coefficients more than pixels, and gaps
    stand in the picture where bands do not tile. shift: rows and columns by which tiles begin before the
    image, each less than 2^levels; the image is continued there by its mirror image, so that averages over
    shifts see no edge of their own.

    Raises ValueError for an unknown wavelet, more levels than the size allows or a shift of a tile.
    Source: Mallat (1989), "A theory for multiresolution signal decomposition".

    >>> import torch
    >>> basis = WaveletBasis((32, 48), "db2", levels=2)
    >>> [band.name for band in basis.bands]
    ['A2', 'LH2', 'HL2', 'HH2', 'LH1', 'HL1', 'HH1']
    >>> image = torch.rand(3, 32, 48)
    >>> bool((basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5)
    True
    """

    size: tuple[int, int]
    wavelet: str = "haar"
    levels: int = 3
    shift: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", ensure_size(self.size))
        filters.ensure_wavelet(self.wavelet)
        filters.ensure_levels(self.levels, self.size)
        object.__setattr__(self, "shift", filters.ensure_shift(self.shift, self.levels))

    @cached_property
    def _filters(self) -> pywt.Wavelet:
        return filters.ensure_wavelet(self.wavelet)

    @property
    def filters(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The low-pass and high-pass reconstruction filters, as PyWavelets gives them."""
        return tuple(self._filters.rec_lo), tuple(self._filters.rec_hi)

    @cached_property
    def _sides(self) -> list[tuple[int, int]]:
        """Height and width of the bands of level 0 (the extended image), 1, …, levels."""
        return filters.padded_sides(self.size, self.shift, self.levels, self._filters.dec_len)

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Approximation first, then LH, HL, HH from the coarsest level to the finest."""
        found: list[Band] = []
        bottom, right = 0, 0
        for level in range(self.levels, 0, -1):
            height, width = self._sides[level]
            scale = 2**level
            offset = filters.tile_offset(scale, self._filters.dec_len, self.shift)
            if not found:
                found.append(
                    Band(f"A{level}", level, APPROXIMATION, 0, 0, height, width, scale, offset),
                )
                bottom, right = height, width
            # The block of all coarser bands may be larger than this level's bands: gaps, never overlaps.
            bottom, right = max(bottom, height), max(right, width)
            corners = {"LH": (bottom, 0), "HL": (0, right), "HH": (bottom, right)}
            found += [
                Band(f"{name}{level}", level, name, *corners[name], height, width, scale, offset)
                for name in DETAILS
            ]
            bottom, right = bottom + height, right + width
        return tuple(found)

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the packed picture: the image's for Haar and even sides, else a little more."""
        last = self.bands[-1]
        return last.top + last.height, last.left + last.width

    def pack(self, image: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c hp wp"]:
        """Coefficients of ``image`` in the packed layout, float32 or float64; 0 in the gaps."""
        ensure_sides(image, self.size, "image")
        values = as_float32(image)
        picture = self._analyse(values)
        for _ in range(filters.CORRECTIONS.get(self.wavelet, 0)):
            picture = picture + self._analyse(values - self.unpack(picture))
        return picture

    def _analyse(self, image: Tensor) -> Tensor:
        with filters.full_precision(image.device):
            parts = filters.split(filters.mirrored(image, self.shift), self._filters, self.levels)
            picture = image.new_zeros(*image.shape[:-2], *self.picture_size)
            for band, part in zip(self.bands, parts, strict=True):
                picture[(..., *band.slices)] = part
        return picture

    def unpack(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c h w"]:
        """Images of packed coefficients, cropped to ``size``."""
        ensure_sides(picture, self.picture_size, "picture")
        with filters.full_precision(picture.device):
            values = as_float32(picture)
            parts = [values[(..., *band.slices)] for band in self.bands]
            image = filters.join(parts, self._filters, self._sides)
        return image[..., self.shift[0] :, self.shift[1] :]

    def patches(
        self, coefficients: Float[Tensor, "n c h w"], band: Band, corners: Sequence[tuple[int, int]]
    ) -> tuple[Float[Tensor, "n c ph pw"], list[tuple[int, int]]]:
        """Images of single blocks of one band, each 2^l h + (2^l - 1)(L - 2) pixels high, or the image's."""
        spans = [filters.reach(side, band.level, self._filters.dec_len) for side in coefficients.shape[2:]]
        if math.prod(spans) > math.prod(self.size):
            return as_whole_images(self, coefficients, band, corners)
        path = [band.orientation] + [APPROXIMATION] * (band.level - 1)
        patches = filters.grown(coefficients, self._filters, path)
        return patches, filters.patch_places(corners, band.scale, self._filters.dec_len, self.shift)

    @property
    def explorable(self) -> bool:
        """Whether the page can invert it: it can where tiles begin with the image."""
        return self.shift == (0, 0)

    def shifted(self, dy: int, dx: int) -> WaveletBasis:
        """The same basis with tiles that begin ``dy`` pixels above the image and ``dx`` to its left."""
        return replace(self, shift=(dy, dx))

    def settings(self) -> dict[str, object]:
        """``{"basis": "wavelet", "size": …, "wavelet": …, "levels": …, "shift": …}``."""
        size, shift = list(self.size), list(self.shift)
        return {
            "basis": "wavelet",
            "size": size,
            "wavelet": self.wavelet,
            "levels": self.levels,
            "shift": shift,
        }
