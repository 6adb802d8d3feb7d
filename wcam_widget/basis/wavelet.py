"""The wavelet basis: a padded discrete transform packed into one picture (Mallat 1989)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import pywt
import torch
from jaxtyping import Float
from ptwt.constants import WaveletDetailTuple2d
from ptwt.conv_transform_2 import wavedec2, waverec2
from torch import Tensor
from torch.nn import functional

from wcam_widget.basis import haar
from wcam_widget.basis.bands import APPROXIMATION, AbstractBasis, Band, as_float32, ensure_sides, ensure_size

DETAILS = ("LH", "HL", "HH")
# The discrete Meyer filters are truncated and invert to 4e-3 only; each pass shrinks the error as much again.
CORRECTIONS = {"dmey": 3}


@dataclass(frozen=True)
class WaveletBasis(AbstractBasis):
    """Discrete wavelet transform of images of one size, for every discrete wavelet of PyWavelets.

    size: height and width of the image, any two integers, odd or even. wavelet: a name of
    ``pywt.wavelist(kind="discrete")``. levels: 1 to ``floor(log2(min(size)))``. The picture has HL top right
    and LH bottom left, as pywt packs them. Borders are extended by half-point symmetry; wavelets longer than
    Haar then have a few coefficients more than pixels, and gaps stand in the picture where bands do not tile.

    Raises ValueError for an unknown wavelet or more levels than the size allows. Source: Mallat (1989),
    "A theory for multiresolution signal decomposition"; ptwt's ``wavedec2``.

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", ensure_size(self.size))
        known = pywt.wavelist(kind="discrete")
        if self.wavelet not in known:
            near = ", ".join(get_close_matches(str(self.wavelet), known)) or "haar, db4, sym4, bior4.4"
            raise ValueError(
                f"wavelet={self.wavelet!r} is not a discrete wavelet of PyWavelets; did you mean {near}? "
                'pywt.wavelist(kind="discrete") lists all'
            )
        most = min(self.size).bit_length() - 1
        if not 1 <= self.levels <= most:
            raise ValueError(
                f"levels={self.levels} does not fit an image of {self.size[0]}x{self.size[1]} pixels; "
                f"1 to {most} levels do"
            )

    @cached_property
    def _filters(self) -> pywt.Wavelet:
        return pywt.Wavelet(self.wavelet)

    @property
    def filters(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The low-pass and high-pass reconstruction filters, as PyWavelets gives them."""
        return tuple(self._filters.rec_lo), tuple(self._filters.rec_hi)

    @cached_property
    def _sides(self) -> list[tuple[int, int]]:
        """Height and width of the bands of level 0 (the image), 1, …, levels."""
        sides, length = [self.size], self._filters.dec_len
        for _ in range(self.levels):
            sides.append(((sides[-1][0] + length - 1) // 2, (sides[-1][1] + length - 1) // 2))
        return sides

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Approximation first, then LH, HL, HH from the coarsest level to the finest."""
        shift = (3 - self._filters.dec_len) / 2
        found: list[Band] = []
        bottom, right = 0, 0
        for level in range(self.levels, 0, -1):
            height, width = self._sides[level]
            # Coefficient k of level l is centred on pixel 2^l k + (2^l - 1)(3 - L)/2; its tile is 2^l wide.
            scale = 2**level
            start = (scale - 1) * shift + 0.5 - scale / 2
            offset = (start, start)
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
        for _ in range(CORRECTIONS.get(self.wavelet, 0)):
            picture = picture + self._analyse(values - self.unpack(picture))
        return picture

    def _analyse(self, image: Tensor) -> Tensor:
        with torch.autocast(image.device.type, enabled=False):
            if self.wavelet == "haar":
                parts = haar.analyse(image, self.levels)
            else:
                coarse, *details = wavedec2(image, self._filters, mode="symmetric", level=self.levels)
                parts = [coarse, *(band for triple in details for band in triple)]
            picture = image.new_zeros(*image.shape[:-2], *self.picture_size)
            for band, part in zip(self.bands, parts, strict=True):
                picture[(..., *band.slices)] = part
        return picture

    def unpack(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c h w"]:
        """Images of packed coefficients, cropped to ``size``."""
        ensure_sides(picture, self.picture_size, "picture")
        with torch.autocast(picture.device.type, enabled=False):
            values = as_float32(picture)
            coarse, *details = (values[(..., *band.slices)] for band in self.bands)
            if self.wavelet == "haar":
                return haar.synthesise(coarse, details, self._sides)
            triples = [WaveletDetailTuple2d(*details[k : k + 3]) for k in range(0, len(details), 3)]
            image = waverec2((coarse, *triples), self._filters)
        return image[..., : self.size[0], : self.size[1]]

    def patches(
        self, coefficients: Float[Tensor, "n c h w"], band: Band, corners: Sequence[tuple[int, int]]
    ) -> tuple[Float[Tensor, "n c ph pw"], list[tuple[int, int]]]:
        """Images of single blocks of one band, each 2^l h + (2^l - 1)(L - 2) pixels high.

        A block needs no border treatment: what the full inverse crops lies outside the image.
        """
        n, channels = coefficients.shape[:2]
        low, high = (coefficients.new_tensor(taps) for taps in self.filters)
        vertical, horizontal = {"A": (low, low), "LH": (high, low), "HL": (low, high), "HH": (high, high)}[
            band.orientation
        ]
        part = coefficients.reshape(n * channels, 1, *coefficients.shape[2:])
        for _ in range(band.level):
            part = functional.conv_transpose2d(part, vertical.view(1, 1, -1, 1), stride=(2, 1))
            part = functional.conv_transpose2d(part, horizontal.view(1, 1, 1, -1), stride=(1, 2))
            vertical = horizontal = low
        margin = (band.scale - 1) * (len(low) - 2)
        places = [(band.scale * row - margin, band.scale * column - margin) for row, column in corners]
        return part.reshape(n, channels, *part.shape[2:]), places

    def settings(self) -> dict[str, object]:
        """``{"basis": "wavelet", "size": …, "wavelet": …, "levels": …}``."""
        return {"basis": "wavelet", "size": list(self.size), "wavelet": self.wavelet, "levels": self.levels}
