"""Sets of spatial frequencies that share one weight, each with the negatives of its members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from wcam_widget.basis.bands import APPROXIMATION

PARTITIONS = ("rings", "squares", "grid")
ROUNDING = 1e-9  # frequencies on the line between two sets belong to the higher one


@dataclass(frozen=True, eq=False)
class FrequencySet:
    """Frequencies as positions in the flattened FFT, pairs of k and -k one after another.

    ``level`` is 1 for the highest frequencies; ``orientation`` is ``A`` for the set of zero frequency, ``R``
    for a ring, ``S`` for a square frame, and in a grid the direction in which the set oscillates.
    """

    name: str
    level: int
    orientation: str
    frequencies: Int[np.ndarray, " n"]


def ensure_count(size: tuple[int, int], partition: str, count: int | None) -> int:
    """A count of sets that leaves none of them empty; ValueError naming ``partition`` or ``count``.

    >>> ensure_count((32, 48), "rings", None), ensure_count((5, 6), "grid", None)
    (8, 5)
    """
    if partition not in PARTITIONS:
        raise ValueError(f"partition={partition!r} is unknown; {', '.join(PARTITIONS)} are accepted")
    grid = partition == "grid"
    most = min(size) - 1 + min(size) % 2 if grid else max(1, max(size) // 2)
    if count is None:
        return min(9 if grid else 8, most)
    if int(count) != count or not 1 <= count <= most or (grid and count % 2 == 0):
        words = "an odd number, so that one square stands in the middle, " if grid else "an integer "
        raise ValueError(
            f"count={count!r} does not fit {partition} over an image of {size[0]}x{size[1]} pixels: "
            f"{words}from 1 to {most} is accepted"
        )
    return int(count)


def partition(size: tuple[int, int], kind: str, count: int) -> list[FrequencySet]:
    """The sets, low frequencies first; together they hold every frequency of the image once.

    >>> [(part.name, len(part.frequencies)) for part in partition((4, 4), "squares", 2)]
    [('A2', 1), ('S1', 15)]
    """
    down, right = (np.fft.fftfreq(side)[part] for side, part in zip(size, np.indices(size), strict=True))
    keys = _grid(size, down, right, count) if kind == "grid" else _steps(kind, down, right, count)
    own = np.arange(size[0] * size[1])
    pair = np.minimum(own, _negative(size))
    alone = own == _negative(size)
    distinct, group = np.unique(keys, axis=0, return_inverse=True)
    # Pairs stand together, and frequencies that are their own negatives after them.
    order = np.lexsort((own, pair, alone, group.ravel()))
    members = np.split(order, np.flatnonzero(np.diff(group.ravel()[order])) + 1)
    return [
        FrequencySet(*_described(kind, key, count), part)
        for key, part in zip(distinct.tolist(), members, strict=True)
    ]


def _negative(size: tuple[int, int]) -> Int[np.ndarray, " n"]:
    """The position of -k for the frequency k at each position."""
    rows, columns = np.indices(size)
    return np.asarray((-rows % size[0]) * size[1] + -columns % size[1]).ravel()


def _steps(
    kind: str, down: Float[np.ndarray, "h w"], right: Float[np.ndarray, "h w"], count: int
) -> Int[np.ndarray, "n 1"]:
    """The ring or square of each frequency: equal steps of its length up to 0.5, the rest in the last."""
    length = np.hypot(down, right) if kind == "rings" else np.maximum(np.abs(down), np.abs(right))
    step = np.floor(2 * count * length + ROUNDING).astype(np.int64)
    return np.asarray(np.minimum(step, count - 1)).reshape(-1, 1)


def _grid(
    size: tuple[int, int], down: Float[np.ndarray, "h w"], right: Float[np.ndarray, "h w"], count: int
) -> Int[np.ndarray, "n 3"]:
    """Distance from the middle, row and column of the square of each frequency or of its negative."""
    first = np.minimum(np.arange(down.size), _negative(size))  # of k and -k the one with rows from 0 up
    row, column = (
        np.minimum(np.floor(count * np.abs(part) + 0.5 + ROUNDING), count // 2).astype(np.int64)
        * np.sign(part).astype(np.int64)
        for part in (np.abs(down.ravel()[first]), right.ravel()[first])
    )
    # The squares left and right of the middle mirror each other.
    column = np.where(row == 0, np.abs(column), column)
    return np.stack([np.maximum(row, np.abs(column)), row, column], axis=1)


def _described(kind: str, key: list[int], count: int) -> tuple[str, int, str]:
    """Name, level and orientation of a set."""
    level = (count + 1) // 2 - key[0] if kind == "grid" else count - key[0]
    if key[0] == 0:
        return f"A{level}", level, APPROXIMATION
    if kind != "grid":
        letter = "R" if kind == "rings" else "S"
        return f"{letter}{level}", level, letter
    row, column = key[1], abs(key[2])
    orientation = "LH" if row > column else "HL" if column > row else "HH"
    return f"G({key[1]},{key[2]})", level, orientation
