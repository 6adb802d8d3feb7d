"""How sure an estimate is, from independent replicates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

CONFIDENCE = 0.95


def student(replicates: int, confidence: float = CONFIDENCE) -> float:
    """Half-width of a two-sided interval in standard errors; infinite below two replicates.

    >>> round(student(8), 3)
    2.365
    """
    if replicates < 2:
        return float("inf")
    return float(stats.t.ppf(0.5 + confidence / 2, replicates - 1))


def jackknife(
    statistic: Callable[[np.ndarray], np.ndarray], replicates: int
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """A statistic of all replicates and its jackknife standard error (Tukey 1958).

    ``statistic(kept)`` is computed from the replicates whose numbers are in ``kept``. Ratios such as
    share-of-variance carry the uncertainty of their denominator this way. With one replicate the standard
    error is infinite.

    >>> x = np.array([[1.0], [2.0], [4.0], [5.0]])
    >>> value, error = jackknife(lambda kept: x[kept].mean(0), 4)
    >>> bool(np.isclose(error[0], x.std(ddof=1) / 2))
    True
    """
    everyone = np.arange(replicates)
    value = np.asarray(statistic(everyone))
    if replicates < 2:
        return value, np.full(value.shape, np.inf)
    left_out = np.stack([statistic(np.delete(everyone, one)) for one in everyone])
    spread = ((left_out - left_out.mean(0)) ** 2).sum(0)
    return value, np.sqrt(spread * (replicates - 1) / replicates)


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
