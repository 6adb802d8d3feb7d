"""A call of what must not be kept alive by whoever calls it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar, final

P = ParamSpec("P")
T = TypeVar("T")


@final
class WeakCall(Generic[P, T]):
    """Calls a method of an object while there is the object, and does nothing afterwards.

    A worker and a table of messages hold these of an explorer: they must not be what keeps it alive.

    Args:
        method: a bound method.

    >>> class Widget:
    ...     def name(self) -> str:
    ...         return "widget"
    >>> widget = Widget()
    >>> call = WeakCall(widget.name)
    >>> call()
    'widget'
    >>> del widget
    >>> call() is None
    True
    """

    def __init__(self, method: Callable[P, T]) -> None:
        self._method: weakref.WeakMethod[Callable[P, T]] = weakref.WeakMethod(method)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> T | None:
        """What the method returns; None where its object is gone."""
        method = self._method()
        return None if method is None else method(*arguments, **named)
