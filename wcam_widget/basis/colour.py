"""Colour parts: every band once for each channel, or once for luminance and once for chroma."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.basis.bands import APPROXIMATION, AbstractBasis, Band, as_float32, ensure_sides

PARTS = {"channels": ("R", "G", "B"), "luma": ("Y", "C")}
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class ColourBasis(AbstractBasis):
    """Another basis with bands of its own for each part of the colour.

    The parts' pictures stand side by side and add up to the inner basis's: ``unpack`` reads their sum. Images
    must have three channels.

    Args:
        inner: The basis each part is packed in, one without colour parts.
        parts: "channels", red, green and blue apart (bands ``R:A3``, ``G:LH2``, …), or "luma": the luminance,
            grey in all three channels (``Y:…``), and what colour adds to it (``C:…``).

    Raises:
        ValueError: For unknown parts or an inner basis that has parts already.

    References:
        ITU-R (2011), "Recommendation BT.601-7", section 2.5.1: the luminance, of the image's own values.

    Examples:
        >>> from wcam_widget.basis import WaveletBasis
        >>> basis = ColourBasis(WaveletBasis((16, 16), levels=1), "luma")
        >>> [band.name for band in basis.bands][:5]
        ['Y:A1', 'C:A1', 'Y:LH1', 'Y:HL1', 'Y:HH1']
        >>> image = torch.rand(3, 16, 16)
        >>> bool((basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5)
        True
    """

    inner: AbstractBasis
    parts: str = "channels"

    def __post_init__(self) -> None:
        if isinstance(self.inner, ColourBasis):
            raise ValueError(f"inner={self.inner!r} has colour parts already")  # noqa: TRY004 of the right type
        if self.parts not in PARTS:
            raise ValueError(f"parts={self.parts!r} is unknown; {' and '.join(PARTS)} are accepted")

    @property
    def size(self) -> tuple[int, int]:  # type: ignore[override]  # read-only: it is the inner basis's
        """Height and width of the image."""
        return self.inner.size

    @cached_property
    def _projections(self) -> Float[Tensor, "p 3 3"]:
        """One matrix on colours for each part; they add up to the identity."""
        if self.parts == "channels":
            return torch.diag_embed(torch.eye(3, dtype=torch.float64))
        grey = torch.tensor(LUMA, dtype=torch.float64).expand(3, 3)
        return torch.stack([grey, torch.eye(3, dtype=torch.float64) - grey])

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The inner bands of each part, level by level, approximations first."""
        width = self.inner.picture_size[1]
        ordered: list[Band] = []
        steps = dict.fromkeys((band.orientation == APPROXIMATION, band.level) for band in self.inner.bands)
        for step in steps:
            own = [b for b in self.inner.bands if (b.orientation == APPROXIMATION, b.level) == step]
            for number, part in enumerate(PARTS[self.parts]):
                ordered += [
                    replace(band, name=f"{part}:{band.name}", left=band.left + number * width, part=part)
                    for band in own
                ]
        return tuple(ordered)

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height of the inner picture, and its width as many times as there are parts."""
        height, width = self.inner.picture_size
        return height, width * len(PARTS[self.parts])

    def pack(self, image: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c hp wp"]:
        """The inner pictures of the parts, side by side; each has three channels, as colours have."""
        ensure_sides(image, self.size, "image")
        if image.shape[-3] != 3:
            raise ValueError(
                f"image has {image.shape[-3]} channels: colour parts need the three of an RGB image"
            )
        picture = self.inner.pack(image)
        # Sums of products, not a matrix product: those lose precision under autocast and in TF32.
        matrices = self._projections.to(picture)[..., None, None]
        tiles = [(matrix * picture[..., None, :, :, :]).sum(-3) for matrix in matrices]
        return torch.cat(tiles, dim=-1)

    def unpack(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c h w"]:
        """Images of the sum of the parts' pictures."""
        ensure_sides(picture, self.picture_size, "picture")
        height, width = self.inner.picture_size
        tiles = as_float32(picture).reshape(*picture.shape[:-2], height, -1, width)
        return self.inner.unpack(tiles.sum(-2))

    def patches(
        self, coefficients: Float[Tensor, "n c h w"], band: Band, corners: Sequence[tuple[int, int]]
    ) -> tuple[Float[Tensor, "n c ph pw"], list[tuple[int, int]]]:
        """Images of single blocks of one band, as the inner basis makes them."""
        offset = PARTS[self.parts].index(band.part) * self.inner.picture_size[1]
        return self.inner.patches(coefficients, replace(band, left=band.left - offset, part=""), corners)

    @property
    def explorable(self) -> bool:
        """Whether the inner basis is: the page adds the parts up before its inverse transform."""
        return self.inner.explorable

    def arranged(self, picture: Float[np.ndarray, "hp wp"]) -> Float[np.ndarray, "h w"]:
        """The inner basis's arrangement of each part, side by side."""
        tiles = np.split(picture, len(PARTS[self.parts]), axis=1)
        arranged = [self.inner.arranged(tile) for tile in tiles]
        if all(after is before for after, before in zip(arranged, tiles, strict=True)):
            return picture
        return np.concatenate(arranged, axis=1)

    def shifted(self, dy: int, dx: int) -> ColourBasis:
        """The same parts of the shifted inner basis."""
        return replace(self, inner=self.inner.shifted(dy, dx))

    def settings(self) -> dict[str, object]:
        """``{"basis": "colour", "parts": …, "inner": …}``."""
        return {"basis": "colour", "parts": self.parts, "inner": self.inner.settings()}
