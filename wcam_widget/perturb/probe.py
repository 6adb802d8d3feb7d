"""A probe: the score of an image as a function of the weights of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.model import AbstractTarget, BlackBox
from wcam_widget.model.device import moved
from wcam_widget.perturb.perturbation import Perturbation
from wcam_widget.sensitivity import Tree


@dataclass(frozen=True, eq=False)
class Probe:
    """The score of one image as a function of the weights of its cells; what every analysis sees.

    Args:
        model: The network with its preprocessing.
        target: The score, with integer class ids.
        perturbation: The images of rows of weights.
        image_logits: Class scores (k,) of the image itself, which a row of ones gives back.

    Raises:
        ModelError: When called, what the model raises.

    Examples:
        >>> from wcam_widget.basis import PixelBasis
        >>> from wcam_widget.model import Logit
        >>> basis = PixelBasis((2, 2))
        >>> ones, cells = torch.ones(1, 2, 2), Cells.regular(basis, 2)
        >>> perturbation = Perturbation.from_image(ones, basis, cells, "black")
        >>> model, image_logits = BlackBox(lambda images: images.sum((2, 3))), torch.tensor([4.0])
        >>> Probe(model, Logit(0), perturbation, image_logits)(torch.tensor([[1.0, 1.0, 0.5, 0.0]]))
        tensor([2.5000])
    """

    model: BlackBox
    target: AbstractTarget
    perturbation: Perturbation
    image_logits: Float[Tensor, " k"]

    @property
    def score(self) -> float:
        """The score of the image itself."""
        return float(self.target(self.image_logits[None])[0])

    @property
    def groups(self) -> Int[np.ndarray, " d"]:
        """The band of each cell."""
        return self.cells.groups

    @cached_property
    def tree(self) -> Tree:
        """Levels, bands, quarters of bands, single cells."""
        return Tree(*self.cells.tree())

    @property
    def cells(self) -> Cells:
        """The cells that carry the weights."""
        return self.perturbation.cells

    @property
    def basis(self) -> AbstractBasis:
        """The space the image is perturbed in."""
        return self.perturbation.basis

    @property
    def picture(self) -> Float[Tensor, "c hp wp"]:
        """The image's packed coefficients less the baseline's."""
        return self.perturbation.picture

    @property
    def baseline(self) -> Float[Tensor, "c hp wp"]:
        """The baseline's packed coefficients; 0 in every detail band."""
        return self.perturbation.baseline

    def images(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """The images the model is shown, on the picture's device.

        Args:
            weights: Rows of weights (n, d) in [0, 1].

        Returns:
            Images (n, C, H, W) in the scale of [0, 1], clamped to it only where the space clips.
        """
        return self.perturbation.images(moved(weights, self.picture.device))

    def rebuild(self, weights: Float[Tensor, " d"]) -> Float[Tensor, "c h w"]:
        """The image (C, H, W) of one row of weights.

        Args:
            weights: A row (d,) in [0, 1].
        """
        return self.perturbation.rebuild(weights)

    def logits(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Class scores of rows of weights; images are made batch by batch.

        Args:
            weights: Rows of weights (n, d) in [0, 1].

        Returns:
            Class scores (n, k), on the CPU.
        """
        return self.model.logits_of(lambda start, stop: self.images(weights[start:stop]), len(weights))

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of rows of weights."""
        return self.target(self.logits(weights))

    def logits_one_at_a_time(
        self,
        start_row: Float[Tensor, " d"],
        end_row: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, "m k"]:
        """Class scores of rows that differ from ``start_row`` in one weight each.

        Args:
            start_row: As for ``one_at_a_time``.
            end_row: As there.
            which: As there.

        Returns:
            Class scores (m, k), on the CPU.
        """
        count = len(start_row) if which is None else len(which)
        if count == 0:
            return self.image_logits.new_zeros(0, len(self.image_logits))
        with torch.no_grad():
            make = self.perturbation.images_one_at_a_time(start_row, end_row, which)
        return self.model.logits_of(make, count)

    def one_at_a_time(
        self,
        start_row: Float[Tensor, " d"],
        end_row: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of rows that differ from ``start_row`` in one weight each.

        Args:
            start_row: A row of weights (d,) in [0, 1].
            end_row: The row (d,) that changed weights are taken from.
            which: Cells (m,) whose weight changes, one a row; None for all.

        Returns:
            Scores (m,), in the order of ``which``.
        """
        return self.target(self.logits_one_at_a_time(start_row, end_row, which))

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores and their derivatives by every weight, one backward pass a batch.

        Args:
            weights: Rows of weights (n, d) in [0, 1].

        Returns:
            Scores (n,) and derivatives (n, d).

        Raises:
            ModelError: Where the model has no gradients.
        """
        return self.model.gradients(
            moved(weights, self.picture.device), self.perturbation.images, self.target
        )
