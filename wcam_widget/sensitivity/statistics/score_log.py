"""All scores of a run, from which its variance follows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from wcam_widget.sensitivity.statistics.jackknife import between_variance

CONSTANT = 1e-13  # variance over squared score below which a float32 score does not vary


def vanishing(variance: float, score: float) -> bool:
    """Whether a variance is only the float32 rounding of scores as large as ``score``.

    >>> vanishing(1e-16, score=1.0), vanishing(1e-16, score=0.0)
    (True, False)
    """
    return bool(variance <= max(CONSTANT * score**2, np.finfo(float).tiny))


@dataclass(eq=False)
class ScoreLog:
    """Scores of rows of uniform weights, each with its replicate and its cluster of dependent rows.

    >>> log = ScoreLog()
    >>> log.keep(np.array([0.0, 2.0]), replicate=0, together=False)
    >>> log.variance(np.array([0]))
    2.0
    """

    scores: list[Float[np.ndarray, " n"]] = field(default_factory=list)
    clusters: list[Int[np.ndarray, " n"]] = field(default_factory=list)
    replicates: list[Int[np.ndarray, " n"]] = field(default_factory=list)
    variances: dict[bytes, float] = field(default_factory=dict, compare=False)  # since the last scores

    def keep(self, scores: Float[np.ndarray, " n"], replicate: int, *, together: bool) -> None:
        """Remember scores, but for unknown ones (NaN); ``together`` marks rows that depend on each other."""
        scores = scores[np.isfinite(scores)]
        first = self.clusters[-1][-1] + 1 if self.clusters else 0
        cluster = np.full(len(scores), first) if together else first + np.arange(len(scores))
        if len(scores):
            self.variances.clear()
            self.scores.append(scores)
            self.clusters.append(cluster)
            self.replicates.append(np.full(len(scores), replicate))

    def variance(self, kept: Int[np.ndarray, " k"]) -> float:
        """The score's variance from the replicates ``kept``; positive, to divide by."""
        # Every index of an estimate is a share of it, so that it is needed many times.
        everything = self._spread(np.unique(np.concatenate(self.replicates)))
        # Where nearly all of it sits in one replicate, the others keep their even part, to divide by too.
        least = everything / (max(int(part.max()) for part in self.replicates) + 1)
        return max(self._spread(kept), least, float(np.finfo(float).tiny))

    def _spread(self, kept: Int[np.ndarray, " k"]) -> float:
        """Variance between the clusters of the replicates ``kept``."""
        key = kept.tobytes()
        if key not in self.variances:
            chosen = np.isin(np.concatenate(self.replicates), kept)
            scores, clusters = np.concatenate(self.scores)[chosen], np.concatenate(self.clusters)[chosen]
            self.variances[key] = between_variance(scores, clusters)
        return self.variances[key]

    def mean(self) -> float:
        """The mean score."""
        return float(np.concatenate(self.scores).mean())

    def constant(self) -> bool:
        """Whether the scores differ by no more than rounding."""
        everyone = np.unique(np.concatenate(self.replicates))
        return vanishing(self.variance(everyone), float(self.scores[0][0]))
