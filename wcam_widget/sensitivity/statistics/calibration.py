"""From linear estimates to total indices: a factor that all weights learn together from the rows of some.

Derivatives rank weights well and are too large where the score bends. How much too large is much the same
for weights alike: log(total / linear) is taken to be a constant, plus one of each group, plus a slope over
the log of the linear estimate, plus a scatter of each weight's own. The first three are found by iterated
weighted least squares of a log-linear model, penalised towards no difference; the scatter by moments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

GROUP, SLOPE = 0.25, 0.1  # standard deviations of the groups' and the slope's differences, beforehand
SCATTER, WORTH = 0.35, 60.0  # the scatter beforehand, and how many weights that counts for
LEAST, MOST = 0.2, 1.5  # the scatter's range
LEAST_FACTOR = 1e-3
ROUNDS = 8


@dataclass(frozen=True, eq=False)
class Calibration:
    """Factors (d,) from linear estimates to totals, variances of their logarithms (d,), and the scatter.

    ``scatter`` is the variance of the weights' own log factors about these.
    """

    factor: Float[np.ndarray, " d"]
    noise: Float[np.ndarray, " d"]
    scatter: float


@dataclass(frozen=True, eq=False)
class Rows:
    """Own rows of ``d`` weights: how many, their means, and the squared coefficient of variation of one.

    ``parts`` are counts and sums of each replicate, where they are known.
    """

    count: Float[np.ndarray, " d"]
    mean: Float[np.ndarray, " d"]
    noise: Float[np.ndarray, " d"]
    parts: tuple[Float[np.ndarray, "r d"], Float[np.ndarray, "r d"]] | None = None

    @property
    def variance(self) -> Float[np.ndarray, " d"]:
        """Squared coefficients of variation of the means."""
        return np.asarray(self.noise / np.maximum(self.count, 1.0))

    def residuals(self, expected: Float[np.ndarray, " d"]) -> Float[np.ndarray, "r d"]:
        """What each replicate adds to the ratio of the means to what is ``expected``, less 1."""
        if self.parts is None:
            return np.zeros((1, len(self.count)))
        count, sums = self.parts
        return np.asarray((sums / expected - count) / np.maximum(self.count, 1.0))


def calibrated(
    linear: Float[np.ndarray, " d"],
    noise: Float[np.ndarray, " d"],
    rows: Rows,
    groups: Int[np.ndarray, " d"],
) -> Calibration:
    """The factors that the weights with rows tell of all weights.

    ``linear`` are positive, ``noise`` the variances of their logarithms; ``rows`` are in the unit of
    ``linear``, and at least one weight has some.

    >>> linear, count = np.array([1.0, 2.0, 3.0, 4.0]), np.array([400.0, 400.0, 400.0, 0.0])
    >>> rows = Rows(count, linear / 2, np.ones(4))
    >>> calibrated(linear, np.full(4, 1e-4), rows, np.zeros(4, int)).factor.round(2)
    array([0.5, 0.5, 0.5, 0.5])
    """
    known = rows.count > 0
    features = _features(linear, groups)
    penalty = np.concatenate([[0.0, SLOPE**-2], np.full(features.shape[1] - 2, GROUP**-2)])
    coefficients = np.zeros(features.shape[1])
    # Rows that never moved the score say that the factor is small, not that it is 0.
    moved = (rows.mean * rows.count).sum() / (linear * rows.count).sum()
    coefficients[0] = np.log(max(moved, LEAST_FACTOR))
    scatter = SCATTER**2
    information, trust = np.diag(penalty), np.zeros_like(linear)
    for _ in range(ROUNDS):
        ratio = np.where(known, rows.mean / (linear * np.exp(features @ coefficients)) - 1, 0.0)
        trust = np.where(known, 1 / (rows.variance + scatter + noise), 0.0)
        information = (features * trust[:, None]).T @ features + np.diag(penalty)
        pull = (features * trust[:, None]).T @ ratio - penalty * coefficients
        # One heavy-tailed row must not throw a round far off.
        coefficients = coefficients + np.clip(np.linalg.solve(information, pull), -1.0, 1.0)
        ratio = rows.mean / (linear * np.exp(features @ coefficients)) - 1
        scatter = _scatter(ratio, rows.variance + noise, scatter, known)
    factor = np.exp(features @ coefficients)
    pulls = rows.residuals(linear * factor) @ (features * trust[:, None])
    return Calibration(factor, _noise(features, information, pulls), scatter)


def _noise(
    features: Float[np.ndarray, "d k"], information: Float[np.ndarray, "k k"], pulls: Float[np.ndarray, "r k"]
) -> Float[np.ndarray, " d"]:
    """Variances of the factors' logarithms: of the model, or of what replicates show where that is more.

    The rows of a replicate share images, which the model does not know of. What replicates show is the
    covariance of Liang and Zeger (1986, "Longitudinal data analysis using generalized linear models").
    """
    modelled = np.linalg.inv(information)
    count = len(pulls)
    shown = modelled @ (pulls.T @ pulls) @ modelled * count / max(count - 1, 1)
    spreads = [np.einsum("ij,jk,ik->i", features, each, features) for each in (modelled, shown)]
    return np.asarray(np.max(spreads, axis=0))


def _features(linear: Float[np.ndarray, " d"], groups: Int[np.ndarray, " d"]) -> Float[np.ndarray, "d k"]:
    """A constant, the centred logarithm of the linear estimate, and which group it is in."""
    logarithm = np.log(linear)
    member = np.eye(int(groups.max()) + 1)[groups]
    return np.column_stack([np.ones_like(linear), logarithm - logarithm.mean(), member])


def _scatter(
    ratio: Float[np.ndarray, " d"],
    noise: Float[np.ndarray, " d"],
    scatter: float,
    known: Bool[np.ndarray, " d"],
) -> float:
    """The variance that ratios have beyond their noise, drawn towards what it is taken to be beforehand."""
    trust = np.where(known, (noise + scatter) ** -2, 0.0)
    beyond = (trust * (ratio**2 - noise)).sum() / trust.sum()
    weights = trust.sum() ** 2 / (trust**2).sum()
    variance = (WORTH * SCATTER**2 + weights * beyond) / (WORTH + weights)
    # Too small a scatter would make intervals too narrow, so it is taken one standard error above.
    above = min(np.sqrt(2 / trust.sum()), SCATTER**2)
    return float(np.clip(variance + above, LEAST**2, MOST**2))
