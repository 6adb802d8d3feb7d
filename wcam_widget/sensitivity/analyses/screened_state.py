"""What a screening run knows of every weight: derivatives of all, own rows of some, and both together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Int8

from wcam_widget.sensitivity.analyses.derivative import FORWARDS, Derivative, DerivativeState
from wcam_widget.sensitivity.estimate import Estimate, Kind
from wcam_widget.sensitivity.function import WeightFunction
from wcam_widget.sensitivity.sampling.exchanges import exchanges
from wcam_widget.sensitivity.statistics.calibration import Rows, calibrated
from wcam_widget.sensitivity.statistics.credibility import Credible, credible
from wcam_widget.sensitivity.statistics.exchange_sums import ExchangeSums
from wcam_widget.sensitivity.statistics.jackknife import (
    Replicated,
    pseudo_values,
    replicated,
    standard_error,
)
from wcam_widget.sensitivity.statistics.pair_sums import over

UNKNOWN = 1.0  # variance of the logarithm of a linear estimate of which there are no replicates
HALF = 0.5
FAINTEST = 1e-9  # of the largest linear estimate: a derivative of 0 says only that it is smaller


@dataclass(eq=False)
class ScreenedState:
    """The derivatives' state, sums over own rows, and which weights each step's rows exchanged.

    A step of derivatives exchanged none. ``follow`` are the steps to repeat where that is not to be decided
    anew; ``seconds`` is what the steps took; ``pooled`` is what was known after so many evaluations, which is
    needed several times a step.
    """

    derivative: DerivativeState
    own: ExchangeSums
    choices: list[Int[np.ndarray, "n m"]] = field(default_factory=list)
    follow: list[Int[np.ndarray, "n m"]] | None = None
    evaluations: int = 0
    seconds: float = field(default=0.0, compare=False)
    pooled: tuple[int, Pooled] | None = field(default=None, compare=False)

    @property
    def rows(self) -> int:
        """Rows of exchanges so far."""
        return sum(map(len, self.choices))

    @property
    def spent(self) -> int:
        """Forward-equivalents so far."""
        return self.evaluations + (FORWARDS - 1) * int(self.derivative.rows.sum())

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of weights and of groups."""
        return self.own.count.shape[1], self.derivative.groups.squares.shape[1]

    def screening_left(self, derivative: Derivative) -> int:
        """Forward-equivalents that the rest of the derivatives takes."""
        if derivative.finished(self.derivative):
            return 0
        screened = self.spent - (self.evaluations - self.derivative.evaluations)
        return derivative.planned(*self.sizes) - screened

    def bounded(self, derivative: Derivative) -> Estimate:
        """What is known without own rows: from derivatives, else from the totals of the groups."""
        screening = self.derivative
        if np.isnan(screening.squares).any():
            return replace(_bounded_by_groups(screening), evaluations=self.evaluations)
        return derivative.estimate(screening)

    def exchange(self, f: WeightFunction, seed: int, which: Int[np.ndarray, "n m"]) -> None:
        """Evaluate the next rows of the stream, which exchange the weights ``which``, and count them in."""
        drawn = exchanges([seed, self.derivative.stream, 2], self.rows, which, len(f.groups))
        scores = f(drawn.all_rows()).double().cpu().numpy().reshape(len(which), 1 + which.shape[1])
        for number, (plain, *changed) in enumerate(scores):
            # The part of the run with the fewest rows, among those that have derivatives.
            replicate = int(np.argmin(self.own.count[: self.derivative.begun].sum(1)))
            self.derivative.log.keep(np.array([plain]), replicate, together=False)
            steps = np.array(changed) - plain
            self.own.add(replicate, which[number], steps, drawn.changes[number], drawn.importance[number])
        self.evaluations += scores.size


