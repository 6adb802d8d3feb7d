"""The traits that an explorer and its front ends share: one table, from which every list of them is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import traitlets

from wcam_widget.show.selection import MODES, ensure_selection

PROTOCOL = 1  # the version of traits and messages; a test compares it with js/src/transport

Direction = Literal["kernel", "both"]
if TYPE_CHECKING:
    from typing import TypeAlias

    Ids: TypeAlias = traitlets.List[int]
    Name: TypeAlias = traitlets.Unicode[str, str]
else:  # the traitlets of hosted notebooks cannot be subscripted
    Ids, Name = traitlets.List, traitlets.Unicode


class CellIds(Ids):
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


class LayerName(Name):
    """The name of a layer there is, or "" for the map of the run."""

    def validate(self, obj: Any, value: Any) -> str:
        """The name as it is; TraitError, with the layers there are, where there is no such layer."""
        name: str = super().validate(obj, value)
        session = getattr(obj, "_session", None)
        known = [] if session is None else session.layer_names
        if session is not None and name and name not in known:
            raise traitlets.TraitError(
                f"layer: found {name!r}; accepted are '' and the layers there are: "
                f"{', '.join(known) or 'none, add_layer makes one'}"
            )
        return name


class PageTraits(traitlets.HasTraits):
    """Every trait that a front end reads, with its kind and its meaning (``help``).

    ``direction`` says who writes a trait: the "kernel" alone, or "both" sides. A trait is ``resent`` to a
    front end that has an older one, and sent again at the end of ``wait`` where it is of the ``outcome`` of a
    run. WidgetState in js/src/transport/afm.ts lists the same names and types; a test compares the two.
    """

    _picture = traitlets.Bytes(help="frame: the image, its coefficients, bands, cells and filters").tag(
        sync=True, direction="kernel", resent=True
    )
    _frame = traitlets.Bytes(help="frame: the latest attribution, with its profile").tag(
        sync=True, direction="kernel", resent=True, outcome=True
    )
    _layers = traitlets.Bytes(help="frame: further maps over the image").tag(
        sync=True, direction="kernel", resent=True, outcome=True
    )
    _status = traitlets.Dict(help="how far the run is, and its answer in words").tag(
        sync=True, direction="kernel", resent=True, outcome=True
    )
    _scores = traitlets.Dict(help="the latest scores of a selection").tag(
        sync=True, direction="kernel", resent=True, outcome=True
    )
    _known = traitlets.Dict(help="the scores of each band kept and removed, by question").tag(
        sync=True, direction="kernel", resent=True, outcome=True
    )
    _retention = traitlets.Bytes(help="frame: the score of the most important cells alone").tag(
        sync=True, direction="kernel", resent=True, outcome=True
    )
    _proto = traitlets.Int(PROTOCOL, help="the version of traits and messages").tag(
        sync=True, direction="kernel"
    )
    selection = CellIds(help="ids of the selected cells, sorted").tag(sync=True, direction="both")
    mode = traitlets.Enum(MODES, default_value="keep", help="what happens to the selected cells").tag(
        sync=True, direction="both"
    )
    layer = LayerName(help='the map over the image, "" for that of the run').tag(sync=True, direction="both")
    theme = traitlets.Enum(("auto", "light", "dark"), default_value="auto", help="the view's colours").tag(
        sync=True, direction="both"
    )
    colormap = traitlets.Enum(("cividis", "viridis"), default_value="cividis", help="the maps' colours").tag(
        sync=True, direction="both"
    )
    opacity = traitlets.Float(0.6, min=0.0, max=1.0, help="opacity of the map over the image").tag(
        sync=True, direction="both"
    )


@dataclass(frozen=True)
class Trait:
    """One row of the table of traits."""

    name: str
    kind: type[traitlets.TraitType[Any, Any]]
    direction: Direction
    meaning: str


_TRAITS = {name: one for name, one in vars(PageTraits).items() if isinstance(one, traitlets.TraitType)}

TABLE = tuple(Trait(name, type(one), one.metadata["direction"], one.help) for name, one in _TRAITS.items())
"""All traits that a front end reads."""

NAMES = tuple(_TRAITS)
"""What a saved page holds of an explorer."""

FRAMES = tuple(trait.name for trait in TABLE if issubclass(trait.kind, traitlets.Bytes))
"""Those that hold encoded arrays."""

RESENT = tuple(name for name, one in _TRAITS.items() if one.metadata.get("resent"))
"""Those that a front end gets again which has older ones."""

OUTCOME = tuple(name for name, one in _TRAITS.items() if one.metadata.get("outcome"))
"""What a run leaves behind."""
