"""What is expected of a weight and what its own rows say, together, each by how sure it is.

A total index is taken to be inverse-gamma about what is expected of it, and the mean of its rows to be gamma
about the index, with the coefficients of variation given. Then the index given the rows is inverse-gamma,
too, and its mean is the credibility estimate of actuaries: both means, weighted by their precisions (Bühlmann
1967, "Experience rating and credibility"; Diaconis and Ylvisaker 1979, "Conjugate priors for exponential
families").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import special

from wcam_widget.sensitivity.statistics.calibration import Rows
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, Limits

BELOW = 2.5  # the lower end is that of so many times the noise


@dataclass(frozen=True, eq=False)
class Credible:
    """Quantities (d,), their squared coefficients of variation, and what part of each is its own rows'."""

    value: Float[np.ndarray, " d"]
    noise: Float[np.ndarray, " d"]
    own: Float[np.ndarray, " d"]

    @cached_property
    def limits(self) -> Limits:
        """Ends of the 95 % intervals, the lower one further away than the law has it.

        Squared steps of real networks have heavier tails than gamma, and the weights that seem to matter
        most are those whose rows had them: nine of ten intervals that did not hold lay above the truth.
        """
        tail = (1 - CONFIDENCE) / 2
        return self._quantile(tail, BELOW * self.noise), self._quantile(1 - tail, self.noise)

    def _quantile(self, chance: float, noise: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        shape = 2 + 1 / noise
        return np.asarray(self.value * (shape - 1) / special.gammaincinv(shape, 1 - chance))

    @property
    def error(self) -> Float[np.ndarray, " d"]:
        """Standard deviations."""
        return np.asarray(self.value * np.sqrt(self.noise))


def credible(
    expected: Float[np.ndarray, " d"], noise: Float[np.ndarray, " d"], rows: Rows, common: float = 0.0
) -> Credible:
    """Combine what is ``expected``, of squared coefficients of variation ``noise``, with own rows.

    ``common`` is the squared coefficient of variation of what all of them are to be divided by.

    >>> rows = Rows(np.array([0.0, 1e6]), np.array([0.0, 2.0]), np.ones(2))
    >>> found = credible(np.ones(2), np.full(2, 0.1), rows)
    >>> found.value.round(2), found.own.round(2)
    (array([1., 2.]), array([0., 1.]))
    """
    shape = 2 + 1 / noise
    seen = rows.count / rows.noise
    value = ((shape - 1) * expected + seen * rows.mean) / (shape - 1 + seen)
    return Credible(value, 1 / (shape + seen - 2) + common, seen / (shape - 1 + seen))
