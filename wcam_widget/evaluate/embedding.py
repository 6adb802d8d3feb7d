"""Profiles as points of a plane: the scale embedding of images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial import distance


class Embedding(NamedTuple):
    """Points whose distances are those of profiles, as far as a plane allows.

    Attributes:
        points: (n, 2), the mean at 0.
        share: The part of the squared distances that the plane shows, 0 to 1; 1 where all are equal.
    """

    points: Float[np.ndarray, "n 2"]
    share: float


def embedded(profiles: Float[np.ndarray, "n g"]) -> Embedding:
    """Classical scaling of profiles by how much importance would have to move to turn one into another.

    Args:
        profiles: (n, g) Shapley effects of n images, which add to 1 over g bands.

    Returns:
        A point for each image. The first axis shows more of the distances than the second.

    References:
        Torgerson (1952), "Multidimensional scaling: I. Theory and method"; Gower (1966), section 2.

    Examples:
        >>> embedded(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])).points[:, 0].round(2).tolist()
        [0.5, -0.5, 0.0]
    """
    squared = distance.squareform(distance.pdist(profiles, "cityblock") / 2) ** 2
    centred = squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    largest = np.argsort(values)[::-1][:2]
    axes = vectors[:, largest] * np.sqrt(np.clip(values[largest], 0.0, None))
    # An axis has no direction of its own: the first of those farthest out, up to rounding, is ahead.
    far = np.abs(axes) > (1 - 1e-9) * np.abs(axes).max(0)
    axes *= np.where(axes[far.argmax(0), np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    points = np.zeros((len(profiles), 2))
    points[:, : axes.shape[1]] = axes
    positive = values.clip(min=0.0)
    total = float(positive.sum())
    return Embedding(points, float(positive[largest].sum() / total) if total > 1e-12 else 1.0)
