"""What other widgets can be linked with: the traits of an explorer that Python alone reads and sets."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, final

import numpy as np
import traitlets

from wcam_widget.basis import Cells
from wcam_widget.model import AbstractTarget, Logit
from wcam_widget.show.explorer.readout import Readout
from wcam_widget.show.explorer.retarget import retarget_all
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.snapshot import Snapshot

SHARED = ("selection", "mode", "layer", "level")


class TargetTrait(traitlets.Any):
    """What is explained: a class id, or a Probability, a Margin or a target of one's own."""

    def validate(self, obj: Any, value: Any) -> Any:
        """The target as it is written back; TraitError where the model has no such class."""
        session = getattr(obj, "_session", None)
        if session is None:  # before the first look at the image its highest class is not known
            return value
        try:
            return written(session.resolve(value))
        except (TypeError, ValueError) as error:
            raise traitlets.TraitError(str(error)) from None

    def set(self, obj: Any, value: Any) -> None:
        """Set it, and let nobody tell the old target in the meantime."""
        with obj._guard:  # noqa: SLF001 a trait is part of its object
            super().set(obj, value)


def written(target: AbstractTarget) -> Any:
    """A target as short as ``explore`` takes it: a class id for the logit of a class.

    >>> from wcam_widget.model import Margin
    >>> written(Logit(3)), written(Margin(3, 5))
    (3, Margin(class_id=3, other=5))
    """
    return target.class_id if isinstance(target, Logit) else target


@final
class ExplorerLink:
    """Two explorers that share what their reader chose, until ``unlink`` or until one of them is closed.

    Args:
        one: the explorer whose choices hold at first.
        other: the one that takes them over.
        names: the traits that are shared.
    """

    def __init__(self, one: Linked, other: Linked, names: Sequence[str]) -> None:
        self._ends: tuple[Linked, ...] = (one, other)
        self._names = tuple(names)
        for name in self._names:
            _pass_on(other, name, getattr(one, name))
        for end in self._ends:
            end.observe(self._changed, self._names)

    def unlink(self) -> None:
        """Let each go its own way; may be called twice."""
        for end in self._ends:
            end.unobserve(self._changed, self._names)
            end.links -= {self}
        self._ends = ()

    def _changed(self, change: Any) -> None:
        for end in self._ends:
            if end is not change.owner:
                _pass_on(end, change.name, change.new)


def _pass_on(explorer: Linked, name: str, value: Any) -> None:
    """Set a trait where it can have the value: of two explorers one may lack a layer."""
    with suppress(traitlets.TraitError):
        setattr(explorer, name, value)


class Linked(Readout):
    """The part of an explorer that other widgets are linked with."""

    target = TargetTrait(help="what is explained: a class id, or a target; class names are taken, too")
    progress = traitlets.Float(0.0, help="the share of the run that is done, 0 to 1")

    links: frozenset[ExplorerLink] = (
        frozenset()
    )  # also of one whose making was refused, and that is closed all the same

    def link(self, other: Linked, names: Sequence[str] = SHARED) -> ExplorerLink:
        """Share the reader's choices with another explorer, such as that of another image of this size.

        Args:
            other: the explorer that takes over the choices of this one.
            names: the traits that are shared; a layer is, where both have one of this name.

        Returns:
            The link, whose ``unlink`` ends it; closing one of the explorers does, too.

        Raises:
            ValueError: naming ``other`` where its cells are not the same, so that a selection has no meaning.
            RuntimeError: when one of the explorers is closed.
        """
        mine, theirs = self.open_cells, other.open_cells
        if "selection" in names and not np.array_equal(mine.rectangles, theirs.rectangles):
            raise ValueError(
                f"other: its {len(theirs)} cells are not the {len(mine)} of this explorer, so that the same "
                "selection means something else; accepted are explorers with equal cells, or names without "
                "'selection'"
            )
        made = ExplorerLink(self, other, names)
        self.links |= {made}
        other.links |= {made}
        return made

    @property
    def open_cells(self) -> Cells:
        """The cells that a selection is of; RuntimeError when the explorer is closed."""
        return self._open_session.probe.cells

    def unlink_all(self) -> None:
        """End all links."""
        for one in self.links:
            one.unlink()

    @traitlets.observe("target")
    def _retarget(self, change: Any) -> None:
        # Where a snapshot brought the target it is that of the session already.
        if self._session is not None and self._session.resolve(change.new) != self._session.probe.target:
            retarget_all(self._together(), lambda _: change.new)

    def _together(self) -> tuple[Session, ...]:
        """The sessions that another target is chosen for."""
        return (self._open_session,)

    _told = 0  # the number of the latest snapshot

    def _tell(self, snapshot: Snapshot) -> None:
        """Bring these traits up to what is shown; under the guard."""
        if self._session is None or snapshot.number < self._told:
            return
        self._told = snapshot.number
        self.target = written(self._session.probe.target)  # the snapshot may be older
        progress = snapshot.progress
        if progress.state == "done":
            self.progress = 1.0
        else:
            self.progress = min(1.0, progress.done / progress.total) if progress.total else 0.0
