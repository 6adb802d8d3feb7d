"""How sure an estimate is, from independent replicates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import special

from wcam_widget.sensitivity.statistics.bootstrap import FEWEST_REPLICATES, ensure_resamples, symmetric_reach

CONFIDENCE = 0.95
Limits = tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]


@dataclass(frozen=True, eq=False)
class Replicated:
    """A statistic of ``r`` independent replicates: its value from all, and without each of them in turn.

    ``value`` is (d,); ``left_out`` is (r, d), with no rows where nothing is known of the spread: then errors
    and intervals are infinite. Intervals take both arrays as finite.

    >>> x = np.array([[1.0], [2.0], [4.0], [5.0]])
    >>> mean = replicated(lambda kept: x[kept].mean(0), 4)
    >>> bool(np.isclose(mean.error[0], x.std(ddof=1) / 2))
    True
    """

    value: Float[np.ndarray, " d"]
    left_out: Float[np.ndarray, "r d"]

    @property
    def error(self) -> Float[np.ndarray, " d"]:
        """Jackknife standard errors (Tukey 1958); they carry the uncertainty of a ratio's denominator."""
        return standard_error(pseudo_values(self.value, self.left_out))

    def symmetric_interval(self, confidence: float = CONFIDENCE) -> Limits:
        """Student limits of quantities of any sign, ``confidence`` for each.

        Degrees of freedom are those of ``degrees_of_freedom``.
        """
        ensure_confidence(confidence)
        pseudo = pseudo_values(self.value, self.left_out)
        if len(pseudo) < 2:
            return np.full_like(self.value, -np.inf), np.full_like(self.value, np.inf)
        reach = _student_reach(pseudo, confidence) * standard_error(pseudo)
        return self.value - reach, self.value + reach

    def interval(self, confidence: float = CONFIDENCE) -> Limits:
        """Student limits of quantities that cannot be negative, ``confidence`` for each.

        On a log scale, since shares of a variance are skewed to the right, and their standard error rises
        and falls with them: with 16 rows a symmetric interval of nominally 95 % covers the total index of
        the g-function in 86 % of runs, this one in 95 to 96 %. A value of 0 is taken to be exactly that.

        >>> x = np.array([[1.0], [2.0], [4.0], [5.0]])
        >>> low, high = replicated(lambda kept: x[kept].mean(0), 4).interval()
        >>> bool(0 < low[0] < 3.0 < high[0])
        True
        """
        ensure_confidence(confidence)
        return self._of_logarithms(lambda pseudo: _student_reach(pseudo, confidence))

    def bootstrap_interval(
        self, resamples: int = 2000, seed: int = 0, confidence: float = CONFIDENCE
    ) -> Limits:
        """Limits as of ``interval``, their width from resampled replicates in place of Student's t.

        A symmetric bootstrap-t on the log scale, from pseudo-values: the statistic itself is not computed
        anew. ``resamples`` is at least 200; a ``seed`` repeats. Plain percentiles of so few replicates would
        be too narrow: 88 to 90 % at 16. Fewer than 4 replicates give Student's limits.

        >>> x = np.array([[1.0], [2.0], [4.0], [5.0]])
        >>> low, high = replicated(lambda kept: x[kept].mean(0), 4).bootstrap_interval()
        >>> bool(0 < low[0] < 3.0 < high[0])
        True
        """
        ensure_confidence(confidence)
        ensure_resamples(resamples)
        if len(self.left_out) < FEWEST_REPLICATES:
            return self.interval(confidence)
        return self._of_logarithms(lambda pseudo: symmetric_reach(pseudo, confidence, resamples, seed))

    def logarithms(self) -> Float[np.ndarray, "r d"]:
        """Pseudo-values of the logarithm of the value; 0 where the value is not positive."""
        count, positive = len(self.left_out), self.value > 0
        value = np.where(positive, self.value, 1.0)
        # A replicate that carries nearly everything leaves nearly nothing: how little says no more.
        left_out = np.clip(np.where(positive, self.left_out, 1.0), value / count, value * count)
        return pseudo_values(np.log(value), np.log(left_out))

    def _of_logarithms(self, reach: Callable[[np.ndarray], np.ndarray]) -> Limits:
        """The interval of half-width ``reach(pseudo)`` standard errors on the log scale."""
        if len(self.left_out) < 2:
            return np.zeros_like(self.value), np.full_like(self.value, np.inf)
        pseudo = self.logarithms()
        error = standard_error(pseudo)
        widths = np.where(error > 0, reach(pseudo), 0.0) * error
        factor = np.exp(np.minimum(widths, 300.0))  # stays finite
        value = np.maximum(self.value, 0.0)
        return value / factor, value * factor


