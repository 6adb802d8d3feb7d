"""The published code's conventions, kept for comparison.

They differ from ours on purpose: one mask value per cell of a uniform grid over the entire Mallat picture,
whether or not it straddles bands; every perturbed image stretched to its own full range and cut to 8 bits;
one scrambled Sobol' design for every image; the variance from A alone; no intervals (Kasmi et al. 2023).
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.stats import qmc
from torch import Tensor
from typing_extensions import override

from wcam_widget.basis import Cells, WaveletBasis
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.map_info import MapInfo
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike, ensure_image
from wcam_widget.sensitivity import Estimate, GroupEstimate, Kind
from wcam_widget.sensitivity.analysis import ALL_ROWS, CONSTANT_SCORE

GRID, LEVELS = 28, 3  # of the published code; fewer where an image has no room for them
STATISTIC = "share of the summed cell totals, as published"


@dataclass(frozen=True, eq=False)
class PublishedWcam(AbstractMethod):
    """WCAM with the conventions of its published code; make it by ``Wcam.as_published``.

    Args:
        grid: Cells per side of the entire Mallat picture, from 1 to the image's side; None for 28, or the
            side.
        rows: Design rows N, at least 2; the cost is N (grid^2 + 2) evaluations.
        levels: Haar levels; 2^levels must divide the side. None for 3, or as many as divide it.
        approximation: Whether masks weight the approximation; False sets it to 0 in every mask.
        seed: Of the design, the same for every image.

    Raises:
        ValueError: Naming ``grid`` or ``rows`` outside these ranges; when called, naming the image where it
            is not square or does not fit ``levels`` and ``grid``.

    References:
        Kasmi et al. (2023), "Assessment of the Reliability of a Model's Decision by Generalizing Attribution
        to the Wavelet Domain", and its code; Jansen (1999), "Analysis of variance designs for model output".

    Examples:
        >>> method = PublishedWcam(grid=4, rows=2, levels=2)
        >>> (attribution,) = method(lambda images: images.mean((2, 3)), torch.rand(1, 3, 16, 16))
        >>> attribution.evaluations
        36
    """

    grid: int | None = None
    rows: int = 8
    levels: int | None = None
    approximation: bool = True
    seed: int = 42

    @property
    @override
    def title(self) -> str:
        """The method's short name."""
        return "Wcam as published"

    def __post_init__(self) -> None:
        if self.rows < 2:
            raise ValueError(f"rows={self.rows} gives no variance: at least 2 do")
        if self.grid is not None and not 1 <= self.grid**2 * 2 <= qmc.Sobol.MAXDIM:
            raise ValueError(f"grid={self.grid} is outside 1 to {int((qmc.Sobol.MAXDIM / 2) ** 0.5)}")

    def design(self) -> Float[np.ndarray, "rows d2"]:
        """Scrambled Sobol' points (rows, 2 grid^2), float64: A in the first half, B in the second."""
        grid = GRID if self.grid is None else self.grid
        with warnings.catch_warnings():
            # Row counts that are no power of 2 are part of the published settings.
            warnings.filterwarnings("ignore", "The balance properties", UserWarning)
            # `seed` and not `rng`: scipy draws other points from a generator made of the same number.
            sampler = qmc.Sobol(2 * grid**2, scramble=True, seed=self.seed)
            return np.asarray(sampler.random(self.rows))

    def images(
        self, picture: Float[Tensor, "c s s"], basis: WaveletBasis, masks: Float[Tensor, "n d"]
    ) -> Float[Tensor, "n c s s"]:
        """The images of rows of masks: stretched to their own range, cut to 256 grey levels.

        Args:
            picture: The coefficients (C, S, S) of the image.
            basis: Their basis.
            masks: Rows (n, grid^2) in [0, 1], the cells row by row.

        Returns:
            Images (n, C, S, S) in [0, 1].
        """
        grid = math.isqrt(masks.shape[1])
        nearest = torch.arange(basis.size[0], device=masks.device) * grid // basis.size[0]
        weights = masks.view(-1, 1, grid, grid)[:, :, nearest][:, :, :, nearest]
        if not self.approximation:
            weights[(..., *basis.bands[0].slices)] = 0.0
        images = basis.unpack(picture * weights)
        lowest = images.amin((1, 2, 3), keepdim=True)
        span = images.amax((1, 2, 3), keepdim=True) - lowest
        return torch.where(span > 0, (images - lowest) / span, 0.0).mul(255).floor() / 255

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # Attributions after each design row; ``stream`` has no effect: the published design is fixed.
        del stream
        network = BlackBox.ensure(model)
        pixels = ensure_image(image, "image", network.fit)
        basis = self._basis(pixels)
        grid = min(GRID, basis.size[0]) if self.grid is None else self.grid
        cells, owner = straddling_cells(basis, grid)
        logits = network.logits(pixels[None])
        resolved = network.target(target, logits[0])
        info = MapInfo(
            cells=cells,
            basis=basis,
            method=f"Wcam as published · haar, {basis.levels} levels, {grid}x{grid} cells",
            target=resolved.label(network.class_names),
            score=float(resolved(logits)[0]),
            planned=self.rows * (grid**2 + 2),
            statistic=STATISTIC,
            model=network,
        )
        picture = basis.pack(pixels.to(network.device))
        started, scores = time.perf_counter(), []
        for row in replace(self, grid=grid).design():
            masks = torch.from_numpy(exchanged(row)).to(picture)

            def make(start: int, stop: int, masks: Tensor = masks) -> Tensor:
                return self.images(picture, basis, masks[start:stop])

            scores.append(resolved(network.logits_of(make, len(masks))).double().numpy())
            estimate = self._estimate(np.array(scores), owner, cells)
            reason = ALL_ROWS if estimate.value.any() else CONSTANT_SCORE
            stop = reason if len(scores) == self.rows else ""
            yield info.attribution(estimate, time.perf_counter() - started, stop)

    def _basis(self, image: Tensor) -> WaveletBasis:
        _, height, width = image.shape
        levels, grid = self.levels, 1 if self.grid is None else self.grid
        if levels is None:  # as many as divide the side, one at least
            levels = max((level for level in range(1, LEVELS + 1) if height % 2**level == 0), default=1)
        if height != width or height % 2**levels or height < grid:
            raise ValueError(
                f"image of {height}x{width} pixels does not suit Wcam.as_published: it must be square "
                f"with a side that 2**levels={2**levels} divides, at least grid={grid} pixels; "
                "Wcam(grid=…) takes any size"
            )
        return WaveletBasis((height, width), "haar", levels)

    def _estimate(
        self, scores: Float[np.ndarray, "n m"], owner: Int[np.ndarray, " p"], cells: Cells
    ) -> Estimate:
        """Jansen's totals as the published code forms them, given to every piece of a cell."""
        total = published_jansen(scores)
        pieces = total[owner]
        share = np.array([pieces[cells.groups == band].sum() for band in range(len(cells.bands))])
        share = share / share.sum() if share.sum() > 0 else share
        groups = replace(GroupEstimate.unknown(len(share)), total=share, low=share, high=share)
        return replace(
            Estimate.exact(pieces, groups, evaluations=scores.size),
            low=np.zeros(len(pieces)),
            high=np.maximum(pieces, 1.0),
            kind=np.full(len(pieces), Kind.UNRESOLVED, np.int8),
            error=np.full(len(pieces), np.nan),
            variance=float(scores[:, 0].var(ddof=1)) if len(scores) > 1 else 0.0,
        )


