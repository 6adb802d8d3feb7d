"""Wavelet scale attribution: which cells of wavelet coefficients a decision rests on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.explain.attribution import NO_TRACE, Attribution
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.explain.run import Run
from wcam_widget.explain.wcam.published import PublishedWcam
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike
from wcam_widget.perturb.baseline import Baseline
from wcam_widget.perturb.space import BasisMaker, CellsMaker, Space
from wcam_widget.sensitivity import AbstractAnalysis, Screened, Sobol

if TYPE_CHECKING:
    from wcam_widget.explain.wcam.spun import SpunWcam


@dataclass(frozen=True, eq=False)
class Wcam(AbstractMethod):
    """Wavelet scale attribution (WCAM): the share of a score's variance each cell of coefficients causes.

    analysis: ``Screened``, ``Derivative``, ``Refined``, ``Sobol``, ``Hsic`` or None: ``Screened`` where the
    model has gradients, else ``Sobol``. wavelet: a discrete wavelet of PyWavelets, "pixels" or "fourier" to
    ask the same there, or a function from an image's (height, width) to a basis. levels: scales, coarse to
    fine; None for 3, or as many as fit the image. grid: cells per side in every band, so that a cell covers
    the same part of the image at every scale, or a function from a basis to its cells; None for 8, or as many
    as fit. ``method`` of the result says what was chosen. baseline: what the approximation is replaced by,
    "mean", "black", "blurred" or an image; details go to 0. clip: clamp perturbed images to [0, 1].

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
    wavelet: str | BasisMaker = "haar"
    levels: int | None = None
    grid: int | CellsMaker | None = None
    baseline: Baseline = "mean"
    clip: bool = False

    @staticmethod
    def as_published(
        grid: int | None = None,
        rows: int = 8,
        levels: int | None = None,
        approximation: bool = True,
        seed: int = 42,
    ) -> PublishedWcam:
        """The published code's conventions, for comparison: see ``PublishedWcam``."""
        return PublishedWcam(grid, rows, levels, approximation, seed)

    def spun(self, spins: int = 4) -> SpunWcam:
        """This method averaged over ``spins`` shifts of the tiles: see ``SpunWcam``."""
        from wcam_widget.explain.wcam.spun import SpunWcam  # noqa: PLC0415 each needs the other

        return SpunWcam(self, spins)

    @property
    @override
    def space(self) -> Space:
        """Where the cells lie."""
        return Space(self.wavelet, self.levels, self.grid, self.baseline, self.clip)

    def basis(self, size: tuple[int, int]) -> AbstractBasis:
        """The basis of images of one size (height, width)."""
        return self.space.basis(size)

    def cells(self, basis: AbstractBasis) -> Cells:
        """The cells of a basis."""
        return self.space.cells(basis)

    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        """Attributions of one image after each block of rows, the last one complete."""
        network = BlackBox.ensure(model)
        probe = self.probe(network, image, target)
        yield from self._run(Run.begin(probe, self.analysis_for(network), stream))

    def resume(self, attribution: Attribution) -> Iterator[Attribution]:
        """Go on where a run ended or was interrupted, with this method's analysis; old scores are reused.

        The analysis is the one of the run, or the same with more rows, a larger budget or another tolerance.
        ``attribution`` keeps what it is. Raises ValueError where its run was not kept, or where this analysis
        cannot go on from it.

        >>> import torch
        >>> model, image = lambda images: images.mean((2, 3)), torch.rand(3, 8, 8)
        >>> *_, first = Wcam(Sobol(rows=4), levels=1, grid=2).steps(model, image)
        >>> *_, second = Wcam(Sobol(rows=8), levels=1, grid=2).resume(first)
        >>> first.evaluations, second.evaluations
        (116, 229)
        """
        if len(attribution.traces) != 1:
            raise ValueError(f"attribution has no single run to resume: {NO_TRACE}")
        run = attribution.traces[0].run
        analysis = self.analysis_for(run.probe.model)
        if not analysis.continues(run.analysis):
            raise ValueError(
                f"analysis={analysis!r} cannot go on from {run.analysis!r}: all but rows, budget and "
                "tolerances must be the same"
            )
        yield from self._run(run.branch(analysis))

    def further(self, attribution: Attribution) -> Wcam | None:
        """This method as ``resume`` goes on with it; None where more would tell nothing new.

        After a run that ended it has about twice the rows or the budget; a run that was cut is only finished.

        >>> import torch
        >>> model, image = lambda images: images.mean((2, 3)), torch.rand(3, 8, 8)
        >>> wcam = Wcam(Sobol(rows=4), levels=1, grid=2)
        >>> *_, attribution = wcam.steps(model, image)
        >>> wcam.further(attribution).analysis.rows
        8
        """
        if len(attribution.traces) != 1:
            return None
        run = attribution.traces[0].run
        analysis = run.analysis.deeper(run.state) if run.finished else run.analysis
        return None if analysis is None else replace(self, analysis=analysis)

    def planned(self, attribution: Attribution) -> int:
        """Forward-equivalents of an entire run on the cells of ``attribution``, at most."""
        cells, run = attribution.cells, attribution.traces[0].run
        rows = self.analysis_for(run.probe.model).planned(len(cells), len(cells.bands))
        return rows + run.steadiness.planned

    def analysis_for(self, model: BlackBox) -> AbstractAnalysis[Any]:
        """The analysis, or the one that fits the model where it is None; ValueError without gradients."""
        if self.analysis is None:
            return Screened() if model.differentiable else Sobol()
        if self.analysis.gradients_needed and not model.differentiable:
            raise ValueError(
                f"analysis={self.analysis!r} needs gradients, which plain callables and quantised networks "
                "do not give; use Sobol() or Refined(), or give the torch module itself"
            )
        return self.analysis

    def describe(self, analysis: AbstractAnalysis[Any], cells: Cells) -> str:
        """The method in words, as shown above its pictures."""
        return f"Wcam · {type(analysis).__name__} · {self.space.words(cells)}"

    def _run(self, run: Run) -> Iterator[Attribution]:
        analysis, probe = run.analysis, run.probe
        planned = analysis.planned(len(probe.cells), len(probe.cells.bands)) + run.steadiness.planned
        finished = run.finished
        try:
            while not finished:
                started = time.perf_counter()
                run.steadiness.begin()
                run.step()
                finished = run.finished
                if finished:
                    run.steadiness.end()
                estimate = run.estimate()
                run.seconds += time.perf_counter() - started
                yield Attribution(
                    estimate=estimate,
                    cells=probe.cells,
                    basis=probe.basis,
                    method=self.describe(analysis, probe.cells),
                    target=probe.target.label(probe.model.class_names),
                    score=probe.score,
                    planned=planned,
                    seconds=run.seconds,
                    complete=finished,
                    stop=run.reason if finished else "",
                    unit=analysis.unit,
                    statistic=analysis.statistic,
                    traces=(run.checkpoint(),),
                )
        finally:
            # An attribution outlives its run by long; its patches need not.
            probe.perturbation.forget()
