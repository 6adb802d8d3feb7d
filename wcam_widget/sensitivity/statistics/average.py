"""Several independent estimates of the same cells, averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int8

from wcam_widget.sensitivity.estimate import Estimate, GroupEstimate, Kind, kinds
from wcam_widget.sensitivity.statistics.jackknife import Replicated, share_limits


def averaged(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of independent estimates over the same weights, groups and replicates.

    Errors follow from averaging replicate by replicate, ends of bounds are averaged themselves. Costs add up.

    >>> averaged([Estimate.of_constant(3, 1, evaluations=4)] * 2).evaluations
    8
    """
    if len(estimates) == 1:
        return estimates[0]
    value = np.mean([one.value for one in estimates], axis=0)
    low, high = (np.mean([getattr(one, end) for one in estimates], axis=0) for end in ("low", "high"))
    kept = min(len(one.left_out) for one in estimates)
    left_out = np.mean([one.left_out[:kept] for one in estimates], axis=0)
    kind = _least_known(np.stack([one.kind for one in estimates]))
    measured = (kind != Kind.BOUNDED) & np.isfinite(left_out).all(0)
    replicated = Replicated(value, left_out)
    error = np.sqrt(np.sum([one.error**2 for one in estimates], axis=0)) / len(estimates)
    if kept > 1 and measured.any():
        least, most = share_limits(replicated)
        low, high = np.where(measured, least, low), np.where(measured, most, high)
        resolved = kinds(replicated.symmetric_interval()[0], high)
        kind = np.where(measured, np.where(resolved == Kind.ESTIMATED, kind, resolved), kind).astype(np.int8)
    return replace(
        estimates[0],
        value=value,
        low=np.minimum(low, value),
        high=np.maximum(high, value),
        kind=kind,
        error=error,
        first=np.mean([one.first for one in estimates], axis=0),
        slope=np.mean([one.slope for one in estimates], axis=0),
        left_out=left_out,
        groups=_averaged_groups([one.groups for one in estimates]),
        variance=float(np.mean([one.variance for one in estimates])),
        evaluations=sum(one.evaluations for one in estimates),
        gradients=sum(one.gradients for one in estimates),
    )


def _least_known(kinds: Int8[np.ndarray, "n d"]) -> Int8[np.ndarray, " d"]:
    """The kind of each weight of which least is known in ``n`` estimates."""
    order = np.array([Kind.ESTIMATED, Kind.POOLED, Kind.BOUNDED, Kind.UNRESOLVED], np.int8)
    return np.asarray(order[np.argsort(order)[kinds].max(0)])


def _averaged_groups(groups: Sequence[GroupEstimate]) -> GroupEstimate:
    kept = min(len(one.left_out) for one in groups)
    total = np.mean([one.total for one in groups], axis=0)
    left_out = np.mean([one.left_out[:kept] for one in groups], axis=0)
    low, high = (np.mean([getattr(one, end) for one in groups], axis=0) for end in ("low", "high"))
    if kept > 1:
        low, high = share_limits(Replicated(total, left_out))
    joint = [one.superset for one in groups if one.superset is not None]
    return GroupEstimate(
        total=total,
        low=np.minimum(low, total),
        high=np.maximum(high, total),
        shapley=np.mean([one.shapley for one in groups], axis=0),
        closed=np.mean([one.closed for one in groups], axis=0),
        left_out=left_out,
        superset=np.mean(joint, axis=0) if joint else None,
    )
