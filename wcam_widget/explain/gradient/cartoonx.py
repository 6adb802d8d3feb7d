"""CartoonX: the fewest wavelet coefficients of an image that keep its score, by gradient descent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from typing_extensions import override

from wcam_widget.basis import Cells
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.cell_sums import estimate_of, per_band, summed
from wcam_widget.explain.gradient.distortion import Distortion, Noise, spatial_slope
from wcam_widget.explain.gradient.modes import ensure_count, exact
from wcam_widget.explain.map_info import ALL_ZERO, MapInfo
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import AbstractTarget, BlackBox, ImageLike, Logit, ModelLike, TargetLike
from wcam_widget.perturb.baseline import Baseline
from wcam_widget.perturb.probe import Probe
from wcam_widget.perturb.space import AtMost, BasisMaker, CellsMaker, Space, coefficients
from wcam_widget.sensitivity import Estimate

BLOCK = 5  # steps of the descent between two attributions of a stream
TRAVEL = 3.0  # how far a mask can move over a run: from 1 to 0, and back where that was wrong
UNIT = "share kept of each coefficient, 0 to 1"
STATISTIC = "share of the band's l1 norm that the mask keeps"


@final
@dataclass(frozen=True, eq=False)
class CartoonX(AbstractMethod):
    """CartoonX: a sparse mask of wavelet coefficients that keeps the score; values are the mask, 0 to 1.

    The mask starts at 1 and descends, by Adam and within [0, 1], on distortion + ``sparsity`` times the share
    of the coefficients that is kept + ``spatial`` times the mean distance of the masked image from the
    baseline. The distortion is the mean squared change of the score over the masked image itself and over
    images whose masked coefficients are noise. Without a target object the score is a class's probability.

    One optimum of many, without intervals: other seeds show how far it is a matter of chance. So does, on an
    accelerator, a batch size below 8, by which sums are rounded otherwise; on the CPU it changes nothing.
    ``stop`` says what the mask keeps; where that is nothing it begins with "the map is zero everywhere". The
    profile holds the share of each band's l1 norm that is kept.

    Args:
        sparsity: Price of keeping all coefficients, in the square of the score's unit, at least 0; more keeps
            less.
        spatial: Price of the masked image's mean distance from the baseline, in the same unit, at least 0.
        iterations: Steps of the descent, at least 1, each of 3 / ``iterations`` at most.
        noise: What stands for masked coefficients, or None for the masked image alone: such minimal images
            are far smaller, and rest on coefficients that only look like evidence where all else is blank.
        wavelet: As for ``WaveletGradient``.
        levels: As for ``WaveletGradient``.
        grid: As for ``WaveletGradient``; a mask is shared by the channels.
        baseline: As for ``WaveletGradient``.

    Raises:
        ValueError: Naming the argument for what does not fit.
        ModelError: When called, where the model has no gradients.

    References:
        Kolek et al. (2022), "Cartoon explanations of image classifiers"; the spatial term is that of
        WaveletX, Kolek et al. (2023), "Explaining image classifiers with multiscale directional image
        representation".

    Examples:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2))
        >>> method = CartoonX(iterations=10, levels=2)
        >>> (attribution,) = method(net, torch.rand(1, 3, 8, 8), [1])
        >>> attribution.values.shape, attribution.target, attribution.gradients
        ((64,), 'probability of class 1', 90)
    """

    sparsity: float = 1.0
    spatial: float = 1.0
    iterations: int = 100
    noise: Noise | None = field(default_factory=Noise)
    wavelet: str | BasisMaker = "haar"
    levels: int | None = None
    grid: int | CellsMaker | None = None
    baseline: Baseline = "mean"

    def __post_init__(self) -> None:
        for name in ("sparsity", "spatial"):
            price = getattr(self, name)
            if not 0.0 <= price < float("inf"):
                raise ValueError(f"{name}={price!r} must be a finite number of at least 0")
        ensure_count(self.iterations, "iterations", 1)
        if self.noise is not None and not isinstance(self.noise, Noise):
            raise ValueError(f"noise={self.noise!r} is unknown; a Noise(…) and None are accepted")

    @staticmethod
    def as_published() -> CartoonX:
        """The settings of the published runs on ImageNet: 300 steps of 16 draws, db3, black.

        The levels are 5, or as many as fit the image. Adam's rate there is 0.1, here 0.01, and no image
        without noise is looked at there. Takes about six times as long as the defaults.
        """
        return CartoonX(
            iterations=300, noise=Noise(draws=16), wavelet="db3", levels=AtMost(5), baseline="black"
        )

    @property
    @override
    def space(self) -> Space:
        """Where masks lie: single coefficients, unless ``grid`` is given."""
        grid = coefficients if self.grid is None else self.grid
        return Space(self.wavelet, self.levels, grid, self.baseline)

    @override
    def probe(self, model: ModelLike, image: ImageLike, target: TargetLike = None) -> Probe:
        # A class stands for its probability.
        probe = self.space.probe(model, image, target)
        if isinstance(target, AbstractTarget) or not isinstance(probe.target, Logit):
            return probe
        return replace(probe, target=probe.target.as_probability())

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # The mask of one image after every 5 steps of the descent, the last one complete.
        started, network = time.perf_counter(), BlackBox.ensure(model)
        probe = self.probe(network, image, target)
        distortion = Distortion(probe, self.noise, stream)
        planned = 3 * self.iterations * distortion.images + 1
        info = MapInfo.from_probe(probe, self.describe(probe.cells), planned, UNIT, STATISTIC)
        mask = torch.ones(len(probe.cells), dtype=torch.float64)
        descent = torch.optim.Adam([mask], lr=TRAVEL / self.iterations)
        for step in range(1, self.iterations + 1):
            slope = distortion.slope(mask, step) + self._price(mask, probe)
            # Adam takes slopes of 1e-8 for nothing, and those of single coefficients are small.
            mask.grad = torch.from_numpy(slope * len(mask))
            descent.step()
            mask.clamp_(0.0, 1.0)
            complete = step == self.iterations
            if not complete and step % BLOCK:
                continue
            stop = _kept(mask, probe) if complete else ""
            passes = step * distortion.images
            estimate = _estimate(mask.numpy().copy(), probe, (passes + complete, passes))
            yield info.attribution(estimate, time.perf_counter() - started, stop)

    def describe(self, cells: Cells) -> str:
        """The method in words, as shown above its pictures.

        Args:
            cells: The cells of the image.
        """
        parts = "every coefficient" if self.grid is None else f"{len(cells)} cells"
        return f"CartoonX · sparsity {self.sparsity:g} · {self.space.basis_words(cells)}, {parts}"

    def _price(self, mask: torch.Tensor, probe: Probe) -> Float[np.ndarray, " d"]:
        """The slope of what the mask costs: the coefficients it keeps, and the image they make."""
        price = self.sparsity * _shares(probe.cells)
        return price + self.spatial * spatial_slope(mask, probe) if self.spatial else price


def l1_norm(probe: Probe) -> Float[np.ndarray, " d"]:
    """The sum of the absolute coefficients of each cell, over channels, less the baseline's."""
    return summed(probe.picture.abs(), probe.cells)