@dataclass(frozen=True, eq=False)
class Pooled:
    """Total indices (d,) from linear estimates and own rows together.

    ``bounded`` is what derivatives prove. ``expected`` is what is expected of each weight without its own
    rows, ``factor`` times its linear estimate, ``noise`` its squared coefficient of variation, ``common``
    that of the variance all are shares of.
    """

    bounded: Estimate
    credible: Credible
    expected: Float[np.ndarray, " d"]
    noise: Float[np.ndarray, " d"]
    own: Rows
    common: float
    factor: Float[np.ndarray, " d"]
    slope: Float[np.ndarray, " d"]

    @property
    def guessed(self) -> Bool[np.ndarray, " d"]:
        """Weights of which neither derivatives nor enough own rows tell: an even share is all there is."""
        return np.asarray(~np.isfinite(self.bounded.error) & (self.credible.own <= HALF))

    def limits(self, certified: Bool[np.ndarray, " d"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values with the ends of their intervals; those ``certified`` or guessed between their bounds."""
        bounds = certified | self.guessed
        low, high = self.credible.limits
        inside = np.clip(self.credible.value, self.bounded.low, self.bounded.high)
        value = np.where(bounds, inside, np.minimum(self.credible.value, 1.0))
        low, high = np.where(bounds, self.bounded.low, low), np.where(bounds, self.bounded.high, high)
        return value, np.minimum(low, value), np.maximum(np.minimum(high, 1.0), value)

    def kinds(self, certified: Bool[np.ndarray, " d"], threshold: float) -> Int8[np.ndarray, " d"]:
        """How each weight is known."""
        low, high = self.credible.limits
        vague = self.guessed | ((high - low > 2 * self.credible.value) & (high >= threshold))
        known = np.where(self.credible.own > HALF, Kind.ESTIMATED, Kind.POOLED)
        return np.where(certified, Kind.BOUNDED, np.where(vague, Kind.UNRESOLVED, known)).astype(np.int8)


def pool(bounded: Estimate, state: ScreenedState) -> Pooled:
    """What derivatives and own rows tell together; at least one weight has rows."""
    linear, noise = _linear(bounded)
    variances = _variances(state)
    together, row_noise = state.own.of(np.arange(len(state.own.count))), state.own.row_noise()
    variance = variances.value[0]
    parts = state.own.count, state.own.squares / variance
    rows = Rows(together.count, together.mean / variance, row_noise, parts)
    calibration = calibrated(linear, noise, rows, state.derivative.groups.members)
    expected = calibration.scatter + calibration.noise + noise
    common = _common(variances)
    found = credible(linear * calibration.factor, expected, rows, common)
    return Pooled(
        bounded=bounded,
        credible=found,
        expected=linear * calibration.factor,
        noise=expected,
        own=rows,
        common=common,
        factor=calibration.factor,
        slope=np.where(found.own > HALF, together.slope, bounded.slope),
    )


def left_out(pooled: Pooled, state: ScreenedState) -> Float[np.ndarray, "r d"]:
    """The values without one replicate each, as far apart as the whole error of each weight has it.

    The calibration is kept, so that replicates alone would not show how sure it is.
    """
    parts, values = np.arange(len(state.own.count)), []
    known = bool(np.isfinite(pooled.bounded.left_out).all())  # of another score, derivatives are not
    for one, variance in enumerate(_variances(state).left_out[:, 0]):
        some = state.own.of(np.delete(parts, one))
        rows = Rows(some.count, some.mean / variance, pooled.own.noise)
        expected = pooled.expected
        if known:
            expected = np.maximum(pooled.bounded.left_out[one], np.finfo(float).tiny) * pooled.factor
        values.append(credible(expected, pooled.noise, rows).value)
    if len(values) < 2:
        return np.zeros((0, len(pooled.expected)))
    replicates, value = np.array(values), pooled.credible.value
    shown = standard_error(pseudo_values(value, replicates))
    return np.asarray(value + (replicates - value) * over(pooled.credible.error, shown))


def _variances(state: ScreenedState) -> Replicated:
    """The score's variance, (1,), from all replicates and without each."""
    log = state.derivative.log
    return replicated(lambda kept: np.array([log.variance(kept)]), state.derivative.begun)


def _common(variances: Replicated) -> float:
    """Squared coefficient of variation of the score's variance."""
    if len(variances.left_out) < 2:
        return UNKNOWN
    return float(standard_error(variances.logarithms())[0] ** 2)


def _linear(bounded: Estimate) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """Positive linear estimates and the variances of their logarithms, apart from what all have in common."""
    least = max(float(bounded.value.max()) * FAINTEST, np.finfo(float).tiny)
    value = np.maximum(bounded.value, least)
    if len(bounded.left_out) < 2 or not np.isfinite(bounded.left_out).all():
        return value, np.full(len(value), UNKNOWN)
    logarithms = np.log(np.maximum(bounded.left_out, least))
    apart = logarithms - np.average(logarithms, axis=1, weights=value)[:, None]
    own = standard_error(pseudo_values(apart.mean(0), apart)) ** 2
    # Sixteen parts show little of the tails of one weight: half of it is what all weights have.
    noise = (own + np.average(own, weights=value)) / 2
    return value, np.where(bounded.value > least, noise, UNKNOWN)


def _bounded_by_groups(screening: DerivativeState) -> Estimate:
    """What walks and exchanges of groups tell of their members: a total is at most that of its group.

    For scores of which there are no derivatives. An even share of the group's total stands for the value.
    """
    nothing, members, log = np.zeros(screening.squares.shape[1]), screening.groups.members, screening.log
    if log.constant():
        return Estimate.of_constant(len(nothing), screening.groups.squares.shape[1], screening.evaluations)
    groups = screening.groups.indices(log.variance, log.mean(), nothing, np.ones_like(nothing))
    return replace(
        Estimate.exact(groups.total[members] / np.bincount(members)[members], groups, screening.evaluations),
        low=nothing,
        high=groups.high[members],
        kind=np.full(len(nothing), Kind.UNRESOLVED, np.int8),
        error=np.full(len(nothing), np.nan),
        left_out=np.full((len(groups.left_out), len(nothing)), np.nan),
        variance=log.variance(np.arange(len(screening.squares))),
    )
