"""Two explanations from the same rows of weights: what differs, and whether it could be chance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from wcam_widget.sensitivity.estimate import Estimate
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, Replicated, pseudo_values

EXACT = 12  # replicates up to which every combination of signs is tried
FLIPS = 9999


@dataclass(frozen=True, eq=False)
class Contrast:
    """One map less another, ``d`` numbers each, and how far the two are apart.

    ``value`` lies between ``low`` and ``high`` with the given confidence each; ``error`` is its standard
    error. ``distance`` is the total variation between the maps, each divided by its sum: the least share of
    the importance that has to be moved to turn one into the other, from 0 to 1. ``by_chance`` is what it is
    on average if nothing differs but the noise, ``p`` the chance of a distance at least as large then.
    """

    value: Float[np.ndarray, " d"]
    low: Float[np.ndarray, " d"]
    high: Float[np.ndarray, " d"]
    error: Float[np.ndarray, " d"]
    distance: float
    by_chance: float
    p: float


@dataclass(frozen=True, eq=False)
class Difference:
    """What differs between two estimates, cell by cell and group by group."""

    cells: Contrast
    groups: Contrast


def compare(one: Estimate, other: Estimate, confidence: float = CONFIDENCE, seed: int = 0) -> Difference:
    """``one`` less ``other``: total indices of cells and of groups, with intervals and a permutation test.

    Both must come from the same analysis with the same seed, rows and stream, so that replicate by replicate
    they saw the same rows of weights (common random numbers): what the rows do to both cancels. Intervals are
    Student's, from the differences of the pseudo-values. The test takes the two scores to be exchangeable
    within each replicate, so that the differences of the replicates' normalised maps may change sign: all
    combinations of signs up to 12 replicates, else 9,999 random ones, repeatable by ``seed`` (Pitman 1937,
    "Significance tests which may be applied to samples from any populations"). With r replicates p is never
    below 2 / 2^r: six are the fewest that can show a difference at 5 %.

    Raises ValueError, naming the argument, if cells, groups or replicates do not correspond, if there are
    fewer than two replicates, or if a score never moved.

    >>> import torch
    >>> from wcam_widget.sensitivity import Analytic, Sobol
    >>> groups = np.array([0, 1])
    >>> maps = [Analytic(lambda w, s=s: w @ torch.tensor(s), groups) for s in ([1.0, 2.0], [2.0, 1.0])]
    >>> one, other = (list(Sobol(rows=64).run(f))[-1] for f in maps)
    >>> difference = compare(one, other)
    >>> bool(difference.cells.high[0] < 0 < difference.cells.low[1]), difference.cells.p < 0.01
    (True, True)
    """
    _ensure_correspondence(one, other)
    cells, other_cells = (Replicated(estimate.value, estimate.left_out) for estimate in (one, other))
    groups, other_groups = (
        Replicated(estimate.groups.total, estimate.groups.left_out) for estimate in (one, other)
    )
    return Difference(
        _contrast(cells, other_cells, confidence, seed), _contrast(groups, other_groups, confidence, seed)
    )


def _contrast(one: Replicated, other: Replicated, confidence: float, seed: int) -> Contrast:
    paired = Replicated(one.value - other.value, one.left_out - other.left_out)
    low, high = paired.symmetric_interval(confidence)
    distance = float(np.abs(_shares(one.value) - _shares(other.value)).sum() / 2)
    left_out = _shares(one.left_out) - _shares(other.left_out)
    by_chance, p = sign_flips(pseudo_values(left_out.mean(0), left_out), seed)
    return Contrast(paired.value, low, high, paired.error, distance, by_chance, p)


def sign_flips(rows: Float[np.ndarray, "r d"], seed: int = 0) -> tuple[float, float]:
    """Mean total variation over changes of sign of the rows, and the share at least as large as without.

    Total variation is half the sum of the absolute means of the columns. All combinations of signs up to 12
    rows, else 9,999 random ones, repeatable by ``seed``.

    >>> by_chance, p = sign_flips(np.ones((4, 1)))
    >>> by_chance, p
    (0.1875, 0.125)
    """
    count = len(rows)
    distances = np.concatenate(
        [np.abs(part @ rows).sum(1) for part in np.array_split(_signs(count, seed), 64)]
    )
    return float(distances.mean() / (2 * count)), float(_at_least_first(distances[:, None])[0])


def sign_flip_p(rows: Float[np.ndarray, "r d"], seed: int = 0) -> Float[np.ndarray, " d"]:
    """Two-sided p-values against "this column is as often above 0 as below", by changes of sign of the rows.

    Fisher's randomisation test (Fisher 1935, "The design of experiments", section 21) of each column's mean;
    signs as for ``sign_flips``.

    >>> sign_flip_p(np.array([[1.0, 1.0], [2.0, -1.0], [1.5, 1.0], [1.2, -1.0]])).tolist()
    [0.125, 1.0]
    """
    means = np.concatenate([np.abs(part @ rows) for part in np.array_split(_signs(len(rows), seed), 64)])
    return _at_least_first(means)


def _signs(count: int, seed: int) -> Float[np.ndarray, "n r"]:
    """Combinations of signs, the first of them all positive."""
    if count <= EXACT:
        return np.array(list(product([1.0, -1.0], repeat=count)))
    drawn = np.random.default_rng(seed).choice([1.0, -1.0], (FLIPS, count))
    # The signs as they came count as one of the draws (Phipson and Smyth 2010), so p is never 0.
    return np.concatenate([np.ones((1, count)), drawn])


def _at_least_first(statistics: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " d"]:
    """The share of each column that is at least as large as its first number."""
    observed = statistics[0] * (1 - 1e-9)  # rounding must not break ties
    return np.asarray((statistics >= observed).mean(0))


def _shares(values: Float[np.ndarray, "*r d"]) -> Float[np.ndarray, "*r d"]:
    total = values.sum(-1, keepdims=True)
    return np.asarray(values / np.where(total > 0, total, 1.0))


def _ensure_correspondence(one: Estimate, other: Estimate) -> None:
    for name, estimate in (("one", one), ("other", other)):
        if estimate.constant:
            raise ValueError(f"{name} is of a score that never moved: it has no map to compare")
        if len(estimate.left_out) < 2:
            raise ValueError(
                f"{name} has {len(estimate.left_out)} replicates: at least 2 are needed to compare"
            )
    for what, mine, theirs in (
        ("weights", len(one.value), len(other.value)),
        ("groups", len(one.groups.total), len(other.groups.total)),
        ("replicates", len(one.left_out), len(other.left_out)),
    ):
        if mine != theirs:
            raise ValueError(
                f"other has {theirs} {what} where one has {mine}: compare two runs of one analysis with one "
                "seed, number of rows and stream"
            )
