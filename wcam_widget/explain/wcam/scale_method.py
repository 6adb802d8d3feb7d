"""Scale attribution by perturbation: an analysis of the weights of a space's cells."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from typing_extensions import override

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.map_info import MapInfo
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.explain.run import Run
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike
from wcam_widget.perturb.space import Space
from wcam_widget.sensitivity import AbstractAnalysis, Screened, Sobol


class AbstractScaleMethod(AbstractMethod):
    """An ``analysis``, or None for the one that fits the model, of the weights of a space's cells."""

    analysis: AbstractAnalysis[Any] | None

    @property
    @override
    @abstractmethod
    def space(self) -> Space:
        """Where the cells lie."""

    def basis(self, size: tuple[int, int]) -> AbstractBasis:
        """The basis of images of one size.

        Args:
            size: Height and width in pixels.
        """
        return self.space.basis(size)

    def cells(self, basis: AbstractBasis) -> Cells:
        """The cells of a basis.

        Args:
            basis: As ``basis`` makes it, or shifted.
        """
        return self.space.cells(basis)

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # A map after each block of rows.
        yield from self.steps_in(self.space, BlackBox.ensure(model), image, target, stream)

    def steps_in(
        self, space: Space, model: BlackBox, image: ImageLike, target: TargetLike, stream: int
    ) -> Iterator[Attribution]:
        """What ``steps`` gives, on the cells of another space.

        Args:
            space: Where the cells lie.
            model: The model.
            image: As for ``steps``.
            target: As for ``steps``.
            stream: As for ``steps``.

        Yields:
            A map after each block of rows; the last one is complete.
        """
        run = Run.begin(space.probe(model, image, target), self.analysis_for(model), stream)
        yield from self.attributions(run)

    def analysis_for(self, model: BlackBox) -> AbstractAnalysis[Any]:
        """The analysis, or the one that fits the model where it is None.

        Args:
            model: The model that is explained.

        Raises:
            ValueError: Where the analysis needs gradients and the model has none.
        """
        if self.analysis is None:
            return Screened() if model.differentiable else Sobol()
        if self.analysis.gradients_needed and not model.differentiable:
            raise ValueError(
                f"analysis={self.analysis!r} needs gradients, which plain callables and quantised networks "
                "do not give; use Sobol() or Refined(), or give the torch module itself"
            )
        return self.analysis

    def describe(self, analysis: AbstractAnalysis[Any], cells: Cells) -> str:
        """The method in words, as shown above its pictures.

        Args:
            analysis: The analysis of the run.
            cells: The cells of the image.
        """
        return f"Wcam · {type(analysis).__name__} · {self.space.words(cells)}"

    def attributions(self, run: Run) -> Iterator[Attribution]:
        """A map after each step of a run, the last one complete.

        Args:
            run: A run that has begun; it goes on from where it is.
        """
        analysis, probe = run.analysis, run.probe
        planned = analysis.planned(len(probe.cells), len(probe.cells.bands)) + run.steadiness.planned
        words = self.describe(analysis, probe.cells)
        info = MapInfo.from_probe(probe, words, planned, analysis.unit, analysis.statistic)
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
                attribution = info.attribution(estimate, run.seconds, run.reason if finished else "")
                yield replace(attribution, traces=(run.checkpoint(),))
        finally:
            # An attribution outlives its run by long; its patches need not.
            probe.perturbation.forget()
