"""How many of the most important cells suffice: bisection over their number, checked around its answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Bool, Int

Holds = Callable[[Int[np.ndarray, " n"], Int[np.ndarray, " n"]], Bool[np.ndarray, " n"]]
"""Whether a decision holds with so many (second) of the first cells of an order (first)."""

WINDOW = 4  # numbers of cells tested one by one on either side of the answer


@final
@dataclass(frozen=True)
class Depth:
    """How many of the first cells of an order suffice, by what was tested.

    Attributes:
        depth: The smallest number from which on every number that was tested suffices; None if not even all
            cells do.
        first: The smallest number tested that suffices; less than ``depth`` where the decision is lost again.
        tested: How many numbers of cells were tested.
    """

    depth: int | None
    first: int | None
    tested: int

    @property
    def monotone(self) -> bool:
        """Whether the decision, once restored, was never lost again at a number that was tested."""
        return self.depth == self.first


@dataclass
class _Order:
    """What was tested of one order."""

    cells: int
    checked: bool
    held: dict[int, bool] = field(default_factory=dict)

    def edge(self) -> tuple[int, int]:
        """The largest number that does not suffice, -1 where all do, and the next one above that does."""
        failing = max((count for count, held in self.held.items() if not held), default=-1)
        return failing, min(count for count in self.held if count > failing)

    def missing(self, window: int) -> list[int]:
        """The numbers to test next: the middle, or, once the edge is sharp, those around it."""
        if not self.held[self.cells]:
            return []
        low, high = self.edge()
        if high - low > 1 and low >= 0:
            return [(low + high) // 2]
        if not self.checked:
            return []
        around = (high + sign * offset for offset in offsets(window, self.cells) for sign in (-1, 1))
        return sorted({count for count in around if 0 < count < self.cells} - self.held.keys())

    def depth(self) -> Depth:
        if not self.held[self.cells]:
            return Depth(None, None, len(self.held))
        return Depth(self.edge()[1], min(count for count, held in self.held.items() if held), len(self.held))


def offsets(window: int, cells: int) -> Iterator[int]:
    """Distances from the answer at which it is checked: each up to ``window``, then twice as far each time.

    >>> list(offsets(2, 20))
    [1, 2, 4, 8, 16]
    """
    yield from range(1, window + 1)
    distance = max(2 * window, 1)
    while distance < cells:
        yield distance
        distance *= 2


def depths(holds: Holds, cells: int, checked: Sequence[bool], window: int = WINDOW) -> list[Depth]:
    """The depth of several orders of the same cells, searched side by side so that batches stay full.

    Each is found by bisection between no cell and all cells, which is right where the decision, once
    restored, is never lost again. In orders that are ``checked``, numbers around the answer are tested, near
    ones closely, far ones ever more sparsely; where one above does not suffice, the search goes on from
    there, until every number tested above the answer suffices.

    Args:
        holds: Called with equally many orders and numbers of cells.
        cells: How many there are, at least 1.
        checked: For each order whether its answer is checked.
        window: How far numbers are tested one by one.

    >>> limits = np.array([3, 8])
    >>> [one.depth for one in depths(lambda order, count: count >= limits[order], 10, [True, False])]
    [3, 8]
    """
    search = stepwise(cells, checked, window)
    wanted = next(search)
    while True:
        try:
            wanted = search.send(holds(*wanted))
        except StopIteration as end:
            every: list[Depth] = end.value
            return every


def stepwise(
    cells: int, checked: Sequence[bool], window: int = WINDOW
) -> Generator[tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]], Bool[np.ndarray, " n"], list[Depth]]:
    """The search of ``depths`` for a caller with work of its own between two tests.

    It yields orders and numbers of cells, and is sent for each whether the decision holds. Ends are tested
    in the first order alone, because they are the same for all.

    >>> search = stepwise(10, [False])
    >>> next(search)
    (array([0, 0]), array([ 0, 10]))
    >>> search.send(np.array([False, True]))
    (array([0]), array([5]))
    """
    orders = [_Order(cells, one) for one in checked]
    ends = yield np.zeros(2, int), np.array([0, cells])
    for order in orders:
        order.held = {0: bool(ends[0]), cells: bool(ends[1])}
    while wanted := [
        (number, count) for number, order in enumerate(orders) for count in order.missing(window)
    ]:
        numbers, counts = np.array(wanted).T
        held = yield numbers, counts
        for (number, count), one in zip(wanted, held, strict=True):
            orders[number].held[count] = bool(one)
    return [order.depth() for order in orders]
