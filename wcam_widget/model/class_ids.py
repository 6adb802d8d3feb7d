"""Classes by number and by name."""

import difflib
import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex

from wcam_widget.text import printable

ClassId = SupportsIndex | str


def ensure_names(class_names: Sequence[Any] | None) -> tuple[str, ...] | None:
    """Names of classes as a tuple; TypeError or ValueError naming ``class_names`` for anything else."""
    if class_names is None:
        return None
    if isinstance(class_names, str) or not all(isinstance(name, str) for name in class_names):
        raise TypeError(f"class_names: found {class_names!r:.80}; accepted are None and a sequence of names")
    if not class_names:
        raise ValueError("class_names: found no names; accepted are one name per class, or None")
    return tuple(map(printable, class_names))  # they go into files, pages and messages of a kernel


def index_of(class_id: ClassId, count: int, class_names: Sequence[str] | None) -> int:
    """The number of a class among ``count``; TypeError or ValueError naming ``target`` where it is none."""
    if isinstance(class_id, str):
        return _index_of_name(class_id, count, class_names)
    try:
        index = operator.index(class_id)
    except TypeError:
        raise TypeError(
            f"target: found a class id of type {type(class_id).__qualname__}; "
            "accepted are an int and a class name"
        ) from None
    if not 0 <= index < count:
        raise ValueError(f"target: class id {index} is out of range; net has classes 0 to {count - 1}")
    return index


def _index_of_name(name: str, count: int, class_names: Sequence[str] | None) -> int:
    if class_names is None:
        raise ValueError(
            f"target: {name!r} is a class name, but the model has none; "
            "give class_names to BlackBox, or a class id"
        )
    indices = [index for index, known in enumerate(class_names) if known == printable(name)]
    if len(indices) > 1:
        raise ValueError(f"target: {name!r} is the name of classes {indices}; give the class id")
    if not indices:
        close = difflib.get_close_matches(name, class_names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"the model has {count} classes"
        raise ValueError(f"target: {name!r} is not a class name; {hint}")
    return index_of(indices[0], count, class_names)


def resolved(class_id: ClassId) -> int:
    """A class number; ValueError naming ``target`` for a name, which has none yet."""
    if isinstance(class_id, str):
        raise ValueError(  # noqa: TRY004 - a name is a valid type, it only comes too early
            f"target: {class_id!r} has no class id yet; pass the target through ensure_target"
        )
    return operator.index(class_id)


def name_of(class_id: ClassId, class_names: Sequence[str] | None) -> str:
    """The name of a class, or its number in words."""
    if isinstance(class_id, str):
        return class_id
    index = operator.index(class_id)
    return f"class {index}" if class_names is None else class_names[index]
