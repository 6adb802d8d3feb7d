"""What gradients say of cells: saliency, gradient times coefficient, and their means over noise or a path.

Two derivatives serve all of them. ``probe.gradient`` differentiates by the weights of cells, which is the sum
of gradient times coefficient (less the baseline's) over each cell; ``coefficient_gradients`` differentiates
by every coefficient of every channel, for what needs absolute values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from wcam_widget.explain.cell_sums import estimate_of, summed
from wcam_widget.perturb.probe import Probe
from wcam_widget.sensitivity import Estimate
from wcam_widget.sensitivity.analysis import ALL_ROWS
from wcam_widget.sensitivity.statistics.jackknife import Replicated

BLOCK = 8  # inputs differentiated between two attributions of a stream
REPLICATES = 16  # independent parts of a smooth run, which give the intervals
RESIDUAL = 0.01  # share of the change of the score above which an integral is called too coarse
ROUNDING = 1e-5  # share of the score itself below which a residual is float32 rounding
ZERO = "every gradient is zero: the score does not move with any coefficient at any image of the run"


@dataclass(frozen=True, eq=False)
class Answer:
    """The map so far, and what is to be said of it once the run is over."""

    estimate: Estimate
    remark: str


class AbstractGradientMode(ABC):
    """How gradients become one number per cell; parameters only.

    ``signed`` says whether values have the sign of the effect and the unit of the score; others are at least
    0 and count the score per unit of coefficient.
    """

    signed: ClassVar[bool]

    @property
    @abstractmethod
    def planned(self) -> int:
        """Forward-equivalents of an entire run; a gradient counts as two on top of its forward."""

    @abstractmethod
    def run(self, probe: Probe, stream: int = 0) -> Iterator[Answer]:
        """The map after each block of gradients, the last one complete. Raises what the model raises."""


@final
@dataclass(frozen=True)
class Saliency(AbstractGradientMode):
    """The gradient's absolute value, added up over the coefficients and channels of each cell.

    To first order this is the most the score moves where each of them may move by 1.

    References:
        Simonyan et al. (2014), "Deep inside convolutional networks"; in the wavelet domain Kasmi et al.
        (2024), "One wave to explain them all", by other conventions: see ``WaveletGradient.as_published``.
    """

    signed: ClassVar[bool] = False

    @property
    @override
    def planned(self) -> int:
        """One forward and one backward pass."""
        return 3

    @override
    def run(self, probe: Probe, stream: int = 0) -> Iterator[Answer]:
        """One map, of the image as it is; ``stream`` has no effect."""
        del stream
        _, slopes = coefficient_gradients(probe, torch.zeros_like(probe.picture)[None])
        value = summed(slopes[0].abs(), probe.cells)
        effect = summed(slopes[0] * probe.picture, probe.cells)
        yield Answer(estimate_of(probe.cells, exact(value), effect, (1, 1)), flagged(value, ALL_ROWS))


@final
@dataclass(frozen=True)
class Product(AbstractGradientMode):
    """Gradient times coefficient, less the baseline's: what a cell adds to the score to first order, signed.

    This is the derivative by the cell's weight at 1.

    References:
        Shrikumar et al. (2016), "Not just a black box"; Ancona et al. (2018), "Towards better understanding
        of gradient-based attribution methods".
    """

    signed: ClassVar[bool] = True

    @property
    @override
    def planned(self) -> int:
        """One forward and one backward pass."""
        return 3

    @override
    def run(self, probe: Probe, stream: int = 0) -> Iterator[Answer]:
        """One map, of the image as it is; ``stream`` has no effect."""
        del stream
        _, slopes = probe.gradient(torch.ones(1, len(probe.cells)))
        value = slopes[0].cpu().double().numpy()
        yield Answer(estimate_of(probe.cells, exact(value), value, (1, 1)), flagged(value, ALL_ROWS))


@final
@dataclass(frozen=True)
class Smooth(AbstractGradientMode):
    """The absolute value of the mean gradient over noisy images, added up as ``Saliency`` adds it.

    The mean is taken before the absolute value, so that what the noise alone moves cancels. Intervals are of
    16 independent parts.

    Args:
        rows: Noisy images, at least 2.
        noise: Standard deviation in shares of the image's range, above 0.
        seed: Runs with one seed repeat.

    Raises:
        ValueError: Naming the argument for what is not valid.

    References:
        Smilkov et al. (2017), "SmoothGrad: removing noise by adding noise".
    """

    rows: int = 32
    noise: float = 0.15
    seed: int = 0
    signed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        ensure_count(self.rows, "rows", 2)
        ensure_count(self.seed, "seed", 0)
        if not 0.0 < self.noise < float("inf"):
            raise ValueError(f"noise={self.noise!r} must be a share of the image's range, above 0 and finite")

    @property
    @override
    def planned(self) -> int:
        """A forward and a backward pass for each noisy image."""
        return 3 * self.rows

    @override
    def run(self, probe: Probe, stream: int = 0) -> Iterator[Answer]:
        """Maps over 8, 16, … noisy images; ``stream`` separates the noise of several images."""
        parts = min(REPLICATES, self.rows)
        sums = probe.picture.new_zeros(parts, *probe.picture.shape)
        for start in range(0, self.rows, BLOCK):
            rows = range(start, min(start + BLOCK, self.rows))
            noise = [noisy(probe, self.noise, (self.seed, stream, row)) for row in rows]
            _, slopes = coefficient_gradients(probe, torch.stack(noise))
            for row, slope in zip(rows, slopes, strict=True):
                sums[row % parts] += slope
            estimate = self._estimate(probe, sums, np.bincount(np.arange(rows.stop) % parts))
            yield Answer(estimate, flagged(estimate.value, ALL_ROWS))

    def _estimate(self, probe: Probe, sums: Float[Tensor, "r c hp wp"], counts: np.ndarray) -> Estimate:
        """The map of all rows so far, and its intervals from leaving out one part at a time."""
        cells, rows, total = probe.cells, int(counts.sum()), sums.sum(0)
        value = summed((total / rows).abs(), cells)
        left_out = np.array(
            [
                summed(((total - part) / (rows - held)).abs(), cells)
                for part, held in zip(sums, counts.tolist(), strict=False)
            ]
        )
        slope = summed(total / rows * probe.picture, cells)
        return estimate_of(cells, Replicated(value, left_out), slope, (rows, rows))


@final
@dataclass(frozen=True)
class Integrated(AbstractGradientMode):
    """Gradient times coefficient, averaged along the straight path from the baseline to the image; signed.

    The values add up to the score of the image less that of the baseline (completeness); what is left over is
    stated when the run ends.

    Args:
        rows: Points of the path, at least 1: nodes of Gauss and Legendre, in an order whose beginnings are
            spread over the path.

    Raises:
        ValueError: Naming ``rows`` where it is not valid.

    References:
        Sundararajan et al. (2017), "Axiomatic attribution for deep networks".
    """

    rows: int = 32
    signed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        ensure_count(self.rows, "rows", 1)

    @property
    @override
    def planned(self) -> int:
        """A forward and a backward pass for each point, and a forward of the baseline."""
        return 3 * self.rows + 1

    @override
    def run(self, probe: Probe, stream: int = 0) -> Iterator[Answer]:
        """Maps from 8, 16, … points of the path; ``stream`` has no effect."""
        del stream
        count = len(probe.cells)
        change = probe.score - float(probe(torch.zeros(1, count))[0])
        places, shares = path(self.rows)
        value, share = np.zeros(count), 0.0
        for start in range(0, self.rows, BLOCK):
            part = slice(start, start + BLOCK)
            _, slopes = probe.gradient(torch.from_numpy(places[part]).float()[:, None].repeat(1, count))
            value += shares[part] @ slopes.cpu().double().numpy()
            share += float(shares[part].sum())
            done, mean = min(start + BLOCK, self.rows), value / share
            estimate = estimate_of(probe.cells, exact(mean), mean, (done + 1, done))
            yield Answer(estimate, flagged(mean, completeness(float(mean.sum()), change, probe.score)))


def coefficient_gradients(
    probe: Probe, offsets: Float[Tensor, "n c hp wp"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c hp wp"]]:
    """Scores of the image with ``offsets`` added to its coefficients, and their derivatives by these."""
    coefficients, basis = probe.baseline + probe.picture, probe.basis
    return probe.model.gradients(offsets, lambda rows: basis.unpack(coefficients + rows), probe.target)


def noisy(probe: Probe, noise: float, seed: tuple[int, ...]) -> Float[Tensor, "c hp wp"]:
    """Coefficients of normal noise, whose deviation is the share ``noise`` of the image's range."""
    image = probe.basis.unpack(probe.baseline + probe.picture)
    drawn = np.random.default_rng(seed).standard_normal(tuple(image.shape), dtype=np.float32)
    return probe.basis.pack(torch.from_numpy(drawn).to(image) * (noise * (image.max() - image.min())))


