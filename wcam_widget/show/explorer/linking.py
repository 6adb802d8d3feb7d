"""What other widgets can be linked with: the traits of an explorer that Python alone reads and sets."""

from __future__ import annotations

from typing import Any

import traitlets

from wcam_widget.model import AbstractTarget, Logit
from wcam_widget.show.explorer.readout import Readout
from wcam_widget.show.snapshot import Snapshot


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


class Linked(Readout):
    """The part of an explorer that other widgets are linked with."""

    target = TargetTrait(help="what is explained: a class id, or a target; class names are taken, too")
    progress = traitlets.Float(0.0, help="the share of the run that is done, 0 to 1")

    @traitlets.observe("target")
    def _retarget(self, change: Any) -> None:
        if self._session is not None:
            self._session.retarget(change.new)

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
