"""What becomes a map over the image: a method, run when its turn comes, or a map that is there already.

A method with cells of its own is explored in these. Any other gives a map over the image: it is shown as
a layer, and the cells of ``Wcam()`` carry what of it lies over them, so that it too can be taken apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from wcam_widget.explain import AbstractMethod, Attribution

Source = AbstractMethod | Attribution
"""What a layer is made from: a method, run when its turn comes, or a map that is there already."""

if TYPE_CHECKING:
    LayerLike: TypeAlias = Source
    LayersLike: TypeAlias = Source | Sequence[Source] | Mapping[str, Source]
else:
    LayerLike = LayersLike = Any  # checked by ``ensure_layers``, with errors in the caller's words

MOST_LAYERS = 16  # every page and every reload carries all of them
ACCEPTED = "a method, an Attribution, a list of them, or a table of names and them"


def ensure_layers(layers: LayersLike, size: tuple[int, int], argument: str = "layers") -> dict[str, Source]:
    """Methods and attributions by the names of the layers that they become.

    Args:
        layers: one, a list of them, or a table of names and them; without names they are called by their
            method, numbered where one comes twice.
        size: height and width of the image.
        argument: what the caller calls it.

    Returns:
        Methods and attributions by name.

    Raises:
        TypeError: naming ``argument``, for anything else.
        ValueError: for a map of another size, and for too many.
    """
    names: list[Any] = []
    if isinstance(layers, Mapping):
        names, sources = list(layers), list(layers.values())
        if any(not isinstance(name, str) or not name for name in names):
            raise TypeError(f"{argument}: found names {names!r:.80}; accepted are texts that are not empty")
    else:
        sources = [layers] if isinstance(layers, Source) else _listed(layers, argument)
    for number, source in enumerate(sources):
        where = f"{argument}[{names[number]!r}]" if names else f"{argument}[{number}]"
        if not isinstance(source, Source):
            raise TypeError(f"{where}: found {type(source).__qualname__}; accepted is {ACCEPTED}")
        given = source.cells.image_size if isinstance(source, Attribution) else size
        if given != size:
            raise ValueError(
                f"{where}: found a map of {given[0]}x{given[1]} pixels; the image has {size[0]}x{size[1]}"
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
