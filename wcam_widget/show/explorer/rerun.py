"""A cell that is run again replaces the explorers that it made before."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from wcam_widget.ipython import running_shell

OUTPUTS = ("_", "__", "___")  # what IPython calls the last three results


class Run(NamedTuple):
    """One run of one cell."""

    cell: str
    number: str


@runtime_checkable
class Replaceable(Protocol):
    """What a cell has made and makes again when it runs again."""

    def give_way(self) -> None:
        """End, because another one takes the place."""


Made = TypeVar("Made", bound=Replaceable)

_made: dict[str, list[tuple[Run, weakref.ref[Replaceable]]]] = {}


def running_cell() -> Run | None:
    """The cell that runs now; None outside notebooks, and in those that give their cells no id."""
    parent: dict[str, Any] = getattr(running_shell(), "get_parent", dict)() or {}
    cell, number = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    return Run(str(cell), str(number)) if cell and number else None


def replace_earlier(explorer: Made) -> Made:
    """Close the explorers of earlier runs of the cell that has made this one, which is returned.

    Their place on the page is gone, and ipywidgets would keep them, their model and their code for ever.
    IPython's history of results forgets them too.
    """
    run = running_cell()
    if run is None:
        return explorer
    before = _made.get(run.cell, [])
    kept = [(its, one) for its, one in before if its == run and one() is not None]
    _made[run.cell] = [*kept, (run, weakref.ref(explorer))]
    for its, one in before:
        if its != run and (earlier := one()) is not None:
            earlier.give_way()
            _forget_result(running_shell(), earlier)
    return explorer


def _forget_result(shell: Any, result: Any) -> None:
    """Take a result out of IPython's history: ``Out``, ``_12``, ``_``."""
    history = shell.user_ns.get("_oh", {})
    numbers = [number for number, one in history.items() if one is result]
    for number in numbers:
        del history[number]
    # IPython keeps a second table, of the names that it has made itself.
    for names in (shell.user_ns, shell.user_ns_hidden):
        for name in [f"_{number}" for number in numbers]:
            names.pop(name, None)
        names.update({name: None for name in OUTPUTS if names.get(name) is result})
    for name in OUTPUTS:
        if getattr(shell.displayhook, name, None) is result:
            setattr(shell.displayhook, name, None)