def replicated(statistic: Callable[[np.ndarray], np.ndarray], replicates: int) -> Replicated:
    """A statistic of all replicates and without each of them.

    ``statistic(kept)``, of shape (d,), is computed from the replicates whose numbers are in ``kept``. One
    replicate alone gives no spread.
    """
    everyone = np.arange(replicates)
    value = np.asarray(statistic(everyone), float)
    kept = [np.delete(everyone, one) for one in everyone] if replicates > 1 else []
    return Replicated(value, np.array([statistic(some) for some in kept]).reshape(-1, len(value)))


def share_limits(replicated: Replicated, *, positive: bool = True) -> Limits:
    """Ends of the 95 % interval of a share of the variance, which is at most 1; they hold its value.

    ``positive`` says that the estimate cannot be negative; one that can may leave 0 to 1 itself.

    >>> low, high = share_limits(Replicated(np.array([0.5]), np.zeros((0, 1))))
    >>> low.tolist(), high.tolist()
    ([0.0], [1.0])
    """
    low, high = replicated.interval() if positive else replicated.symmetric_interval()
    value = replicated.value
    return np.minimum(np.minimum(low, 1.0), value), np.maximum(np.minimum(high, 1.0), value)


def degrees_of_freedom(pseudo: Float[np.ndarray, "r d"]) -> Float[np.ndarray, " d"]:
    """Degrees of freedom of the variance of each column, fewer than r - 1 where the tails are heavy.

    The variance of a sample variance, 2 / (r - 1) + k / r in squares of it with excess kurtosis k, is that of
    a chi-square with this many degrees (O'Neill 2014, "Some useful moment results in sampling problems").
    k is Fisher's estimate G2, at least its mean over all columns that vary, since a few rows of one column
    show little of its tails, and at least 0. Below 4 rows it is taken to be 0.

    >>> degrees_of_freedom(np.array([[0.0], [1.0], [2.0], [3.0]]))
    array([3.])
    """
    count = len(pseudo)
    if count < 4:
        return np.full(pseudo.shape[1], count - 1.0)
    centred = pseudo - pseudo.mean(0)
    variance, fourth = (centred**2).mean(0), (centred**4).mean(0)
    varies = variance**2 > 0
    excess = fourth[varies] / variance[varies] ** 2 - 3
    excess = ((count + 1) * excess + 6) * (count - 1) / ((count - 2) * (count - 3))
    tails = np.zeros_like(variance)
    tails[varies] = np.maximum(excess, max(0.0, float(excess.mean()) if varies.any() else 0.0))
    return np.asarray(2 / (2 / (count - 1) + tails / count))


def ensure_confidence(confidence: float) -> None:
    """Raise ValueError naming ``confidence`` unless it lies strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r} is not valid: it lies between 0 and 1, such as 0.95")


def pseudo_values(
    value: Float[np.ndarray, " d"], left_out: Float[np.ndarray, "r d"]
) -> Float[np.ndarray, "r d"]:
    """What each replicate contributes: their mean is nearly the value, their spread gives its error.

    >>> pseudo_values(np.array([2.0]), np.array([[2.5], [1.5]]))
    array([[1.5],
           [2.5]])
    """
    return np.asarray(len(left_out) * value - (len(left_out) - 1) * left_out)


def standard_error(pseudo: Float[np.ndarray, "r d"]) -> Float[np.ndarray, " d"]:
    """Standard error of the mean of each column; infinite with fewer than two rows.

    >>> standard_error(np.array([[1.0], [3.0]]))
    array([1.])
    """
    if len(pseudo) < 2:
        return np.full(pseudo.shape[1], np.inf)
    return np.asarray(pseudo.std(0, ddof=1) / np.sqrt(len(pseudo)))


def _student_reach(pseudo: Float[np.ndarray, "r d"], confidence: float) -> Float[np.ndarray, " d"]:
    return np.asarray(special.stdtrit(degrees_of_freedom(pseudo), 0.5 + confidence / 2))


def between_variance(scores: Float[np.ndarray, " n"], clusters: Int[np.ndarray, " n"]) -> float:
    """Variance of scores of which those of one cluster depend on each other; unbiased.

    Half the mean squared difference over pairs from different clusters (a U-statistic; Hoeffding 1948), in
    closed form. Rows of a cluster of k weigh 1/sqrt(k), since k dependent rows tell less than k independent
    ones. With a single cluster, over all its pairs.

    >>> between_variance(np.array([0.0, 2.0]), np.array([0, 1]))
    2.0
    """
    _, members = np.unique(clusters, return_inverse=True)
    if members.max(initial=0) == 0:
        members = np.arange(len(scores))
    weights = np.bincount(members)[members] ** -0.5
    centred = np.asarray(scores, float) - np.average(scores, weights=weights)
    mass = np.bincount(members, weights)
    sums, squares = np.bincount(members, weights * centred), np.bincount(members, weights * centred**2)
    pairs = mass.sum() ** 2 - (mass**2).sum()
    # Over pairs, half the squared differences add to W sum w x^2 - (sum w x)^2; the same within each cluster.
    within = (mass * squares - sums**2).sum()
    return float(max(0.0, (mass.sum() * squares.sum() - within) / pairs)) if pairs > 0 else 0.0
