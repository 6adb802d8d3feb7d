"""Maps over the image: that of a run's cells, and those of other methods, which a reader puts in its place.

A method with cells of its own is explored in these. Any other gives a map over the image: it is shown whole,
as a layer, and the cells of ``Wcam()`` carry what of it lies over them, so that it too can be taken apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from wcam_widget.evaluate.scoring_space import carried
from wcam_widget.explain import AbstractMethod, Attribution, Probe
from wcam_widget.sensitivity import GroupEstimate, Kind
from wcam_widget.show.frame import encode
from wcam_widget.show.frames import VERSION, finite
from wcam_widget.show.heat import heat_map, usual_cell

Source = AbstractMethod | Attribution
"""What a layer is made from: a method, asked when its turn comes, or a map that is there already."""

MOST_LAYERS = 16  # every page and every reload carries all of them
ACCEPTED = "a method, an Attribution, a list of them, or a table of names and them"
CARRIED = "mean over the cell's place (the map itself tells no scales)"
SPREAD = "spread from the map's own cells over these, band by band"


@dataclass(frozen=True, eq=False)
class Layer:
    """One map over the image: ``attribution`` is None before the first step; ``error`` says what ended it.

    ``main`` stands in for the map of the run's own cells, where the method has none.
    """

    name: str
    attribution: Attribution | None = None
    error: str = ""
    main: bool = False

    @cached_property
    def heat(self) -> Float[np.ndarray, "h w"] | None:
        """The map over the image, worked out once however often it is sent; None where there is none."""
        return None if self.attribution is None else heat_map(self.attribution).astype(np.float32)


def on_cells(attribution: Attribution, probe: Probe) -> Attribution:
    """An attribution with values at the cells of ``probe``: itself, or what ``carried`` makes of it.

    Of values that come from other cells there are no intervals and slopes, and of a map over the image no
    totals of bands either: they are NaN.
    """
    if np.array_equal(attribution.cells.rectangles, probe.cells.rectangles):
        return attribution
    values = carried(attribution, probe.basis, probe.cells)
    unknown = np.full(len(values), np.nan)
    same_bands = [band.name for band in attribution.cells.bands] == [band.name for band in probe.cells.bands]
    groups = attribution.estimate.groups if same_bands else _without_bands(len(probe.cells.bands))
    estimate = replace(
        attribution.estimate,
        value=values,
        low=unknown,
        high=unknown,
        kind=np.full(len(values), Kind.ESTIMATED, np.int8),
        error=unknown,
        first=unknown,
        slope=unknown,
        left_out=np.zeros((0, len(values))),
        groups=groups,
    )
    return replace(
        attribution,
        estimate=estimate,
        cells=probe.cells,
        basis=probe.basis,
        unit=f"{attribution.unit}, {SPREAD if same_bands else CARRIED}",
    )


def _without_bands(count: int) -> GroupEstimate:
    """What is known of bands where nothing is."""
    unknown = np.full(count, np.nan)
    return GroupEstimate(
        total=unknown,
        low=unknown,
        high=unknown,
        shapley=unknown,
        closed=unknown,
        left_out=np.zeros((0, count)),
    )


def layers_frame(layers: Sequence[Layer], probe: Probe, run: str) -> bytes:
    """The frame of all layers that have a map or an error, whole or partial; each one replaces the last.

    Maps are float32 over the image, in the unit that each names; where there is an error there is no map.
    """
    shown = [layer for layer in layers if layer.attribution is not None or layer.error]
    height, width = probe.cells.image_size
    header = {
        "kind": "layers",
        "version": VERSION,
        "run": run,
        "image": {"height": height, "width": width},
        "layers": [_described(layer) for layer in shown],
    }
    maps = {f"map{number}": layer.heat for number, layer in enumerate(shown) if layer.heat is not None}
    return encode(header, maps)


def _described(layer: Layer) -> dict[str, Any]:
    found = layer.attribution
    height, width = (1.0, 1.0) if found is None else usual_cell(found.cells)
    return {
        "name": layer.name,
        "main": layer.main,
        "error": layer.error,
        "drawn": found is not None,
        "method": "" if found is None else found.method,
        "target": {
            "label": "" if found is None else found.target,
            "score": None if found is None else finite(found.score),
        },
        "unit": "" if found is None else found.unit,
        "cell_height": height,
        "cell_width": width,
        "signed": found is not None and found.signed,
        "complete": found is not None and found.complete,
        "stop": "" if found is None else found.stop,
    }


def ensure_layers(layers: Any, size: tuple[int, int], argument: str = "layers") -> dict[str, Source]:
    """Layers by name, each of a method or of an attribution of an image of ``size``.

    Without names they are called by their method, numbered where one comes twice. Raises TypeError and
    ValueError naming ``argument``.
    """
    if isinstance(layers, Mapping):
        names, sources = list(layers), list(layers.values())
        if any(not isinstance(name, str) or not name for name in names):
            raise TypeError(f"{argument}: found names {names!r:.80}; accepted are texts that are not empty")
    else:
        sources = [layers] if isinstance(layers, Source) else _listed(layers, argument)
        names = []
    for number, source in enumerate(sources):
        where = f"{argument}[{names[number]!r}]" if names else f"{argument}[{number}]"
        if not isinstance(source, Source):
            raise TypeError(f"{where}: found {type(source).__qualname__}; accepted is {ACCEPTED}")
        found = source.cells.image_size if isinstance(source, Attribution) else size
        if found != size:
            raise ValueError(
                f"{where}: found a map of {found[0]}x{found[1]} pixels; the image has {size[0]}x{size[1]}"
            )
    if len(sources) > MOST_LAYERS:
        raise ValueError(f"{argument}: found {len(sources)}; accepted are at most {MOST_LAYERS}")
    return dict(zip(names or numbered([_title(one) for one in sources]), sources, strict=True))


def _listed(layers: Any, argument: str) -> list[Any]:
    if isinstance(layers, str) or not isinstance(layers, Sequence):
        raise TypeError(f"{argument}: found {type(layers).__qualname__}; accepted is {ACCEPTED}")
    return list(layers)


def _title(source: Source) -> str:
    return source.title if isinstance(source, AbstractMethod) else source.method.partition(" · ")[0]


def numbered(names: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """The names, with a number after each that stands there, or in ``taken``, already.

    >>> numbered(["cat", "dog", "cat", "cat-2"]), numbered(["cat"], taken=["cat"])
    (['cat', 'dog', 'cat-2', 'cat-2-2'], ['cat-2'])
    """
    free: list[str] = []
    for name in names:
        tries = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        free.append(next(one for one in tries if one not in free and one not in taken))
    return free
