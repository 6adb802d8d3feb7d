"""Cycle spinning: maps averaged over where the tiles of a wavelet begin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from typing_extensions import override

from wcam_widget.basis import AbstractBasis
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.explain.wcam.scale_method import AbstractScaleMethod
from wcam_widget.model import BlackBox, ImageLike, ModelLike, TargetLike, ensure_image
from wcam_widget.perturb.space import BasisMaker, Space
from wcam_widget.perturb.steadiness import unresolved
from wcam_widget.sensitivity.statistics.average import averaged


@dataclass(frozen=True, eq=False)
class SpunWcam(AbstractMethod):
    """The mean of a ``Wcam`` over shifted tiles; make it by ``Wcam(…).spun(…)``.

    Cells cover the same part of the image at every shift, so values are averaged cell by cell, and the map no
    longer depends on where tiles happen to begin.

    Args:
        wcam: The method that is averaged.
        spins: Shifts, at least 2, spread over one tile of the coarsest band; each is a run of its own, with
            rows of its own.

    Raises:
        ValueError: Naming ``spins`` where it is not valid; when called, as ``wcam`` does.

    References:
        Coifman and Donoho (1995), "Translation-invariant de-noising".

    Examples:
        >>> import torch
        >>> from wcam_widget import Sobol, Wcam
        >>> method = Wcam(Sobol(rows=2), levels=1, grid=2).spun(2)
        >>> (attribution,) = method(lambda images: images.mean((2, 3)), torch.rand(1, 3, 8, 8))
        >>> attribution.method
        'Wcam · Sobol · haar, 1 levels, 2x2 cells per band · mean of 2 shifts'
    """

    wcam: AbstractScaleMethod
    spins: int = 4

    def __post_init__(self) -> None:
        if int(self.spins) != self.spins or self.spins < 2:
            raise ValueError(f"spins={self.spins!r} must be a number of shifts, at least 2")

    @property
    @override
    def space(self) -> Space:
        """Where the cells lie without a shift."""
        return self.wcam.space

    def shifts(self, tile: int) -> list[tuple[int, int]]:
        """Shifts (down, right) in pixels, as even as a lattice can be; the first is (0, 0).

        Args:
            tile: Side of the coarsest tiles in pixels.

        >>> from wcam_widget import Wcam
        >>> Wcam().spun(4).shifts(8)
        [(0, 0), (2, 5), (4, 2), (6, 7)]
        """
        # Multiples of the golden ratio fill an interval evenly whatever their number.
        columns = [int(tile * ((number * 0.6180339887) % 1) + 0.5) % tile for number in range(self.spins)]
        return [(tile * number // self.spins, column) for number, column in enumerate(columns)]

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # Attributions of one image: those of the first shift as they grow, then means of complete runs.
        network = BlackBox.ensure(model)
        pixels = ensure_image(image, "image", network.fit)
        basis = self.wcam.basis((pixels.shape[1], pixels.shape[2]))
        tile = max(band.scale for band in basis.bands)
        bases = [basis.shifted(*shift) for shift in self.shifts(tile)]
        done: list[Attribution] = []
        for number, shifted in enumerate(bases):
            space, now = replace(self.space, wavelet=always(shifted)), None
            for now in self.wcam.steps_in(space, network, pixels, target, stream * self.spins + number):
                yield self._joined(done, now)
            if now is not None:
                done.append(now)

    def _joined(self, done: list[Attribution], now: Attribution) -> Attribution:
        """The mean of the complete runs; of the first, what there is so far."""
        ended = [*done, now] if now.complete or not done else done
        estimate = averaged([one.estimate for one in ended])
        running = [] if now in ended else [now]
        first, last = ended[0], len(done) == self.spins - 1
        analysis = now.traces[0].analysis
        cells = self.wcam.cells(self.wcam.basis(first.basis.size))
        traces = [trace for one in ended for trace in one.traces]
        unsteady = next(filter(None, (trace.unsteady for trace in traces)), "")
        if unsteady:
            estimate = unresolved(estimate)
        return replace(
            first,
            estimate=replace(
                estimate,
                evaluations=estimate.evaluations + sum(one.evaluations for one in running),
                gradients=estimate.gradients + sum(one.gradients for one in running),
            ),
            method=f"{self.wcam.describe(analysis, cells)} · mean of {self.spins} shifts",
            planned=first.planned * self.spins,
            seconds=sum(one.seconds for one in [*ended, *running]),
            engine=now.engine,
            complete=now.complete and last,
            stop=(unsteady or now.stop) if now.complete and last else "",
            traces=tuple(traces),
        )


def always(basis: AbstractBasis) -> BasisMaker:
    """A function that gives this basis for every size."""
    return lambda _: basis
