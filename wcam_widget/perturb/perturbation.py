"""From weights of cells to images: the half of a probe that knows no model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.basis.bands import approximations
from wcam_widget.model.device import moved
from wcam_widget.perturb.baseline import Baseline, baseline_image
from wcam_widget.perturb.patches import Patches


@dataclass(frozen=True, eq=False)
class Perturbation:
    """Images in which every cell of coefficients is scaled by its weight.

    Weights of 1 give the image back, weights of 0 the baseline.

    Args:
        basis: The basis of the coefficients.
        cells: The cells that carry the weights.
        picture: The image's coefficients (C, Hp, Wp) less those of the baseline.
        baseline: The baseline's coefficients (C, Hp, Wp), 0 but in approximations.
        clip: Whether images are clamped to [0, 1].

    Examples:
        >>> from wcam_widget.basis import WaveletBasis
        >>> image, basis = torch.rand(3, 16, 16), WaveletBasis((16, 16), levels=2)
        >>> perturbation = Perturbation.from_image(image, basis, Cells.regular(basis, 2))
        >>> torch.allclose(perturbation.rebuild(torch.ones(28)), image, atol=1e-6)
        True
    """

    basis: AbstractBasis
    cells: Cells
    picture: Float[Tensor, "c hp wp"]
    baseline: Float[Tensor, "c hp wp"]
    clip: bool = False

    @classmethod
    def from_image(
        cls,
        image: Float[Tensor, "c h w"],
        basis: AbstractBasis,
        cells: Cells,
        baseline: Baseline = "mean",
        clip: bool = False,
    ) -> Perturbation:
        """The perturbation of one image, on the image's device.

        Args:
            image: (C, H, W) in [0, 1].
            basis: A basis of the image's size.
            cells: Cells of that basis.
            baseline: What the approximation is replaced by: "mean", "black", "blurred", or an image like
                this one.
            clip: Whether perturbed images are clamped to [0, 1].

        Raises:
            ValueError: Naming ``baseline`` where it is unknown or of another shape.
        """
        around = basis.pack(baseline_image(baseline, image).to(image))
        coefficients = torch.zeros_like(around)
        for band in approximations(basis.bands):
            coefficients[(..., *band.slices)] = around[(..., *band.slices)]
        return cls(basis, cells, basis.pack(image) - coefficients, coefficients, clip)

    def images(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """The images of rows of weights, on the picture's device; differentiable.

        Args:
            weights: Rows (n, d) in [0, 1].
        """
        there = moved(weights.to(self.picture.dtype), self.picture.device)
        return self._bounded(self.basis.unpack(self.baseline + self.picture * self._masks(there)))

    def rebuild(self, weights: Float[Tensor, " d"]) -> Float[Tensor, "c h w"]:
        """The image of one row of weights.

        Args:
            weights: A row (d,) in [0, 1].
        """
        return self.images(weights[None])[0]

    def images_one_at_a_time(
        self,
        start_row: Float[Tensor, " d"],
        end_row: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Callable[[int, int], Float[Tensor, "n c h w"]]:
        """Images of rows that differ from ``start_row`` in one weight each.

        The transform is linear, so each is the image of ``start_row`` plus a multiple of one small patch: one
        inverse transform serves all cells.

        Args:
            start_row: A row of weights (d,) in [0, 1].
            end_row: The row (d,) that changed weights are taken from.
            which: Cells (m,) whose weight changes, one a row; None for all.

        Returns:
            A function ``make(start, stop)`` of the images (n, C, H, W) of ``which[start:stop]``.
        """
        cells = np.arange(len(self.cells)) if which is None else np.asarray(which)
        start, end = (moved(row.to(self.picture.dtype), self.picture.device) for row in (start_row, end_row))
        start_image = self.basis.unpack(self.baseline + self.picture * self._masks(start[None])[0])
        changes = (end - start).index_select(0, moved(torch.from_numpy(cells), self.picture.device))
        self._patches.keep(cells)

        def make(start: int, stop: int) -> Tensor:
            images = start_image.repeat(stop - start, 1, 1, 1)
            self._patches.add(images, cells[start:stop], changes[start:stop])
            return self._bounded(images)

        return make

    def _masks(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n 1 hp wp"]:
        """What ``cells.paint`` gives, by an index that is already on the device."""
        padded = torch.cat([weights, weights.new_ones(len(weights), 1)], dim=1)
        return padded.index_select(1, self._index).view(len(weights), 1, *self.cells.picture_size)

    @cached_property
    def _index(self) -> Int[Tensor, " p"]:
        return moved(self.cells.index.flatten(), self.picture.device)

    def forget(self) -> None:
        """Let go of the patches; they are made again when needed."""
        self.__dict__.pop("_patches", None)

    @cached_property
    def _patches(self) -> Patches:
        return Patches(self.basis, self.cells, self.picture)

    def _bounded(self, images: Tensor) -> Tensor:
        return images.clamp(0.0, 1.0) if self.clip else images
