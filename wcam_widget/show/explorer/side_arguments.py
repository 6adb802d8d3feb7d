"""What ``explore`` is given to compare: a list in place of one argument, as arguments of every side."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from wcam_widget.explain import AbstractMethod
from wcam_widget.show.explorer.layers import numbered
from wcam_widget.show.traits import MOST_SIDES

T = TypeVar("T")
Several = Sequence[T] | Mapping[str, T]
"""One value for each side, in a list or by the names of the sides."""

Compared = Literal["image", "model", "method"]
COMPARED: tuple[Compared, ...] = ("image", "model", "method")


class SideArguments(NamedTuple):
    """What one side explains, as ``explore`` takes it, and what a reader calls it."""

    name: str
    model: Any
    image: Any
    target: Any
    method: Any


def is_several(value: Any) -> bool:
    """Whether an argument holds one value for each of several sides."""
    return isinstance(value, list | tuple | Mapping)


def sides_of(model: Any, image: Any, target: Any, method: Any) -> tuple[Compared, list[SideArguments]]:
    """Which argument differs between the sides, and the arguments of each.

    Args:
        model: as of ``explore``; one of the first three is a list, or a table of names and values.
        image: likewise.
        target: one for all sides, or a list with one for each.
        method: like ``model``.

    Returns:
        The name of the argument that differs, and one row for each side.

    Raises:
        ValueError: naming the argument, for several lists, and for a list of another length.

    >>> kind, sides = sides_of("net", {"clean": 1, "foggy": 2}, None, None)
    >>> kind, [(side.name, side.image) for side in sides]
    ('image', [('clean', 1), ('foggy', 2)])
    """
    given: dict[str, Any] = {"image": image, "model": model, "method": method}
    lists = [name for name in COMPARED if is_several(given[name])]
    if len(lists) != 1:
        raise ValueError(
            f"{' and '.join(lists)}: found a list for each; accepted is a list for one of model, image and "
            "method"
        )
    (compared,) = lists
    several = given[compared]
    values = list(several.values() if isinstance(several, Mapping) else several)
    if not 2 <= len(values) <= MOST_SIDES:
        raise ValueError(f"{compared}: found a list of {len(values)}; accepted are 2 to {MOST_SIDES} sides")
    targets = list(target) if isinstance(target, list | tuple) else [target] * len(values)
    if len(targets) != len(values):
        raise ValueError(f"target: found a list of {len(targets)}; {compared} has {len(values)}")
    sides = [
        SideArguments(name=name, **{**given, "target": each, compared: value})
        for name, value, each in zip(_names(compared, several), values, targets, strict=True)
    ]
    return compared, sides


def _names(compared: Compared, several: Any) -> list[str]:
    if isinstance(several, Mapping):
        return [str(name) for name in several]
    return numbered([_name(compared, value, number) for number, value in enumerate(several, 1)])


def _name(compared: Compared, value: Any, number: int) -> str:
    """What a value calls itself, else its number."""
    if isinstance(value, AbstractMethod):
        return value.title
    if compared == "image" and isinstance(value, str | os.PathLike):
        return Path(value).stem
    return value if isinstance(value, str) else f"{compared} {number}"