def exchanged(row: Float[np.ndarray, " d2"]) -> Float[np.ndarray, "n d"]:
    """Masks of one design row: A, B, then A with one column taken from B, for every column.

    >>> exchanged(np.array([0.1, 0.2, 0.8, 0.9])).tolist()
    [[0.1, 0.2], [0.8, 0.9], [0.8, 0.2], [0.1, 0.9]]
    """
    a, b = np.split(row, 2)
    return np.concatenate([a[None], b[None], np.where(np.eye(len(a), dtype=bool), b, a)])


def published_jansen(scores: Float[np.ndarray, "n m"]) -> Float[np.ndarray, " d"]:
    """Total indices from scores (rows, d + 2) in the order of ``exchanged``; the variance from A alone.

    >>> published_jansen(np.array([[0.0, 9.0, 0.0, 2.0], [2.0, 9.0, 2.0, 2.0]]))
    array([0. , 0.5])
    """
    a, c = scores[:, :1], scores[:, 2:]
    variance = a.var(ddof=1) if len(a) > 1 else 0.0
    return ((a - c) ** 2).sum(0) / (2 * len(a) * variance) if variance > 0 else np.zeros(c.shape[1])


def straddling_cells(basis: WaveletBasis, grid: int) -> tuple[Cells, Int[np.ndarray, " p"]]:
    """The pieces into which band borders cut a uniform grid over the picture, and the grid cell of each."""
    side = basis.size[0]
    lines = np.array(
        [-(-side * line // grid) for line in range(grid)]
    )  # the first pixel of each row of cells
    pieces, owner = [], []
    for number, band in enumerate(basis.bands):
        for top, bottom in _cut(lines, band.top, band.height):
            for left, right in _cut(lines, band.left, band.width):
                pieces.append((number, top, left, bottom - top, right - left))
                owner.append((top * grid // side) * grid + left * grid // side)
    return Cells(basis.bands, np.array(pieces), basis.picture_size, basis.size), np.array(owner)


def _cut(lines: Int[np.ndarray, " g"], start: int, length: int) -> list[tuple[int, int]]:
    """The stretches into which grid lines cut a band that begins at ``start``."""
    stop = start + length
    inside = lines[(lines > start) & (lines < stop)].tolist()
    return list(pairwise([start, *inside, stop]))
