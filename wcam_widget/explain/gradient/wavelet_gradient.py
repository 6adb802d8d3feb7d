"""Gradients in the wavelet domain: what single coefficients, or cells of them, do to a score."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import torch
from typing_extensions import override

from wcam_widget.basis import Cells
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.cell_sums import STATISTIC
from wcam_widget.explain.gradient.modes import AbstractGradientMode, Integrated, Product, Saliency, Smooth
from wcam_widget.explain.gradient.published import PublishedWaveletGradient
from wcam_widget.explain.map_info import MapInfo
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike
from wcam_widget.perturb.baseline import Baseline
from wcam_widget.perturb.space import BasisMaker, CellsMaker, Space, coefficients

MODES: dict[str, AbstractGradientMode] = {
    "saliency": Saliency(),
    "product": Product(),
    "smooth": Smooth(),
    "integrated": Integrated(),
}


@final
@dataclass(frozen=True, eq=False)
class WaveletGradient(AbstractMethod):
    """Gradients of a score by wavelet coefficients, per coefficient or summed over cells.

    Values of "product" and "integrated" are signed and in the unit of the score, positive where the cell
    raises it; those of "integrated" add up to the score less that of the baseline. The others are at least 0.
    Channels and the coefficients of a cell are added up. The slope of every cell is its signed effect, in all
    modes. The profile holds the sums over bands.

    Args:
        mode: "integrated", "product", "smooth" or "saliency", or a mode with parameters of its own:
            ``Integrated(rows)``, ``Product()``, ``Smooth(rows, noise, seed)``, ``Saliency()``.
        wavelet: A discrete wavelet of PyWavelets, "pixels", "fourier", or a function from an image's
            (height, width) to a basis.
        levels: Scales of the wavelet, at least 1; None for 3, or as many as fit the image.
        grid: None for a value of every coefficient; else cells per side in every band, at least 1, or a
            function from a basis to its cells.
        baseline: What the approximation is compared with: "mean", "black", "blurred", or an image (C, H, W)
            in [0, 1]. Details are compared with 0.

    Raises:
        ValueError: Naming the argument for what does not fit.
        ModelError: When called, where the model has no gradients; a torch module has.

    References:
        Those of the modes, in ``wcam_widget.explain.gradient.modes``; in the wavelet domain Kasmi et al.
        (2024), "One wave to explain them all".

    Examples:
        >>> from torch import nn
        >>> net, image = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2)), torch.rand(3, 8, 8)
        >>> (attribution,) = WaveletGradient("integrated", levels=2)(net, image[None], [1])
        >>> attribution.values.shape, attribution.gradients
        ((64,), 32)
        >>> change = WaveletGradient(levels=2).change(net, image, 1)
        >>> bool(abs(attribution.values.sum() - change) < 1e-5)
        True
    """

    mode: str | AbstractGradientMode = "integrated"
    wavelet: str | BasisMaker = "haar"
    levels: int | None = None
    grid: int | CellsMaker | None = None
    baseline: Baseline = "mean"

    def __post_init__(self) -> None:
        if not isinstance(self.mode, AbstractGradientMode) and self.mode not in MODES:
            raise ValueError(
                f"mode={self.mode!r} is unknown; {', '.join(MODES)}, Saliency(), Product(), Smooth(…) and "
                "Integrated(…) are accepted"
            )

    @property
    @override
    def space(self) -> Space:
        """Where the cells lie: single coefficients, unless ``grid`` is given."""
        grid = coefficients if self.grid is None else self.grid
        return Space(self.wavelet, self.levels, grid, self.baseline)

    @staticmethod
    def as_published(
        mode: str = "smooth",
        rows: int = 25,
        levels: int | None = None,
        approximation: bool = False,
        seed: int = 42,
    ) -> PublishedWaveletGradient:
        """The conventions of WAM's published code, for comparison.

        Args:
            mode: As for ``PublishedWaveletGradient``.
            rows: As there, at least 2.
            levels: As there, at least 1 or None.
            approximation: As there.
            seed: As there, at least 0.
        """
        return PublishedWaveletGradient(mode, rows, levels, approximation, seed)

    def change(self, model: ModelLike, image: ImageLike, target: TargetLike = None) -> float:
        """The score of an image less that of its baseline: what the values of "integrated" add up to.

        Args:
            model: A ``BlackBox``, a torch module or a callable.
            image: (C, H, W) in [0, 1], a path, or an image of PIL.
            target: A class id, a class name or a target; None for the top class.
        """
        probe = self.probe(model, image, target)
        return probe.score - float(probe(torch.zeros(1, len(probe.cells)))[0])

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # Attributions of one image after each block of 8 gradients, the last one complete.
        started = time.perf_counter()
        probe, mode = self.probe(BlackBox.ensure(model), image, target), self._mode
        unit = probe.target.unit if mode.signed else f"{probe.target.unit} per unit of coefficient"
        info = MapInfo.from_probe(probe, self.describe(probe.cells), mode.planned, unit, STATISTIC)
        for answer in mode.run(probe, stream):
            complete = answer.estimate.evaluations + 2 * answer.estimate.gradients >= mode.planned
            yield info.attribution(
                answer.estimate, time.perf_counter() - started, answer.remark if complete else ""
            )

    def describe(self, cells: Cells) -> str:
        """The method in words, as shown above its pictures.

        Args:
            cells: The cells of the image.
        """
        name = type(self._mode).__name__.lower()
        parts = "every coefficient" if self.grid is None else f"{len(cells)} cells"
        return f"WaveletGradient · {name} · {self.space.basis_words(cells)}, {parts}"

    @property
    def _mode(self) -> AbstractGradientMode:
        return self.mode if isinstance(self.mode, AbstractGradientMode) else MODES[self.mode]
