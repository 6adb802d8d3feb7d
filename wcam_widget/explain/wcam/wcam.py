"""Wavelet scale attribution: which cells of wavelet coefficients a decision rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from typing_extensions import override

from wcam_widget.explain.attribution import NO_TRACE, Attribution
from wcam_widget.explain.wcam.published import PublishedWcam
from wcam_widget.explain.wcam.scale_method import AbstractScaleMethod
from wcam_widget.explain.wcam.spun import SpunWcam
from wcam_widget.perturb.baseline import Baseline
from wcam_widget.perturb.space import BasisMaker, CellsMaker, Space
from wcam_widget.sensitivity import AbstractAnalysis


@dataclass(frozen=True, eq=False)
class Wcam(AbstractScaleMethod):
    """Wavelet scale attribution (WCAM): the share of a score's variance each cell of coefficients causes.

    Cells carry independent weights, uniform on [0, 1]; values are total indices. ``method`` of the result
    says what was chosen where an argument is None.

    Args:
        analysis: ``Screened``, ``Derivative``, ``Refined``, ``Sobol`` or ``Hsic``; None for ``Screened``
            where the model has gradients, else ``Sobol``.
        wavelet: A discrete wavelet of PyWavelets, "pixels" or "fourier" for the same there, or a function
            from an image's (height, width) to a basis.
        levels: Scales of the wavelet, at least 1; None for 3, or as many as fit the image.
        grid: Cells per side in every band, at least 1, so that a cell covers the same part of the image at
            every scale, or a function from a basis to its cells; None for 8, or as many as fit.
        baseline: What the approximation is replaced by: "mean", "black", "blurred", or an image (C, H, W) in
            [0, 1]. Details go to 0.
        clip: Whether perturbed images are clamped to [0, 1].

    Raises:
        ValueError: When called, naming the argument that does not fit the image or the model.
        ModelError: When called, where the model fails.

    References:
        Kasmi et al. (2023), "Assessment of the Reliability of a Model's Decision by Generalizing Attribution
        to the Wavelet Domain", with a mask law and estimators of our own; Sobol' (1993), "Sensitivity
        estimates for nonlinear mathematical models".

    Examples:
        >>> import torch
        >>> from wcam_widget import Sobol
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
        """The published code's conventions, for comparison.

        Args:
            grid: As for ``PublishedWcam``, at least 1 or None.
            rows: As there, at least 2.
            levels: As there, at least 1 or None.
            approximation: As there.
            seed: As there.
        """
        return PublishedWcam(grid, rows, levels, approximation, seed)

    def spun(self, spins: int = 4) -> SpunWcam:
        """This method averaged over shifts of the tiles.

        Args:
            spins: Shifts, at least 2.
        """
        return SpunWcam(self, spins)

    @property
    @override
    def space(self) -> Space:
        """Where the cells lie."""
        return Space(self.wavelet, self.levels, self.grid, self.baseline, self.clip)

    def resume(self, attribution: Attribution) -> Iterator[Attribution]:
        """Go on where a run ended or was interrupted, with this method's analysis; its scores are reused.

        Args:
            attribution: Of this method; it stays what it is. The analysis of its run is this method's, but
                for rows, budget or tolerance.

        Yields:
            A map after each further block of rows; the last one is complete.

        Raises:
            ValueError: Where its run was not kept, or where this analysis cannot go on from it.

        Examples:
            >>> import torch
            >>> from wcam_widget import Sobol
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
        yield from self.attributions(run.branch(analysis))

    def further(self, attribution: Attribution) -> Wcam | None:
        """This method as ``resume`` goes on with it; None where more would tell nothing new.

        After a run that ended it has about twice the rows or the budget; a run that was cut is only finished.

        Args:
            attribution: Of this method.

        Examples:
            >>> import torch
            >>> from wcam_widget import Sobol
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

    def focused(self, attribution: Attribution, cells: Sequence[int]) -> Wcam | None:
        """This method as ``resume`` goes on with it where more is to be known of some cells alone.

        It has about as many rows of these again as they had, and at most doubles what the run has cost.

        Args:
            attribution: Of this method.
            cells: Their ids, ascending, at least one.

        Returns:
            The method; None where that tells nothing new, or where all rows are of all cells.

        Raises:
            ValueError: Where there is no such cell.

        Examples:
            >>> import torch
            >>> from wcam_widget import Screened
            >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))
            >>> wcam = Wcam(Screened(rows=8, gradient_rows=4), levels=1, grid=2)
            >>> *_, first = wcam.steps(model, torch.rand(3, 8, 8), 0)
            >>> *_, second = wcam.focused(first, [0, 1]).resume(first)
            >>> second.stop.startswith("all rows are done: ")
            True
        """
        if len(attribution.traces) != 1:
            return None
        run = attribution.traces[0].run
        analysis = run.analysis.focused(run.state, tuple(cells))
        return None if analysis is None else replace(self, analysis=analysis)

    def planned(self, attribution: Attribution) -> int:
        """Forward-equivalents of an entire run on the same cells, at most.

        Args:
            attribution: Of this method, with its run.
        """
        cells, run = attribution.cells, attribution.traces[0].run
        rows = self.analysis_for(run.probe.model).planned(len(cells), len(cells.bands))
        return rows + run.steadiness.planned
