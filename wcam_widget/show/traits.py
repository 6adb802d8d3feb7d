"""The traits that an explorer and its front ends share: one table, from which every list of them is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import traitlets

from wcam_widget.show.scale import SCALES
from wcam_widget.show.selection import MODES, ensure_selection
from wcam_widget.show.words import level_name

PROTOCOL = 1  # the version of traits and messages; a test compares it with js/src/transport

MOST_SIDES = 64
"""Every page and every reload carries all of them."""

Direction = Literal["kernel", "both"]
if TYPE_CHECKING:
    from typing import TypeAlias

    Ids: TypeAlias = traitlets.List[int]
    Names: TypeAlias = traitlets.List[str]
    Name: TypeAlias = traitlets.Unicode[str, str]
else:  # the traitlets of hosted notebooks cannot be subscripted
    Ids, Names, Name = traitlets.List, traitlets.List, traitlets.Unicode


class CellIds(Ids):
    """Cell ids; anything that names cells is taken and made a sorted list."""

    def validate(self, obj: Any, value: Any) -> list[int]:
        """The ids, sorted; TraitError where they name no cells."""
        session = _session_of(obj, self)
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
        session = _session_of(obj, self)
        known = [] if session is None else session.layer_names
        if session is not None and name and name not in known:
            raise traitlets.TraitError(
                f"layer: found {name!r}; accepted are '' and the layers there are: "
                f"{', '.join(known) or 'none, add_layer makes one'}"
            )
        return name


class LevelNames(Names):
    """Names of levels: "A3" for the coarse image, "level 2", "pixels"."""

    def validate(self, obj: Any, value: Any) -> list[str]:
        """The names as they are; TraitError, with the levels there are, where one is not."""
        names: list[str] = super().validate(obj, value) or []
        session = _session_of(obj, self)
        known = names if session is None else list(dict.fromkeys(map(level_name, session.probe.cells.bands)))
        for name in names:
            if name not in known:
                raise traitlets.TraitError(f"level: found {name!r}; accepted are {', '.join(known)}")
        return names


class ShownSides(Ids):
    """The numbers of the sides that are shown: one, or two beside each other."""

    def validate(self, obj: Any, value: Any) -> list[int]:
        """The numbers as they are; TraitError where there are no such sides."""
        numbers = super().validate(obj, value) or []
        count = len(getattr(obj, "_sides", {}).get("names", ())) or 1
        if not 1 <= len(numbers) <= 2 or len(set(numbers)) < len(numbers) or not _within(numbers, count):
            raise traitlets.TraitError(
                f"shown: found {numbers!r:.80}; accepted are one or two numbers from 0 to {count - 1}"
            )
        return numbers


def _within(numbers: Sequence[Any], count: int) -> bool:
    return all(type(number) is int and 0 <= number < count for number in numbers)


def _session_of(widget: Any, trait: traitlets.TraitType[Any, Any]) -> Any:
    """The session that a trait belongs to; None before there is one."""
    number = trait.metadata.get("side", 0)
    return widget.session_of_side(number) if number else getattr(widget, "_session", None)


class PageTraits(traitlets.HasTraits):
    """Every trait that a front end reads, with its kind and its meaning (``help``).

    ``direction`` says who writes a trait: the "kernel" alone, or "both" sides. A trait is ``resent`` to a
    front end that has an older one, and sent again at the end of ``wait`` where it is of the ``outcome`` of a
    run. WidgetState in js/src/transport/afm.ts lists the same names and types; a test compares the two.
    Where several sides are compared, those of ``each_side`` exist once more for every further side, with its
    number behind the name: ``_frame_1``.
    """

    _target = traitlets.Dict(help="what is explained: its name in one word, class ids, and as Python").tag(
        sync=True, direction="kernel", resent=True, outcome=True, each_side=True
    )
    _picture = traitlets.Bytes(help="frame: the image, its coefficients, bands, cells and filters").tag(
        sync=True, direction="kernel", resent=True, each_side=True
    )
    _frame = traitlets.Bytes(help="frame: the latest attribution, with its profile").tag(
        sync=True, direction="kernel", resent=True, outcome=True, each_side=True
    )
    _layers = traitlets.Bytes(help="frame: further maps over the image").tag(
        sync=True, direction="kernel", resent=True, outcome=True, each_side=True
    )
    _status = traitlets.Dict(help="how far the run is, and its answer in words").tag(
        sync=True, direction="kernel", resent=True, outcome=True, each_side=True
    )
    _scores = traitlets.Dict(help="the latest scores of a selection").tag(
        sync=True, direction="kernel", resent=True, outcome=True, each_side=True
    )
    _known = traitlets.Dict(help="the scores of each band kept and removed, by question").tag(
        sync=True, direction="kernel", resent=True, outcome=True, each_side=True
    )
    _retention = traitlets.Bytes(help="frame: the score of the most important cells alone").tag(
        sync=True, direction="kernel", resent=True, outcome=True, each_side=True
    )
    _proto = traitlets.Int(PROTOCOL, help="the version of traits and messages").tag(
        sync=True, direction="kernel"
    )
    _sides = traitlets.Dict(help="what is compared: names of the sides, and where their profiles lie").tag(
        sync=True, direction="kernel"
    )
    _thumbnails = traitlets.Bytes(help="frame: a small image of every side").tag(
        sync=True, direction="kernel"
    )
    _difference = traitlets.Bytes(help="frame: the second shown side less the first, by the same masks").tag(
        sync=True, direction="kernel"
    )
    shown = ShownSides(default_value=[0], help="the sides that are shown: one, or two side by side").tag(
        sync=True, direction="both"
    )
    selection = CellIds(help="ids of the selected cells, sorted").tag(
        sync=True, direction="both", each_side=True
    )
    mode = traitlets.Enum(MODES, default_value="keep", help="what happens to the selected cells").tag(
        sync=True, direction="both"
    )
    level = LevelNames(help="the levels that the map over the image sums; all where none is named").tag(
        sync=True, direction="both"
    )
    layer = LayerName(help='the map over the image, "" for that of the run').tag(
        sync=True, direction="both", each_side=True
    )
    theme = traitlets.Enum(("auto", "light", "dark"), default_value="auto", help="the view's colours").tag(
        sync=True, direction="both"
    )
    colormap = traitlets.Enum(("cividis", "viridis"), default_value="cividis", help="the maps' colours").tag(
        sync=True, direction="both"
    )
    scale = traitlets.Enum(SCALES, default_value="auto", help="how values become colours").tag(
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

COMPARED = ("_sides", "_thumbnails", "_difference")
"""Those that hold something where several sides are compared, and are then resent as well."""

OUTCOME = tuple(name for name, one in _TRAITS.items() if one.metadata.get("outcome"))
"""What a run leaves behind."""

EACH_SIDE = tuple(name for name, one in _TRAITS.items() if one.metadata.get("each_side"))
"""Those that every side of a comparison has for itself."""


def side_name(name: str, side: int) -> str:
    """What a trait of a side is called.

    >>> side_name("_frame", 0), side_name("_frame", 2), side_name("mode", 2)
    ('_frame', '_frame_2', 'mode')
    """
    return f"{name}_{side}" if side and name in EACH_SIDE else name


def side_traits(side: int) -> dict[str, traitlets.TraitType[Any, Any]]:
    """The traits of a further side, to be added to a widget."""
    made = {}
    for name in EACH_SIDE:
        trait = copy(_TRAITS[name])
        trait.metadata = {**trait.metadata, "side": side}
        made[side_name(name, side)] = trait
    return made


def names_of(names: Sequence[str], sides: int) -> list[str]:
    """The names of traits with those of the further sides, each once.

    >>> names_of(["_frame", "mode"], 2)
    ['_frame', 'mode', '_frame_1']
    """
    return list(dict.fromkeys(side_name(name, side) for side in range(sides) for name in names))


def saved_names(state: Mapping[str, Any]) -> list[str]:
    """The names of all traits that a saved state must hold, whoever wrote it."""
    sides = state.get("_sides")
    named = sides.get("names") if isinstance(sides, dict) else None
    count = len(named) if isinstance(named, list) else 1
    return names_of(NAMES, max(1, min(count, MOST_SIDES)))
