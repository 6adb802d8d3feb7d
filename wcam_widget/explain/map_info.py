"""What all maps of one run have in common, from which each of them becomes an attribution."""

from __future__ import annotations

from dataclasses import dataclass

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.explain.attribution import Attribution
from wcam_widget.model import BlackBox
from wcam_widget.perturb.probe import Probe
from wcam_widget.sensitivity import Estimate
from wcam_widget.sensitivity.analysis import GROUP_STATISTIC, UNIT

ALL_ZERO = "the map is zero everywhere"


@dataclass(frozen=True, eq=False, kw_only=True)
class MapInfo:
    """Where the numbers of a run lie, what they are of, and what the run is to cost.

    Args:
        cells: Where the numbers are.
        basis: The basis of the cells.
        method: The method and its settings in words.
        target: The score that is explained, in words.
        score: The score of the image itself.
        planned: Forward-equivalents of the entire run; a backward pass counts as two.
        unit: What a value is.
        statistic: What the number of a band is.
        model: The network, whose engine is noted; None where all passes look inside, which torch alone runs.
    """

    cells: Cells
    basis: AbstractBasis
    method: str
    target: str
    score: float
    planned: int
    unit: str = UNIT
    statistic: str = GROUP_STATISTIC
    model: BlackBox | None = None

    @classmethod
    def from_probe(
        cls, probe: Probe, method: str, planned: int, unit: str = UNIT, statistic: str = GROUP_STATISTIC
    ) -> MapInfo:
        """The cells, target and score of a probe, with a run of ``planned`` forward-equivalents."""
        return cls(
            cells=probe.cells,
            basis=probe.basis,
            method=method,
            target=probe.target.label(probe.model.class_names),
            score=probe.score,
            planned=planned,
            unit=unit,
            statistic=statistic,
            model=probe.model,
        )

    def attribution(self, estimate: Estimate, seconds: float, stop: str) -> Attribution:
        """The attribution of an estimate after some seconds; complete where ``stop`` says why it ended."""
        about = {name: value for name, value in vars(self).items() if name != "model"}
        about |= {"seconds": seconds, "complete": bool(stop), "stop": stop, "engine": self._engine(estimate)}
        return Attribution(**about, estimate=estimate)

    def _engine(self, estimate: Estimate) -> str:
        """What ran most passes, unless it was the network itself; and the gradients, where there are some."""
        if self.model is None:
            return ""
        engine = self.model.engine
        if 2 * estimate.gradients >= estimate.evaluations:
            return engine.gradients
        named = engine.phrase if estimate.gradients else engine.label
        return "" if engine.is_plain else named
