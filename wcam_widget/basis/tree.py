"""The hierarchy of cells: all of them, levels, bands, quarters of a band, single cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

from wcam_widget.basis.bands import APPROXIMATION, Band

Labels = Int[np.ndarray, " d"]


def grow(
    bands: Sequence[Band], rectangles: Int[np.ndarray, "d 5"]
) -> tuple[Int[np.ndarray, " m"], tuple[Int[np.ndarray, " _"], ...]]:
    """Parent of each node (-1 for the root, node 0) and the cells under each node, in ascending order.

    A parent comes before its children and holds more cells than any of them; a node of one cell is a leaf.

    >>> table = np.array([[0, 0, 0, 1, 2], [0, 1, 0, 1, 1], [0, 1, 1, 1, 1]])
    >>> parents, members = grow([Band("pixels", 0, "A", 0, 0, 2, 2, 1)], table)
    >>> parents.tolist(), [node.tolist() for node in members]
    ([-1, 0, 0, 0], [[0, 1, 2], [0], [1], [2]])
    """
    parents, members = [-1], [np.arange(len(rectangles))]
    node = np.zeros(len(rectangles), dtype=np.int64)  # the smallest node so far that holds each cell
    for labels in _refinements(bands, rectangles):
        crowded = np.flatnonzero(np.bincount(node, minlength=len(members))[node] > 1)
        pairs = np.stack([node[crowded], labels[crowded]])
        order = np.lexsort(pairs[::-1])  # stable: cells stay in ascending order within a node
        cuts = np.flatnonzero((np.diff(pairs[:, order]) != 0).any(0)) + 1
        for part in np.split(crowded[order], cuts) if len(crowded) else []:
            parent = node[part[0]]
            # A part as large as its parent is the parent.
            if len(part) < len(members[parent]):
                parents.append(int(parent))
                members.append(part)
                node[part] = len(members) - 1
    return np.array(parents), tuple(members)


def _refinements(bands: Sequence[Band], rectangles: Int[np.ndarray, "d 5"]) -> Iterator[Labels]:
    """Labels of the cells, coarse to fine: each splits what stands together so far."""
    groups = rectangles[:, 0]
    coarse = [band.orientation == APPROXIMATION for band in bands]
    levels = np.array([-1 if first else -band.level for band, first in zip(bands, coarse, strict=True)])
    yield np.array([not first for first in coarse], dtype=np.int64)[groups]
    yield levels[groups]
    yield groups
    yield from _quarters(groups, rectangles[:, 1:3])


def _quarters(groups: Labels, corners: Int[np.ndarray, "d 2"]) -> Iterator[Labels]:
    """Halves of halves of each band's rows and columns of cells, at once along both."""
    ranks, counts = np.zeros_like(corners), np.ones_like(corners)
    for band in np.unique(groups):
        own = groups == band
        for axis in (0, 1):
            places, rank = np.unique(corners[own, axis], return_inverse=True)
            ranks[own, axis], counts[own, axis] = rank, len(places)
    depth = int(counts.max()).bit_length()
    for power in range(1, depth + 1):
        rows, columns = (ranks * 2**power // counts).T
        yield rows * 2**power + columns
