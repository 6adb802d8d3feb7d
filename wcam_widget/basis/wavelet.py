"""The wavelet basis: a padded discrete transform packed into one picture (Mallat 1989)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from wcam_widget.basis import filters
from wcam_widget.basis.bands import APPROXIMATION, Band
from wcam_widget.basis.filter_bank import AbstractFilterBank

DETAILS = ("LH", "HL", "HH")


@dataclass(frozen=True)
class WaveletBasis(AbstractFilterBank):
    """Discrete wavelet transform of images of one size, for every discrete wavelet of PyWavelets.

    The picture has HL top right and LH bottom left, as pywt packs them. Borders are extended by half-point
    symmetry; wavelets longer than Haar then have a few coefficients more than pixels, and gaps stand in the
    picture where bands do not tile. Before the image it is continued by its mirror image, as far as tiles
    are shifted, so that averages over shifts see no edge of their own.

    Args:
        size: Height and width of the image in pixels, any two integers, odd or even.
        wavelet: A name of ``pywt.wavelist(kind="discrete")``.
        levels: 1 to ``floor(log2(min(size)))``; 1 where a side is a single pixel.
        shift: Rows and columns by which tiles begin before the image, each 0 to 2^levels - 1.

    Raises:
        ValueError: For an unknown wavelet, more levels than the size allows or a shift of a tile.

    References:
        Mallat (1989), "A theory for multiresolution signal decomposition", section III.

    Examples:
        >>> import torch
        >>> basis = WaveletBasis((32, 48), "db2", levels=2)
        >>> [band.name for band in basis.bands]
        ['A2', 'LH2', 'HL2', 'HH2', 'LH1', 'HL1', 'HH1']
        >>> image = torch.rand(3, 32, 48)
        >>> bool((basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5)
        True
    """

    name: ClassVar[str] = "wavelet"

    @property
    def filters(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The low-pass and high-pass reconstruction filters, as PyWavelets gives them."""
        return tuple(self._filters.rec_lo), tuple(self._filters.rec_hi)

    @property
    def analysis_filters(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """The low-pass and high-pass filters of ``pack``; None where it needs more than one pass of them."""
        one_pass = self.wavelet not in filters.CORRECTIONS and self.shift == (0, 0)
        return (tuple(self._filters.dec_lo), tuple(self._filters.dec_hi)) if one_pass else None

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Approximation first, then LH, HL, HH from the coarsest level to the finest."""
        bands: list[Band] = []
        bottom, right = 0, 0
        for level in range(self.levels, 0, -1):
            height, width = self._sides[level]
            scale = 2**level
            offset = filters.tile_offset(scale, self._filters.dec_len, self.shift)
            if not bands:
                bands.append(
                    Band(f"A{level}", level, APPROXIMATION, 0, 0, height, width, scale, offset),
                )
                bottom, right = height, width
            # The block of all coarser bands may be larger than this level's bands: gaps, never overlaps.
            bottom, right = max(bottom, height), max(right, width)
            corners = {"LH": (bottom, 0), "HL": (0, right), "HH": (bottom, right)}
            bands += [
                Band(f"{name}{level}", level, name, *corners[name], height, width, scale, offset)
                for name in DETAILS
            ]
            bottom, right = bottom + height, right + width
        return tuple(bands)

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the packed picture: the image's for Haar and even sides, else a little more."""
        last = self.bands[-1]
        return last.top + last.height, last.left + last.width

    @override
    def _analyse(self, extended: Float[Tensor, "*batch c he we"]) -> Float[Tensor, "*batch c hp wp"]:
        picture = extended.new_zeros(*extended.shape[:-2], *self.picture_size)
        parts = filters.split(extended, self._filters, self.levels)
        for band, part in zip(self.bands, parts, strict=True):
            picture[(..., *band.slices)] = part
        return picture

    @override
    def _synthesise(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c he we"]:
        parts = [picture[(..., *band.slices)] for band in self.bands]
        return filters.join(parts, self._filters, self._sides)

    @override
    def _path(self, band: Band) -> list[str]:
        return [band.orientation] + [APPROXIMATION] * (band.level - 1)

    @property
    def explorable(self) -> bool:
        """Whether the page can invert it: it can where tiles begin with the image."""
        return self.shift == (0, 0)
