"""Where the sides of a comparison lie by their profiles over scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wcam_widget.evaluate.embedding import embedded
from wcam_widget.explain import Attribution
from wcam_widget.show.words import format_percent

LEAST = 3  # profiles that make a map


def placed(attributions: Sequence[Attribution | None]) -> dict[str, Any]:
    """A point for every side whose profile is known, and what the distances between points are, in words.

    Args:
        attributions: of the sides, None before their first map.

    Returns:
        ``points``, (x, y) or None for each side, itself None where no map can be made; and ``words``.
    """
    rows = [_profile(one) for one in attributions]
    known = [number for number, row in enumerate(rows) if row is not None]
    bands = {one.profile().names for one in attributions if one is not None}
    if len(known) < LEAST or len(bands) > 1:
        return {"points": None, "words": _reason(attributions, len(known), len(bands))}
    embedding = embedded(np.stack([row for row in rows if row is not None]))
    points: list[list[float] | None] = [None] * len(rows)
    for number, point in zip(known, embedding.points.tolist(), strict=True):
        points[number] = [round(value, 4) for value in point]
    words = (
        "Near each other: looked at on like scales. A distance is the share of importance that lies on other "
        f"scales; the plane shows {format_percent(embedding.share)} of the squared distances."
    )
    return {"points": points, "words": words}


def _profile(attribution: Attribution | None) -> np.ndarray | None:
    """Shapley effects, which add to 1; None where they are not known."""
    if attribution is None:
        return None
    shapley = attribution.estimate.groups.shapley
    return shapley if len(shapley) > 1 and np.isfinite(shapley).all() else None


def _reason(attributions: Sequence[Attribution | None], known: int, bands: int) -> str:
    if len(attributions) < LEAST:
        return ""
    if bands > 1:
        return "The sides have different bands, so their profiles make no map."
    ended = [one for one in attributions if one is not None and one.complete]
    if len(ended) == len(attributions) and known < LEAST:
        return "This method gives no profile over scales, so there is no map of the sides."
    return f"The map of the profiles appears when {LEAST} are known."
