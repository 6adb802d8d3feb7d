"""What wavelets and wavelet packets have in common: a two-channel filter bank, applied level by level."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import pywt
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from wcam_widget.basis import filters
from wcam_widget.basis.bands import (
    AbstractBasis,
    Band,
    as_float32,
    as_image_patches,
    ensure_sides,
    ensure_size,
)


@dataclass(frozen=True)
class AbstractFilterBank(AbstractBasis):
    """A basis made of the filters of one discrete wavelet, padded at the borders by half-point symmetry.

    Subclasses say in which order the filters are applied: ``_analyse``, ``_synthesise`` and ``_path``.

    Args:
        size: Height and width of the image in pixels.
        wavelet: A name of ``pywt.wavelist(kind="discrete")``.
        levels: How often the image is split, 1 to ``floor(log2(min(size)))``.
        shift: Rows and columns by which tiles begin before the image, each 0 to 2^levels - 1.

    Raises:
        ValueError: For an unknown wavelet, more levels than the size allows or a shift of a tile.
    """

    size: tuple[int, int]
    wavelet: str = "haar"
    levels: int = 3
    shift: tuple[int, int] = (0, 0)

    name: ClassVar[str]
    """What ``settings`` call this kind of basis."""

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

    @override
    def pack(self, image: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c hp wp"]:
        """Coefficients of ``image`` in the packed layout, float32 or float64; 0 in the gaps."""
        ensure_sides(image, self.size, "image")
        values = as_float32(image)
        picture = self._precise_analysis(values)
        for _ in range(filters.CORRECTIONS.get(self.wavelet, 0)):
            picture = picture + self._precise_analysis(values - self.unpack(picture))
        return picture

    @override
    def unpack(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c h w"]:
        """Images of packed coefficients, cropped to ``size``."""
        ensure_sides(picture, self.picture_size, "picture")
        with filters.full_precision(picture.device):
            extended = self._synthesise(as_float32(picture))
        return extended[..., self.shift[0] :, self.shift[1] :]

    @override
    def patches(
        self, coefficients: Float[Tensor, "n c h w"], band: Band, corners: Sequence[tuple[int, int]]
    ) -> tuple[Float[Tensor, "n c ph pw"], list[tuple[int, int]]]:
        """Images of single blocks of one band, each 2^l h + (2^l - 1)(L - 2) pixels high, or the image's.

        l is how often the band was split off, L the length of the filters.
        """
        path, length = self._path(band), self._filters.dec_len
        spans = [filters.reach(side, len(path), length) for side in coefficients.shape[2:]]
        if math.prod(spans) > math.prod(self.size):
            return as_image_patches(self, coefficients, band, corners)
        patches = filters.grown(coefficients, self._filters, path)
        return patches, filters.patch_places(corners, band.scale, length, self.shift)

    @override
    def shifted(self, dy: int, dx: int) -> AbstractFilterBank:
        """The same basis with tiles that begin ``dy`` pixels above the image and ``dx`` to its left."""
        return replace(self, shift=(dy, dx))

    @override
    def settings(self) -> dict[str, object]:
        """``{"basis": …, "size": …, "wavelet": …, "levels": …, "shift": …}``."""
        size, shift = list(self.size), list(self.shift)
        words: dict[str, object] = {"basis": self.name, "size": size, "wavelet": self.wavelet}
        return {**words, "levels": self.levels, "shift": shift}

    def _precise_analysis(self, image: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c hp wp"]:
        with filters.full_precision(image.device):
            return self._analyse(filters.mirrored(image, self.shift))

    @abstractmethod
    def _analyse(self, extended: Float[Tensor, "*batch c he we"]) -> Float[Tensor, "*batch c hp wp"]:
        """The picture of the image as ``shift`` extends it, by the analysis filters alone."""

    @abstractmethod
    def _synthesise(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c he we"]:
        """The extended image of a picture, by the synthesis filters."""

    @abstractmethod
    def _path(self, band: Band) -> list[str]:
        """The orientations of the inverse steps from a band to the image, the band's own first."""
