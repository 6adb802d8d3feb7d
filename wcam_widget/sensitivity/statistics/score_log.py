"""All scores of a run, from which its variance follows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from wcam_widget.sensitivity.analysis import vanishing
from wcam_widget.sensitivity.statistics.jackknife import between_variance


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

    def keep(self, scores: Float[np.ndarray, " n"], replicate: int, *, together: bool) -> None:
        """Remember scores, but for unknown ones (NaN); ``together`` marks rows that depend on each other."""
        scores = scores[np.isfinite(scores)]
        first = self.clusters[-1][-1] + 1 if self.clusters else 0
        cluster = np.full(len(scores), first) if together else first + np.arange(len(scores))
        if len(scores):
            self.scores.append(scores)
            self.clusters.append(cluster)
            self.replicates.append(np.full(len(scores), replicate))

    def variance(self, kept: Int[np.ndarray, " k"]) -> float:
        """The score's variance from the replicates ``kept``; positive, to divide by."""
        scores, clusters, replicates = (
            np.concatenate(part) for part in (self.scores, self.clusters, self.replicates)
        )
        chosen = np.isin(replicates, kept)
        spread, whole = (
            between_variance(scores[part], clusters[part]) for part in (chosen, np.ones_like(chosen))
        )
        # Where nearly all of it sits in one replicate, the others keep their even part, to divide by too.
        return max(spread, whole / (int(replicates.max()) + 1), float(np.finfo(float).tiny))

    def mean(self) -> float:
        """The mean score."""
        return float(np.concatenate(self.scores).mean())

    def constant(self) -> bool:
        """Whether the scores differ by no more than rounding."""
        everyone = np.unique(np.concatenate(self.replicates))
        return vanishing(self.variance(everyone), float(self.scores[0][0]))
