"""The tasks by their names, and what a caller may write for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate import sufficient_row
from wcam_widget.model import BlackBox
from wcam_widget.study.fingerprint import in_words
from wcam_widget.study.row import Row
from wcam_widget.study.tasks.corruptions import corruptions, ensure_versions
from wcam_widget.study.tasks.prediction import prediction
from wcam_widget.study.tasks.profile import profile
from wcam_widget.study.tasks.zoom import ensure_zoom, zoom_row

TaskFunction: TypeAlias = Callable[..., Mapping[str, Any]]
if TYPE_CHECKING:
    AskLike: TypeAlias = "str | TaskFunction | Sequence[str | TaskFunction] | Mapping[str, Mapping[str, Any]]"
else:
    AskLike = Any  # checked here, with an error in the caller's words


@final
@dataclass(frozen=True, eq=False)
class Task:
    """A measurement of one image, which depends on nothing but its arguments.

    Args:
        name: Before the names of its columns.
        function: Called with the model, an image (C, H, W) in [0, 1], the class id of its label or None, and
            the options by name; returns numbers, words and maps (arrays) by name. Columns whose names end in
            ``.low`` and ``.high`` are the interval of another one. Where it takes ``maps``, it says
            whether maps are kept.
        version: Raised where the same options come to mean something else.
        options: By name.
        fitted: Whether the image has gone through ``BlackBox.fit``; if not it is as it is stored.
        check: Called with the options when a study is made; raises what names one that is not valid.
    """

    name: str
    function: TaskFunction
    version: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    fitted: bool = True
    check: Callable[..., object] | None = None

    def __call__(self, model: BlackBox, image: Float[Tensor, "c h w"], label: int | None) -> Row:
        """The row of one image, its columns named after the task.

        Args:
            model: The model.
            image: (C, H, W) in [0, 1].
            label: A class id or None.
        """
        row: Row = {}
        for name, value in self.function(model, image, label, **self.options).items():
            column = f"{self.name}.{name}"
            if isinstance(value, Tensor):
                value = value.detach().cpu().numpy()  # noqa: PLW2901
            if isinstance(value, np.ndarray) and value.ndim:
                row[f"{column}.shape"] = "x".join(map(str, value.shape))
                row[column] = value.astype(np.float32).ravel()
            else:
                row[column] = value.item() if isinstance(value, np.generic | np.ndarray) else value
        return row

    def with_options(self, options: Mapping[str, Any]) -> Task:
        """The same task with some options; ValueError naming one that it does not take."""
        takes = options_of(self.function)
        for option in options:
            if option not in takes:
                known = ", ".join(takes) or "none"
                raise ValueError(f"ask: {self.name} does not take {option!r}; its options are: {known}")
        return replace(self, options={**self.options, **options})

    def ensure(self) -> None:
        """Raise ValueError or TypeError naming ``ask`` where an option is not valid."""
        try:
            if self.check is not None:
                self.check(**self.options)
        except (ValueError, TypeError) as error:
            raise type(error)(f"ask: {self.name}: {error}") from error

    def words(self) -> dict[str, str]:
        """What tells it from other measurements of the same name, for a reader."""
        options = {option: in_words(value) for option, value in sorted(self.options.items())}
        own = (
            {} if TASKS.get(self.name, self).function is self.function else {"code": in_words(self.function)}
        )
        size = {} if self.fitted else {"fitted": "False"}
        return {"version": str(self.version), **own, **size, **options}


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("corruptions", corruptions, check=ensure_versions),
        Task("prediction", prediction),
        Task("profile", profile),
        Task("sufficiency", sufficient_row),
        Task("zoom", zoom_row, fitted=False, check=ensure_zoom),
    )
}
"""The tasks by their names."""


def options_of(function: TaskFunction) -> list[str]:
    """The names of the options that a function takes after model, image and label."""
    return list(inspect.signature(function).parameters)[3:]


def ensure_tasks(ask: AskLike, *, maps: bool = False) -> tuple[Task, ...]:
    """The tasks that a caller wrote; TypeError or ValueError naming ``ask`` for anything else.

    Args:
        ask: A name of ``TASKS``, a function as ``Task`` takes it, or several; or a mapping of names to
            options.
        maps: Whether tasks that make maps keep them.

    >>> [task.name for task in ensure_tasks(("prediction", "profile"))]
    ['prediction', 'profile']
    >>> ensure_tasks("profle")
    Traceback (most recent call last):
    ValueError: ask: 'profle' is not valid; did you mean 'profile'? Accepted are corruptions, \
prediction, profile, sufficiency, zoom and functions
    """
    if isinstance(ask, str) or callable(ask):
        ask = (ask,)
    if not isinstance(ask, Mapping | Sequence):
        raise TypeError(f"ask: found {type(ask).__qualname__}; accepted are {_accepted()}")
    options: Mapping[Any, Mapping[str, Any]] = ask if isinstance(ask, Mapping) else {}
    tasks = tuple(_task(one).with_options(options.get(one, {})) for one in ask)
    for task in tasks:
        task.ensure()
    names = [task.name for task in tasks]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"ask: found {names}; accepted are {_accepted()}, each once")
    return tuple(
        task.with_options({"maps": maps}) if "maps" in options_of(task.function) else task for task in tasks
    )


def _accepted() -> str:
    return f"{', '.join(TASKS)} and functions"


def _task(one: Any) -> Task:
    if isinstance(one, Task):
        return one
    if isinstance(one, str):
        if one in TASKS:
            return TASKS[one]
        near = get_close_matches(one, TASKS)
        hint = f"; did you mean {near[0]!r}? Accepted" if near else "; accepted"
        raise ValueError(f"ask: {one!r} is not valid{hint} are {_accepted()}")
    if callable(one):
        return Task(getattr(one, "__name__", type(one).__name__).strip("<>"), one)
    raise TypeError(f"ask: found {type(one).__qualname__}; accepted are {_accepted()}")