def path(rows: int) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Places on 0 to 1 and their shares of the integral, in an order that spreads each beginning over it.

    >>> places, shares = path(4)
    >>> places.round(2).tolist(), float(shares.sum().round(6))
    ([0.07, 0.67, 0.33, 0.93], 1.0)
    """
    nodes, weights = np.polynomial.legendre.leggauss(rows)
    width = max(1, (rows - 1).bit_length())
    order = sorted(range(rows), key=lambda place: f"{place:0{width}b}"[::-1])
    return (nodes[order] + 1) / 2, weights[order] / 2


def completeness(total: float, change: float, score: float) -> str:
    """Say how far the values' sum is from the change of the score that it must equal.

    >>> completeness(1.5, 1.0, 3.0)[-42:]
    'residual 0.5; give more rows for a smaller'
    """
    residual = total - change
    said = f"{ALL_ROWS}: values add up to {total:.6g}, score less the baseline's is {change:.6g}, "
    said += f"residual {residual:.2g}"
    coarse = abs(residual) > max(RESIDUAL * abs(change), ROUNDING * abs(score))
    return f"{said}; give more rows for a smaller" if coarse else said


def exact(value: Float[np.ndarray, " d"]) -> Replicated:
    """Values without replicates."""
    return Replicated(value, np.zeros((0, len(value))))


def flagged(value: Float[np.ndarray, " d"], remark: str) -> str:
    """The remark, or that there is nothing to be seen."""
    return remark if value.any() else ZERO


def ensure_count(count: object, argument: str, fewest: int) -> None:
    """Raise ValueError naming ``argument`` unless it is an integer of at least ``fewest``."""
    if not isinstance(count, int | np.integer) or count < fewest:
        raise ValueError(f"{argument}={count!r} must be a whole number of at least {fewest}")
