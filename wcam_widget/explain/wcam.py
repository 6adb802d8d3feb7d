"""Wavelet scale attribution: which cells of wavelet coefficients a decision rests on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wcam_widget.basis import Cells, PixelBasis, WaveletBasis
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.baseline import Baseline
from wcam_widget.explain.method import AbstractMethod, Pixels, ensure_model
from wcam_widget.explain.perturbation import Perturbation
from wcam_widget.explain.probe import Probe
from wcam_widget.explain.published import PublishedWcam
from wcam_widget.model import BlackBox, ensure_image, ensure_target
from wcam_widget.sensitivity import AbstractAnalysis, Derivative, Estimate, Sobol

CONSTANT = (
    "the score did not change under any perturbation, so no cell matters to it: try another target, or check "
    "that the model reads the image"
)


@dataclass(frozen=True, eq=False)
class Wcam(AbstractMethod):
    """Wavelet scale attribution (WCAM): the share of a score's variance each cell of coefficients causes.

    analysis: ``Sobol``, ``Derivative`` or None: derivatives where the model has gradients, else Sobol.
    wavelet: a discrete wavelet of PyWavelets, or "pixels" to ask the same in pixels. levels: scales, coarse
    to fine. grid: cells per side in every band, so that a cell covers the same part of the image at every
    scale. baseline: what the approximation is replaced by, "mean", "black", "blurred" or an image; details go
    to 0. clip: clamp perturbed images to [0, 1].

    Cells carry independent weights, uniform on [0, 1]; values are total indices. Raises ValueError naming the
    argument for what does not fit the image. Source: Kasmi et al. (2023), "Assessment of the Reliability of a
    Model's Decision by Generalizing Attribution to the Wavelet Domain", with our own mask law and estimators.

    >>> import torch
    >>> wcam = Wcam(Sobol(rows=4), levels=2, grid=2)
    >>> (attribution,) = wcam(lambda images: images.mean((2, 3)), torch.rand(1, 3, 16, 16))
    >>> attribution.values.shape, attribution.complete
    ((28,), True)
    """

    analysis: AbstractAnalysis[Any] | None = None
    wavelet: str = "haar"
    levels: int = 3
    grid: int = 8
    baseline: Baseline = "mean"
    clip: bool = False

    @staticmethod
    def as_published(
        grid: int = 28, rows: int = 8, levels: int = 3, approximation: bool = True, seed: int = 42
    ) -> PublishedWcam:
        """The published code's conventions, for comparison: see ``PublishedWcam``."""
        return PublishedWcam(grid, rows, levels, approximation, seed)

    def probe(self, model: Any, image: Pixels, target: Any = None) -> Probe:
        """The score of one image as a function of its cells' weights, on the model's device."""
        network = ensure_model(model)
        asked = ensure_image(image, "image")
        size = (asked.shape[1], asked.shape[2])
        basis = (
            PixelBasis(size) if self.wavelet == "pixels" else WaveletBasis(size, self.wavelet, self.levels)
        )
        cells = Cells.regular(basis, self.grid)
        logits = network.logits(asked[None])
        resolved = ensure_target(target, logits[0], network.class_names)
        perturbation = Perturbation.of(asked.to(network.device), basis, cells, self.baseline, self.clip)
        return Probe(network, resolved, perturbation, float(resolved(logits)[0]))

    def steps(self, model: Any, image: Pixels, target: Any = None, stream: int = 0) -> Iterator[Attribution]:
        """Attributions of one image after each block of rows, the last one complete."""
        network = ensure_model(model)
        probe = self.probe(network, image, target)
        analysis = self.analysis_for(network)
        started = time.perf_counter()
        state = analysis.init(probe, stream)
        while not analysis.finished(state):
            state = analysis.step(probe, state)
            estimate, complete = analysis.estimate(state), analysis.finished(state)
            yield Attribution(
                estimate=estimate,
                cells=probe.cells,
                basis=probe.basis,
                method=self.describe(analysis),
                target=probe.target.label(network.class_names),
                score=probe.score,
                planned=analysis.planned(len(probe.cells), len(probe.cells.bands)),
                seconds=time.perf_counter() - started,
                complete=complete,
                stop=self._reason(estimate) if complete else "",
            )

    def analysis_for(self, model: BlackBox) -> AbstractAnalysis[Any]:
        """The analysis asked for, or the one that fits the model; ValueError where gradients are missing."""
        if self.analysis is None:
            return Derivative() if model.differentiable else Sobol()
        if self.analysis.gradients_needed and not model.differentiable:
            raise ValueError(
                f"analysis={self.analysis!r} needs gradients, which a plain callable does not give; "
                "use Sobol(), or give the torch module itself"
            )
        return self.analysis

    def describe(self, analysis: AbstractAnalysis[Any]) -> str:
        """The method in words, as shown above its pictures."""
        name = type(analysis).__name__
        where = "pixels" if self.wavelet == "pixels" else f"{self.wavelet}, {self.levels} levels"
        return f"Wcam · {name} · {where}, {self.grid}x{self.grid} cells per band"

    @staticmethod
    def _reason(estimate: Estimate) -> str:
        return CONSTANT if estimate.constant else "all planned rows are done"
