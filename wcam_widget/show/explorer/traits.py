"""Traits of an explorer that are checked against its session, from Python and from JavaScript alike."""

from __future__ import annotations

from typing import Any

import traitlets

from wcam_widget.show.selection import ensure_selection


class CellIds(traitlets.List[int]):
    """Cell ids; anything that names cells is taken and made a sorted list."""

    def validate(self, obj: Any, value: Any) -> list[int]:
        """The ids, sorted; TraitError where they name no cells."""
        session = getattr(obj, "_session", None)
        if session is None:  # before the first run there are no cells to choose
            return super().validate(obj, value) or []
        try:
            return ensure_selection(value, session.probe.cells)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None


class LayerName(traitlets.Unicode[str, str]):
    """The name of a layer there is, or "" for the map of the run."""

    def validate(self, obj: Any, value: Any) -> str:
        """The name as it is; TraitError, with the layers there are, where there is no such layer."""
        name: str = super().validate(obj, value)
        session = getattr(obj, "_session", None)
        known = [] if session is None else list(session.layers)
        if session is not None and name and name not in known:
            raise traitlets.TraitError(
                f"layer: found {name!r}; accepted are '' and the layers there are: "
                f"{', '.join(known) or 'none, add_layer makes one'}"
            )
        return name