def _shares(cells: Cells) -> Float[np.ndarray, " d"]:
    """The share of the coefficients that each cell has."""
    sizes = cells.rectangles[:, 3:5].prod(1)
    return np.asarray(sizes / sizes.sum())


def _estimate(value: Float[np.ndarray, " d"], probe: Probe, passes: tuple[int, int]) -> Estimate:
    """The mask as an estimate without chance, and what it keeps of each band."""
    unknown = np.full(len(value), np.nan)
    estimate = estimate_of(probe.cells, exact(value), unknown, passes)
    norm = l1_norm(probe)
    band_norm = per_band(probe.cells, norm)
    kept = per_band(probe.cells, value * norm) / np.where(band_norm > 0, band_norm, 1.0)
    return replace(estimate, groups=replace(estimate.groups, total=kept, low=kept, high=kept))


def _kept(mask: torch.Tensor, probe: Probe) -> str:
    """Say what is left of the image and of its score."""
    value, norm = mask.numpy(), l1_norm(probe)
    information = float(value @ norm) / max(float(norm.sum()), np.finfo(float).tiny)
    score = float(probe(mask[None].float())[0])
    said = (
        f"the mask keeps {100 * information:.3g} % of the l1 norm of the coefficients, "
        f"{100 * float(value @ _shares(probe.cells)):.3g} % of their number, "
        f"and a {probe.target.unit} of {score:.3g}, where the image has {probe.score:.3g}"
    )
    return said if value.any() else f"{ALL_ZERO}; {said}; give less sparsity or spatial"
