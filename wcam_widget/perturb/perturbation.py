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

    ``picture`` (C, Hp, Wp) holds the image's coefficients less those of ``base``, the baseline, which differs
    from 0 in approximations only. Weights of 1 give the image back, weights of 0 the baseline. With
    ``clip`` images are clamped to [0, 1].

    >>> from wcam_widget.basis import WaveletBasis
    >>> image, basis = torch.rand(3, 16, 16), WaveletBasis((16, 16), levels=2)
    >>> perturbation = Perturbation.of(image, basis, Cells.regular(basis, 2))
    >>> torch.allclose(perturbation.rebuild(torch.ones(28)), image, atol=1e-6)
    True
    """

    basis: AbstractBasis
    cells: Cells
    picture: Float[Tensor, "c hp wp"]
    base: Float[Tensor, "c hp wp"]
    clip: bool = False

    @classmethod
    def of(
        cls,
        image: Float[Tensor, "c h w"],
        basis: AbstractBasis,
        cells: Cells,
        baseline: Baseline = "mean",
        clip: bool = False,
    ) -> Perturbation:
        """The perturbation of one image (C, H, W) in [0, 1], on the image's device."""
        around = basis.pack(baseline_image(baseline, image).to(image))
        base = torch.zeros_like(around)
        for band in approximations(basis.bands):
            base[(..., *band.slices)] = around[(..., *band.slices)]
        return cls(basis, cells, basis.pack(image) - base, base, clip)

    def images(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """The images of rows of weights, on the picture's device; differentiable."""
        there = moved(weights.to(self.picture.dtype), self.picture.device)
        return self._bounded(self.basis.unpack(self.base + self.picture * self._masks(there)))

    def rebuild(self, weights: Float[Tensor, " d"]) -> Float[Tensor, "c h w"]:
        """The image of one row of weights."""
        return self.images(weights[None])[0]

    def one_at_a_time(
        self,
        base: Float[Tensor, " d"],
        other: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Callable[[int, int], Float[Tensor, "n c h w"]]:
        """Images of ``base`` with weight i from ``other``, for each i of ``which`` or for all.

        ``make(start, stop)`` gives those of ``which[start:stop]``. The transform is linear, so each is the
        image of ``base`` plus a multiple of one small patch: one inverse transform serves all cells.
        """
        cells = np.arange(len(self.cells)) if which is None else np.asarray(which)
        start, end = (moved(row.to(self.picture.dtype), self.picture.device) for row in (base, other))
        start_image = self.basis.unpack(self.base + self.picture * self._masks(start[None])[0])
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
