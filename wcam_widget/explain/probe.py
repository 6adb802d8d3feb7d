"""A probe: the score of an image as a function of the weights of its cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.explain.perturbation import Perturbation
from wcam_widget.model import AbstractTarget, BlackBox


@dataclass(frozen=True, eq=False)
class Probe:
    """``weights (n, d) -> scores (n,)`` of one image, asked of a model; what every analysis sees.

    ``target`` has integer class ids; ``score`` is that of the image itself. All ones give that score back.
    Raises what the model raises.

    >>> from wcam_widget.basis import PixelBasis
    >>> from wcam_widget.model import Logit
    >>> basis = PixelBasis((2, 2))
    >>> perturbation = Perturbation.of(torch.ones(1, 2, 2), basis, Cells.regular(basis, 2), "black")
    >>> probe = Probe(BlackBox(lambda images: images.sum((2, 3))), Logit(0), perturbation, score=4.0)
    >>> probe(torch.tensor([[1.0, 1.0, 0.5, 0.0]]))
    tensor([2.5000])
    """

    model: BlackBox
    target: AbstractTarget
    perturbation: Perturbation
    score: float

    @property
    def groups(self) -> Int[np.ndarray, " d"]:
        """The band of each cell."""
        return self.cells.groups

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
    def base(self) -> Float[Tensor, "c hp wp"]:
        """The baseline's packed coefficients; 0 in every detail band."""
        return self.perturbation.base

    def images(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """The images the model is asked about, in the [0, 1] scale but not clamped to it."""
        return self.perturbation.images(weights.to(self.picture))

    def rebuild(self, weights: Float[Tensor, " d"]) -> Float[Tensor, "c h w"]:
        """The image of one row of weights."""
        return self.perturbation.rebuild(weights)

    def logits(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Class scores of rows of weights; images are made batch by batch."""
        return self.model.logits_of(lambda start, stop: self.images(weights[start:stop]), len(weights))

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of rows of weights."""
        return self.target(self.logits(weights))

    def one_at_a_time(self, base: Float[Tensor, " d"], other: Float[Tensor, " d"]) -> Float[Tensor, " d"]:
        """Scores of ``base`` with the weight of one cell taken from ``other``, for every cell."""
        with torch.no_grad():
            make = self.perturbation.one_at_a_time(base.to(self.picture), other.to(self.picture))
        return self.target(self.model.logits_of(make, len(base)))

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores of rows of weights and their derivatives by every weight, one backward pass a batch."""
        return self.model.gradients(weights.to(self.picture), self.perturbation.images, self.target)
