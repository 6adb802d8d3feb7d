"""The Fourier basis: real spatial frequencies, sorted into bands that filter without a place or an edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.basis import frequencies
from wcam_widget.basis.bands import (
    AbstractBasis,
    Band,
    DeviceCopies,
    as_float32,
    as_image_patches,
    ensure_sides,
    ensure_size,
)


@dataclass(frozen=True)
class FourierBasis(AbstractBasis):
    """Spatial frequencies of images of one size, in bands that hold each frequency with its negative.

    Coefficients are those of the discrete Hartley transform, which is real, orthonormal and its own inverse;
    one weight per band makes a zero-phase filter. The band that holds zero frequency is the approximation,
    level 1 the highest frequencies. The picture stacks the bands as rectangles, ``arranged`` puts them back
    on the frequency plane. A frequency has no place: it acts on all of the image.

    Args:
        size: Height and width of the image in pixels, any two integers.
        partition: "rings" around zero frequency (equal steps up to 0.5 cycles per pixel, the corners beyond
            in the last), "squares" likewise by the larger of the two frequencies, or "grid", squares of the
            plane in every direction, each with its mirror image.
        count: Rings, concentric squares, or squares along one side of the grid (odd, so that one is centred);
            None takes 8, or 9 for the grid, or what fits a small image.

    Raises:
        ValueError: For an unknown partition or a count that leaves bands empty.

    References:
        Bracewell (1983), "Discrete Hartley transform"; the partitions are those of published
        analyses of networks by frequency.

    Examples:
        >>> basis = FourierBasis((32, 48), "rings", count=4)
        >>> [band.name for band in basis.bands]
        ['A4', 'R3', 'R2', 'R1']
        >>> image = torch.rand(3, 32, 48)
        >>> bool((basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5)
        True
    """

    size: tuple[int, int]
    partition: str = "rings"
    count: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", ensure_size(self.size))
        count = frequencies.ensure_count(self.size, self.partition, self.count)
        object.__setattr__(self, "count", count)

    @cached_property
    def _sets(self) -> list[frequencies.FrequencySet]:
        assert self.count is not None  # noqa: S101  set above
        return frequencies.partition(self.size, self.partition, self.count)

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """From the lowest frequencies to the highest; each as large as the number of its frequencies."""
        widest = self.size[1] + self.size[1] % 2
        bands: list[Band] = []
        top, left, shelf = 0, 0, 0  # the next free place, and the height of the bands beside it
        for part in self._sets:
            number = len(part.frequencies)
            height = -(-number // widest)
            # Even, so that a frequency and its negative stand in one row; a last place may stay empty.
            width = number if height == 1 else 2 * -(-number // (2 * height))
            if left + width > widest:
                top, left, shelf = top + shelf, 0, 0
            rectangle = (top, left, height, width)
            bands.append(Band(part.name, part.level, part.orientation, *rectangle, scale=max(self.size)))
            left, shelf = left + width, max(shelf, height)
        return tuple(bands)

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the stacked bands, about the image's."""
        bottom = max(band.top + band.height for band in self.bands)
        return bottom, max(band.left + band.width for band in self.bands)

    @cached_property
    def _places(self) -> Int[np.ndarray, "h w"]:
        """Where in the flattened picture each frequency stands; zero frequency first, as in an FFT."""
        places = np.zeros(self.size[0] * self.size[1], dtype=np.int64)
        for band, part in zip(self.bands, self._sets, strict=True):
            rows, columns = np.divmod(np.arange(len(part.frequencies)), band.width)
            places[part.frequencies] = (band.top + rows) * self.picture_size[1] + band.left + columns
        return places.reshape(self.size)

    @cached_property
    def _plane(self) -> DeviceCopies:
        return DeviceCopies(torch.from_numpy(self._places.ravel()))

    @cached_property
    def _halves(self) -> tuple[DeviceCopies, DeviceCopies]:
        """Places of the frequencies of a half plane, and of their negatives."""
        half = self.size[1] // 2 + 1
        negative = np.roll(self._places[::-1, ::-1], (1, 1), (0, 1))
        first, second = (np.ascontiguousarray(part[:, :half]).ravel() for part in (self._places, negative))
        return DeviceCopies(torch.from_numpy(first)), DeviceCopies(torch.from_numpy(second))

    def pack(self, image: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch c hp wp"]:
        """Hartley coefficients of ``image`` in the packed layout, float32 or float64; 0 where none stands."""
        ensure_sides(image, self.size, "image")
        values = as_float32(image)
        spectrum = torch.fft.fft2(values, norm="ortho")
        plane = (spectrum.real - spectrum.imag).flatten(-2)
        picture = values.new_zeros(*values.shape[:-2], self.picture_size[0] * self.picture_size[1])
        picture[..., self._plane.on(values.device)] = plane
        return picture.reshape(*values.shape[:-2], *self.picture_size)

    def unpack(self, picture: Float[Tensor, "*batch c hp wp"]) -> Float[Tensor, "*batch c h w"]:
        """Images of packed coefficients."""
        ensure_sides(picture, self.picture_size, "picture")
        values = as_float32(picture).flatten(-2)
        # With F the Fourier transform, a frequency holds Re F - Im F and its negative Re F + Im F.
        one, other = (values.index_select(-1, place.on(values.device)) for place in self._halves)
        spectrum = torch.complex((one + other) / 2, (other - one) / 2)
        half = (self.size[0], self.size[1] // 2 + 1)
        image: Tensor = torch.fft.irfft2(
            spectrum.reshape(*values.shape[:-1], *half), s=self.size, norm="ortho"
        )
        return image

    def patches(
        self, coefficients: Float[Tensor, "n c h w"], band: Band, corners: Sequence[tuple[int, int]]
    ) -> tuple[Float[Tensor, "n c ph pw"], list[tuple[int, int]]]:
        """Images of single blocks of one band, each as large as the image."""
        return as_image_patches(self, coefficients, band, corners)

    def arranged(self, picture: Float[np.ndarray, "hp wp"]) -> Float[np.ndarray, "h w"]:
        """The picture on the frequency plane, with the size of the image and zero frequency in the middle.

        >>> basis = FourierBasis((3, 4), "squares", count=2)
        >>> basis.arranged(basis.pack(torch.ones(1, 3, 4))[0].numpy()).round(2)
        array([[0.  , 0.  , 0.  , 0.  ],
               [0.  , 0.  , 3.46, 0.  ],
               [0.  , 0.  , 0.  , 0.  ]], dtype=float32)
        """
        return np.asarray(picture.ravel()[np.fft.fftshift(self._places)])

    def settings(self) -> dict[str, object]:
        """``{"basis": "fourier", "size": …, "partition": …, "count": …}``."""
        size = list(self.size)
        return {"basis": "fourier", "size": size, "partition": self.partition, "count": self.count}
