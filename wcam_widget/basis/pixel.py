"""The pixel basis: the image is its own picture, in one band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from wcam_widget.basis.bands import APPROXIMATION, AbstractBasis, Band, as_float32, ensure_sides, ensure_size


@dataclass(frozen=True)
class PixelBasis(AbstractBasis):
    """Pixels as coefficients, so that every method works on pixels as it does on wavelets.

    Its one band counts as an approximation: it goes to the baseline.

    Args:
        size: Height and width of the image in pixels.

    Raises:
        ValueError: For a size that is not two positive integers.

    Examples:
        >>> import torch
        >>> basis = PixelBasis((4, 6))
        >>> basis.bands[0].name, basis.picture_size
        ('pixels', (4, 6))
        >>> image = torch.rand(3, 4, 6)
        >>> torch.equal(basis.unpack(basis.pack(image)), image)
        True
    """

    size: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", ensure_size(self.size))

    @property
    def bands(self) -> tuple[Band, ...]:
        """One band as large as the image."""
        return (Band("pixels", 0, APPROXIMATION, 0, 0, *self.size, scale=1),)

    @property
    def picture_size(self) -> tuple[int, int]:
        """The image's own size."""
        return self.size

    def pack(self, image: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c h w"]:
        """The image itself, in float32 or float64."""
        ensure_sides(image, self.size, "image")
        return as_float32(image)

    def unpack(self, picture: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c h w"]:
        """The picture itself."""
        ensure_sides(picture, self.size, "picture")
        return as_float32(picture)

    def patches(
        self, coefficients: Float[Tensor, "n c h w"], band: Band, corners: Sequence[tuple[int, int]]
    ) -> tuple[Float[Tensor, "n c h w"], list[tuple[int, int]]]:
        """The blocks themselves, at their own place."""
        del band
        return coefficients, list(corners)

    @property
    def explorable(self) -> bool:
        """True: its inverse is itself."""
        return True

    def settings(self) -> dict[str, object]:
        """``{"basis": "pixel", "size": …}``."""
        return {"basis": "pixel", "size": list(self.size)}
