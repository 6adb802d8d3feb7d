"""Where an image is taken apart: a basis, the cells that carry weights, and what stands in for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from wcam_widget.basis import (
    AbstractBasis,
    Cells,
    FourierBasis,
    PixelBasis,
    WaveletBasis,
    most_cells,
    most_levels,
)
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike, ensure_image
from wcam_widget.model.device import ordinary
from wcam_widget.perturb.baseline import Baseline
from wcam_widget.perturb.perturbation import Perturbation
from wcam_widget.perturb.probe import Probe

BasisMaker = Callable[[tuple[int, int]], AbstractBasis]
CellsMaker = Callable[[AbstractBasis], Cells]


@final
class AtMost(int):
    """A number of levels that gives way to as many as fit an image.

    >>> AtMost(5).on((224, 224)), AtMost(5).on((28, 28))
    (5, 4)
    """

    def on(self, size: tuple[int, int]) -> int:
        """The levels for images of one size (height, width)."""
        return min(int(self), most_levels(size))


LEVELS, GRID = AtMost(3), 8  # where the caller says nothing and the image is large enough


@dataclass(frozen=True, eq=False)
class Space:
    """A basis of an image, its cells, and what the image is without them.

    Args:
        wavelet: A discrete wavelet of PyWavelets, "pixels", "fourier", or a function from an image's
            (height, width) in pixels to a basis.
        levels: Scales of the wavelet, at least 1; None for 3, or as many as fit the image.
        grid: Cells per side in every band, at least 1, or a function from a basis to its cells; None for 8,
            or as many as fit the image.
        baseline: What replaces the approximation at weight 0: "mean", "black", "blurred", or an image
            (C, H, W) in [0, 1]. Details go to 0.
        clip: Whether perturbed images are clamped to [0, 1].

    >>> import torch
    >>> space = Space(levels=2, grid=2)
    >>> len(space.cells(space.basis((16, 16))))
    28
    >>> probe = space.probe(lambda images: images.mean((2, 3)), torch.ones(1, 16, 16))
    >>> probe(torch.ones(1, 28))
    tensor([1.])
    """

    wavelet: str | BasisMaker = "haar"
    levels: int | None = None
    grid: int | CellsMaker | None = None
    baseline: Baseline = "mean"
    clip: bool = False

    @classmethod
    def per_coefficient(
        cls, wavelet: str | BasisMaker = "haar", levels: int | None = None, baseline: Baseline = "mean"
    ) -> Space:
        """The space in which every coefficient is its own cell.

        Args:
            wavelet: As for ``Space``.
            levels: As for ``Space``.
            baseline: As for ``Space``.

        Returns:
            A space whose ``cells`` are as many as the basis has coefficients.

        >>> space = Space.per_coefficient("pixels")
        >>> len(space.cells(space.basis((3, 4))))
        12
        """
        return cls(wavelet, levels, coefficients, baseline)

    def basis(self, size: tuple[int, int]) -> AbstractBasis:
        """The basis of images of one size.

        Args:
            size: Height and width in pixels.

        Returns:
            A basis whose ``size`` is this one.

        Raises:
            ValueError: Naming ``levels`` or the wavelet where it does not fit the size.
        """
        if not isinstance(self.wavelet, str):
            return self.wavelet(size)
        if self.wavelet == "pixels":
            return PixelBasis(size)
        if self.wavelet == "fourier":
            return FourierBasis(size)
        levels = LEVELS if self.levels is None else self.levels
        return WaveletBasis(size, self.wavelet, levels.on(size) if isinstance(levels, AtMost) else levels)

    def cells(self, basis: AbstractBasis) -> Cells:
        """The cells of a basis, each with one weight.

        Args:
            basis: A basis, as ``basis`` makes it or shifted.

        Returns:
            A partition of every band of the basis.

        Raises:
            ValueError: Naming ``grid`` where so many cells do not fit the basis.
        """
        if callable(self.grid):
            return self.grid(basis)
        if isinstance(basis, FourierBasis):
            return Cells.whole(basis)
        return Cells.regular(basis, min(GRID, most_cells(basis)) if self.grid is None else self.grid)

    @ordinary
    def probe(self, model: ModelLike, image: ImageLike, target: TargetLike = None) -> Probe:
        """The score of one image as a function of the weights of its cells, on the model's device.

        Args:
            model: A ``BlackBox``, a torch module or a callable.
            image: An image (C, H, W) in [0, 1], a path, or an image of PIL.
            target: A class id, a class name or a target; None for the top class.

        Returns:
            A function of weights (n, d) in [0, 1]; weights of 1 give the score of the image itself.

        Raises:
            ValueError: Naming ``image``, ``target`` or what of the space does not fit the image.
            ModelError: Where the model fails on the image.
        """
        network = BlackBox.ensure(model)
        pixels = ensure_image(image, "image", network.fit)
        basis = self.basis((pixels.shape[1], pixels.shape[2]))
        image_logits = network.logits(pixels[None])[0]
        resolved = network.target(target, image_logits)
        perturbation = Perturbation.from_image(
            pixels.to(network.device), basis, self.cells(basis), self.baseline, self.clip
        )
        return Probe(network, resolved, perturbation, image_logits)

    def basis_words(self, cells: Cells) -> str:
        """The basis of some cells in words, as they stand in ``Attribution.method``."""
        if not isinstance(self.wavelet, str):
            return "own basis"
        if self.wavelet in ("pixels", "fourier"):
            return self.wavelet
        return f"{self.wavelet}, {max(band.level for band in cells.bands)} levels"

    def words(self, cells: Cells) -> str:
        """The basis and the cells in words.

        >>> space = Space(levels=2, grid=2)
        >>> space.words(space.cells(space.basis((16, 16))))
        'haar, 2 levels, 2x2 cells per band'
        """
        if callable(self.grid) or self.wavelet == "fourier":
            return f"{self.basis_words(cells)}, {len(cells)} cells"
        side = round(len(cells.in_band(cells.bands[0].name)) ** 0.5)
        return f"{self.basis_words(cells)}, {side}x{side} cells per band"


def coefficients(basis: AbstractBasis) -> Cells:
    """Every coefficient as its own cell."""
    return Cells.dyadic(basis, 1)
