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
    """``weights (n, d) -> scores (n,)`` of one image under a model; what every analysis sees.

    ``target`` has integer class ids; ``whole`` are the class scores of the image itself, which a row of all
    ones gives back.
    Raises what the model raises.

    >>> from wcam_widget.basis import PixelBasis
    >>> from wcam_widget.model import Logit
    >>> basis = PixelBasis((2, 2))
    >>> perturbation = Perturbation.of(torch.ones(1, 2, 2), basis, Cells.regular(basis, 2), "black")
    >>> model, image_logits = BlackBox(lambda images: images.sum((2, 3))), torch.tensor([4.0])
    >>> Probe(model, Logit(0), perturbation, image_logits)(torch.tensor([[1.0, 1.0, 0.5, 0.0]]))
    tensor([2.5000])
    """

    model: BlackBox
    target: AbstractTarget
    perturbation: Perturbation
    whole: Float[Tensor, " k"]

    @property
    def score(self) -> float:
        """The score of the image itself."""
        return float(self.target(self.whole[None])[0])

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
    def base(self) -> Float[Tensor, "c hp wp"]:
        """The baseline's packed coefficients; 0 in every detail band."""
        return self.perturbation.base

    def images(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """The images the model is shown, in the [0, 1] scale but not clamped to it."""
        return self.perturbation.images(moved(weights, self.picture.device))

    def rebuild(self, weights: Float[Tensor, " d"]) -> Float[Tensor, "c h w"]:
        """The image of one row of weights."""
        return self.perturbation.rebuild(weights)

    def logits(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Class scores of rows of weights; images are made batch by batch."""
        return self.model.logits_of(lambda start, stop: self.images(weights[start:stop]), len(weights))

    def __call__(self, weights: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Scores of rows of weights."""
        return self.target(self.logits(weights))

    def logits_one_at_a_time(
        self,
        base: Float[Tensor, " d"],
        other: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, "m k"]:
        """Class scores of ``base`` with one weight from ``other``, for each cell of ``which`` or all."""
        count = len(base) if which is None else len(which)
        if count == 0:
            return self.whole.new_zeros(0, len(self.whole))
        with torch.no_grad():
            make = self.perturbation.one_at_a_time(base, other, which)
        return self.model.logits_of(make, count)

    def one_at_a_time(
        self,
        base: Float[Tensor, " d"],
        other: Float[Tensor, " d"],
        which: Int[np.ndarray, " m"] | None = None,
    ) -> Float[Tensor, " m"]:
        """Scores of ``base`` with one weight from ``other``, for each cell of ``which`` or all."""
        return self.target(self.logits_one_at_a_time(base, other, which))

    def gradient(self, weights: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """Scores of rows of weights and their derivatives by every weight, one backward pass a batch."""
        return self.model.gradients(
            moved(weights, self.picture.device), self.perturbation.images, self.target
        )
