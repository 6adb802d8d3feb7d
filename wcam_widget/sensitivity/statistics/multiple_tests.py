"""Which of many quantities exceed a threshold, with the errors over all of them held down."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy import special

from wcam_widget.sensitivity.statistics.jackknife import (
    Replicated,
    degrees_of_freedom,
    pseudo_values,
    standard_error,
)

LEVEL = 0.05
CONTROLS = ("holm", "benjamini-hochberg")


def exceeding(
    replicated: Replicated,
    threshold: float = 0.0,
    level: float = LEVEL,
    control: str = "holm",
    *,
    signed: bool = False,
) -> Bool[np.ndarray, " d"]:
    """Which of ``d`` quantities exceed ``threshold``, as a mask.

    control: ``holm`` keeps the chance of even one false name below ``level``; ``benjamini-hochberg`` keeps
    the share of false ones among those named below ``level`` on average, and names more. level lies between 0
    and 1, threshold between 0 and 1 (excluded). signed: see ``p_exceeding``. Raises ValueError naming the
    argument.

    >>> value, noise = np.array([0.30, 0.01, 0.0]), np.array([[1.01], [0.99], [1.0], [1.0], [0.99], [1.01]])
    >>> exceeding(Replicated(value, value * noise), threshold=0.02).tolist()
    [True, False, False]
    """
    if control not in CONTROLS:
        raise ValueError(f"control={control!r} is unknown; {', '.join(CONTROLS)} are known")
    p = p_exceeding(replicated, threshold, signed=signed)
    return holm(p, level) if control == "holm" else benjamini_hochberg(p, level)


def p_exceeding(
    replicated: Replicated, threshold: float = 0.0, *, signed: bool = False
) -> Float[np.ndarray, " d"]:
    """One-sided p-values against "the quantity is at most ``threshold``".

    Student's test of pseudo-values, the counterpart of the intervals: p is below 0.025 where ``interval`` at
    95 % lies above the threshold. On the log scale for quantities that cannot be negative; on the plain scale
    with ``signed``, for estimates that noise may carry below 0, and for a threshold of 0, at which a
    logarithm says nothing. Total indices by Jansen's estimator are above 0 as soon as the score moved at all:
    give a share of the variance there. What never moved has p = 1, and so has everything with fewer than
    two replicates. threshold is in [0, 1).

    >>> p = p_exceeding(Replicated(np.array([0.5]), np.array([[0.4], [0.6], [0.5]])), threshold=0.1)
    >>> bool(0.0 < p[0] < 0.05)
    True
    """
    if not 0 <= threshold < 1:
        raise ValueError(
            f"threshold={threshold!r} is not valid: it is a share of the variance, at least 0 and below 1"
        )
    value, pseudo = replicated.value, pseudo_values(replicated.value, replicated.left_out)
    if len(pseudo) < 2:
        return np.ones_like(value)
    distance = value - threshold
    if threshold > 0 and not signed:
        pseudo = replicated.logarithms()
        distance = np.where(value > 0, np.log(np.where(value > 0, value, 1.0) / threshold), -np.inf)
    error = standard_error(pseudo)
    # Without any spread, what lies above the threshold does so for certain, and the rest does not.
    certain = np.where(distance > 0, np.inf, -np.inf)
    ratio = np.divide(distance, error, out=certain, where=error > 0)
    return np.asarray(special.stdtr(degrees_of_freedom(pseudo), -ratio))


def p_differing(replicated: Replicated) -> Float[np.ndarray, " d"]:
    """Two-sided p-values against "the quantity is 0", of quantities of any sign.

    Twice the smaller one of ``p_exceeding`` for the quantity and for its negative.

    >>> p = p_differing(Replicated(np.array([-0.5, 0.0]), np.array([[-0.4, 0.1], [-0.6, -0.1], [-0.5, 0.0]])))
    >>> bool(p[0] < 0.05), float(p[1])
    (True, 1.0)
    """
    opposite = Replicated(-replicated.value, -replicated.left_out)
    one_sided = [p_exceeding(each, signed=True) for each in (replicated, opposite)]
    return np.asarray(np.minimum(2 * np.minimum(*one_sided), 1.0))


def holm(p: Float[np.ndarray, " m"], level: float = LEVEL) -> Bool[np.ndarray, " m"]:
    """Which hypotheses are rejected with the family-wise error below ``level``, whatever their dependence.

    Holm (1979), "A simple sequentially rejective multiple test procedure": the smallest p is held against
    level / m, the next against level / (m - 1), until one fails. Raises ValueError naming ``p`` or ``level``.

    >>> holm(np.array([0.01, 0.04, 0.02])).tolist()
    [True, True, True]
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [True, False, False]
    """
    order = _ordered(p, level)
    passed = p[order] <= level / np.arange(len(p), 0, -1)
    return _named(order, len(p) if passed.all() else int(np.argmin(passed)))


def holm_adjusted(p: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """The least level at which ``holm`` rejects each hypothesis.

    >>> holm_adjusted(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def benjamini_hochberg(p: Float[np.ndarray, " m"], level: float = LEVEL) -> Bool[np.ndarray, " m"]:
    """Which hypotheses are rejected with the false discovery rate below ``level``.

    Benjamini and Hochberg (1995), "Controlling the false discovery rate": all up to the largest p that is at
    most level times its rank over m. Holds for independent and for positively dependent p (Benjamini and
    Yekutieli 2001). Raises ValueError naming ``p`` or ``level``.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).tolist()
    [True, True, True]
    """
    order = _ordered(p, level)
    passed = np.flatnonzero(p[order] <= level * np.arange(1, len(p) + 1) / max(len(p), 1))
    return _named(order, int(passed[-1]) + 1 if len(passed) else 0)


def _ordered(p: Float[np.ndarray, " m"], level: float) -> np.ndarray:
    if not 0 < level < 1:
        raise ValueError(f"level={level!r} is not valid: it lies between 0 and 1, such as 0.05")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p holds {p[~((p >= 0) & (p <= 1))][0]}: probabilities lie between 0 and 1")
    return np.argsort(p, kind="stable")


def _named(order: np.ndarray, count: int) -> Bool[np.ndarray, " m"]:
    named = np.zeros(len(order), bool)
    named[order[:count]] = True
    return named
