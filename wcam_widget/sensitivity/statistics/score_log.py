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
    together: tuple[np.ndarray, np.ndarray, np.ndarray] | None = field(default=None, compare=False)
    count: int = 0

    def keep(self, scores: Float[np.ndarray, " n"], replicate: int, *, together: bool) -> None:
        """Remember scores, but for unknown ones (NaN); ``together`` marks rows that depend on each other."""
        scores = scores[np.isfinite(scores)]
        first = self.clusters[-1][-1] + 1 if self.clusters else 0
        cluster = np.full(len(scores), first) if together else first + np.arange(len(scores))
        if len(scores):
            self.variances.clear()
            self.count += len(scores)
            self.scores.append(scores)
            self.clusters.append(cluster)
            self.replicates.append(np.full(len(scores), replicate))

    def variance(self, kept: Int[np.ndarray, " k"]) -> float:
        """The score's variance from the replicates ``kept``; positive, to divide by."""
        # Every index of an estimate is a share of it, so that it is needed many times.
        _, _, replicates = self._joined()
        everything = self._spread(np.arange(replicates.max() + 1))
        # Where nearly all of it sits in one replicate, the others keep their even part, to divide by too.
        least = everything / (int(replicates.max()) + 1)
        return max(self._spread(kept), least, float(np.finfo(float).tiny))

    def _joined(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores, clusters and replicates of all rows."""
        if self.together is None or len(self.together[0]) != self.count:
            scores, clusters, replicates = map(np.concatenate, (self.scores, self.clusters, self.replicates))
            self.together = scores, clusters, replicates
        return self.together

    def _spread(self, kept: Int[np.ndarray, " k"]) -> float:
        """Variance between the clusters of the replicates ``kept``."""
        key = kept.tobytes()
        if key not in self.variances:
            scores, clusters, replicates = self._joined()
            chosen = np.isin(replicates, kept)
            self.variances[key] = between_variance(scores[chosen], clusters[chosen])
        return self.variances[key]

    def mean(self) -> float:
        """The mean score."""
        return float(self._joined()[0].mean())

    def constant(self) -> bool:
        """Whether the scores differ by no more than rounding."""
        scores, _, replicates = self._joined()
        return vanishing(self.variance(np.arange(replicates.max() + 1)), float(scores[0]))
