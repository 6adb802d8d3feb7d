"""The conventions of WAM's published code, kept for comparison with ``WaveletGradient``.

They differ from ours on purpose: gradients are averaged over the colour channels before their absolute value
is taken, every band is divided by its own largest value, absolute values are averaged over the noise, and the
integral has steps of 1 and no sign, so that its values do not add up to anything. Two things are not
reproduced: the published code puts the bands ``LH`` and ``HL`` in each other's place, and gives NaN where the
gradient of a band is 0; here bands stand where their coefficients do, and such a band is 0.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from wcam_widget.basis import Band
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.cell_sums import STATISTIC, estimate_of, summed
from wcam_widget.explain.gradient.modes import (
    BLOCK,
    coefficient_gradients,
    ensure_count,
    exact,
    flagged,
    noisy,
)
from wcam_widget.explain.map_info import MapInfo
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike
from wcam_widget.perturb.probe import Probe
from wcam_widget.perturb.space import Space
from wcam_widget.sensitivity.analysis import ALL_ROWS

NOISE = 0.25  # standard deviation of the published noise, in shares of the image's range
MODES = ("smooth", "integrated")
UNIT = "gradient in shares of the largest of its band, as published"


@final
@dataclass(frozen=True, eq=False)
class PublishedWaveletGradient(AbstractMethod):
    """WAM with the conventions of its published code; make it by ``WaveletGradient.as_published``.

    Noise is added to the image in [0, 1], where the published code adds it to the network's own input, and
    comes from another generator: maps agree in law, not number by number. Images are explained one by one,
    so that bands are divided by their largest value in one image.

    Args:
        mode: "smooth", the mean over noisy images (noise of a quarter of the image's range), or "integrated",
            the trapezoid along the path from black.
        rows: Noisy images or points of the path, at least 2.
        levels: Haar levels, at least 1; None for 3, or as many as fit the image.
        approximation: Whether the approximation has values; else they are 0.
        seed: Of the noise, the same for every image.

    Raises:
        ValueError: Naming the argument for what does not fit.
        ModelError: When called, where the model has no gradients.

    References:
        Kasmi et al. (2024), "One wave to explain them all".

    Examples:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2))
        >>> (attribution,) = PublishedWaveletGradient(rows=2, levels=2)(net, torch.rand(1, 3, 8, 8))
        >>> float(attribution.values.max())
        1.0
    """

    mode: str = "smooth"
    rows: int = 25
    levels: int | None = None
    approximation: bool = False
    seed: int = 42

    @property
    @override
    def title(self) -> str:
        """The method's short name."""
        return "WAM as published"

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode={self.mode!r} is unknown; {' and '.join(MODES)} are accepted")
        ensure_count(self.rows, "rows", 2)
        ensure_count(self.seed, "seed", 0)

    @property
    @override
    def space(self) -> Space:
        """Single coefficients, black without them."""
        return Space.per_coefficient(levels=self.levels, baseline="black")

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # Attributions after each block of 8 gradients; ``stream`` has no effect: the noise is fixed.
        del stream
        started, network = time.perf_counter(), BlackBox.ensure(model)
        probe = self.probe(network, image, target)
        words = f"WaveletGradient as published · {self.mode} · {self.space.basis_words(probe.cells)}"
        info = MapInfo.from_probe(probe, words, 3 * self.rows, UNIT, STATISTIC)
        added = torch.zeros_like(probe.picture[0])
        for start in range(0, self.rows, BLOCK):
            rows = range(start, min(start + BLOCK, self.rows))
            _, slopes = coefficient_gradients(probe, torch.stack([self._offset(probe, row) for row in rows]))
            for row, slope in zip(rows, slopes, strict=True):
                added += self._share(row) * self.normalised(slope, probe.cells.bands)
            value = self._value(probe, added, rows.stop)
            complete = rows.stop == self.rows
            unknown = np.full(len(value), np.nan)
            estimate = estimate_of(probe.cells, exact(value), unknown, (rows.stop, rows.stop))
            yield info.attribution(
                estimate, time.perf_counter() - started, flagged(value, ALL_ROWS) if complete else ""
            )

    def normalised(
        self, numbers: Float[Tensor, "c hp wp"], bands: tuple[Band, ...]
    ) -> Float[Tensor, "hp wp"]:
        """Absolute values of channel means, each band divided by its largest; a band of zeros stays 0."""
        shares, mean = torch.zeros_like(numbers[0]), numbers.mean(0).abs()
        for band in bands if self.approximation else bands[1:]:
            part = mean[band.slices]
            largest = part.max()
            shares[band.slices] = torch.where(largest > 0, part / largest, 0.0)
        return shares

    def _offset(self, probe: Probe, row: int) -> Float[Tensor, "c hp wp"]:
        """What is added to the image's coefficients before they are differentiated."""
        if self.mode == "smooth":
            return noisy(probe, NOISE, (self.seed, row))
        return probe.picture * (row / (self.rows - 1) - 1)

    def _share(self, row: int) -> float:
        """How much one gradient counts: the trapezoid halves the ends of the path."""
        return 0.5 if self.mode == "integrated" and row in (0, self.rows - 1) else 1.0

    def _value(self, probe: Probe, added: Float[Tensor, "hp wp"], done: int) -> Float[np.ndarray, " d"]:
        if self.mode == "smooth":
            return summed((added / done)[None], probe.cells)
        return summed((added * self.normalised(probe.picture, probe.cells.bands))[None], probe.cells)
