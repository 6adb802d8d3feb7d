"""The loop over images: one task after another, of which each may fail without ending the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar, final

Item = TypeVar("Item")
Result = TypeVar("Result")


@final
@dataclass(frozen=True, eq=False)
class Failure:
    """What ended the task of one item."""

    error: Exception

    @property
    def reason(self) -> str:
        """What went wrong, in words."""
        return str(self.error).strip() or type(self.error).__name__


def each(
    task: Callable[[int, Item], Iterable[Result]], items: Iterable[Item]
) -> Iterator[tuple[int, Result | Failure]]:
    """Run a task on one item after another; an error ends that item's, an interrupt the work.

    Args:
        task: Called with the place of an item and the item; gives its results one by one, a later one in
            place of an earlier one.
        items: Taken when their turn comes.

    Yields:
        The place of an item with a result, or with what ended its task, after the results until then.

    Examples:
        >>> for place, result in each(lambda place, item: [1 / item], [2, 0]):
        ...     print(place, result.reason if isinstance(result, Failure) else result)
        0 0.5
        1 division by zero
    """
    for place, item in enumerate(items):
        try:
            for result in task(place, item):
                yield place, result
        except Exception as error:  # noqa: BLE001  handed on
            yield place, Failure(error)
