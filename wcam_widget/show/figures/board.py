"""Three linked pictures of one image in a figure: where, at which scale, and what is left of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.backend_bases import Event, LocationEvent
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from wcam_widget.basis import Cells
from wcam_widget.explain.attribution import Attribution
from wcam_widget.show.figures.bands import draw_bands
from wcam_widget.show.figures.heatmap import draw_heatmap
from wcam_widget.show.figures.lettering import fit_names, set_heading, text_size, width_of, wrapped
from wcam_widget.show.scale import Colours
from wcam_widget.show.words import format_value, probability

ACCENT = "#e6007e"
"""Of what is pointed at and selected: it stands out of all maps."""

_OPACITY = 0.6
_DIMMED = (0.0, 0.0, 0.0, 0.6)


@final
class Board:
    """The pictures, and the words around them.

    Args:
        figure: where they stand.
        pixels: the image, (C, H, W).
        cells: the cells that are selected and pointed at.
    """

    def __init__(self, figure: Figure, pixels: Float[Tensor, "c h w"], cells: Cells) -> None:
        self.cells = cells
        self.where, self.scale, self.rebuilt = figure.subplots(1, 3)
        self._figure, self._pixels = figure, _drawable(pixels)
        self._marks: dict[str, PolyCollection] = {}
        self._line = figure.supxlabel("", fontsize=text_size(), parse_math=False)
        for axes, words in ((self.where, "Where in the image"), (self.scale, "At which scale")):
            set_heading(axes, words)
            axes.set(xticks=[], yticks=[])
        self.where.imshow(self._pixels, extent=self._extent, interpolation="none")

    @property
    def _extent(self) -> tuple[float, float, float, float]:
        height, width = self.cells.image_size
        return (0.0, float(width), float(height), 0.0)

    def draw_map(self, attribution: Attribution) -> None:
        """Draw the heat and the bands anew."""
        self._marks.clear()
        for axes in (self.where, self.scale):
            axes.clear()
        draw_heatmap(self.where, attribution, self._pixels, Colours(), _OPACITY)
        draw_bands(self.scale, attribution, Colours())
        fit_names(self.scale)

    def draw_rebuilt(self, image: Float[Tensor, "c h w"], title: str) -> None:
        """Draw the image of what is kept."""
        self.rebuilt.clear()
        self.rebuilt.set_label("reconstruction")
        self.rebuilt.imshow(_drawable(image), extent=self._extent, interpolation="none")
        self.rebuilt.set(xticks=[], yticks=[])
        set_heading(self.rebuilt, title)

    def draw_kept(self, kept: NDArray[np.bool_]) -> None:
        """Dim the cells that are not kept, and frame those that are where some are not."""
        some = not kept.all()
        self._mark("dimmed", self.scale, self._bands(np.flatnonzero(~kept)), facecolor=_DIMMED)
        framed = self._bands(np.flatnonzero(kept)) if some else []
        self._mark("kept", self.scale, framed, edgecolor=ACCENT, facecolor="none", linewidth=0.8)

    def point(self, places: Int[np.ndarray, " k"], scales: Int[np.ndarray, " m"]) -> None:
        """Outline the places of some cells in the image, and others where they stand in their bands."""
        outline = {"edgecolor": ACCENT, "facecolor": "none", "linewidth": 1.6}
        self._mark("place", self.where, [_corners(*self.cells.support[cell]) for cell in places], **outline)
        self._mark("scale", self.scale, self._bands(scales), **outline)

    def cell_under(self, event: Event) -> int | None:
        """The cell of the dyadic view under the mouse; None elsewhere and in a gap."""
        if not isinstance(event, LocationEvent) or event.inaxes is not self.scale:
            return None
        column, row, index = event.xdata or 0.0, event.ydata or 0.0, self.cells.index
        if not (0 <= row < index.shape[0] and 0 <= column < index.shape[1]):
            return None
        cell = int(index[int(row), int(column)])
        return None if cell == len(self.cells) else cell

    def say(self, words: str) -> None:
        """Write the line below the pictures."""
        self._line.set_text(wrapped(words, 72.0 * self._figure.get_figwidth(), text_size()))

    def say_answer(self, words: str) -> None:
        """Write the sentence above the pictures."""
        size = text_size() + 1.0
        self._figure.suptitle(
            wrapped(words, 72.0 * self._figure.get_figwidth(), size), fontsize=size, parse_math=False
        )

    def say_scores(self, lines: Sequence[str]) -> None:
        """Write the scores below the reconstruction."""
        size, width = text_size(), width_of(self.rebuilt)
        words = "\n".join(wrapped(line, width, size) for line in lines)
        self.rebuilt.set_xlabel(words, fontsize=size, parse_math=False)

    def _bands(self, cells: Int[np.ndarray, " k"]) -> list[NDArray[np.float64]]:
        return [
            _corners(top, left, top + height, left + width)
            for _, top, left, height, width in self.cells.rectangles[cells].astype(float).tolist()
        ]

    def _mark(self, name: str, axes: Axes, polygons: list[NDArray[np.float64]], **look: Any) -> None:
        mark = self._marks.get(name)
        if mark is None:
            mark = self._marks[name] = PolyCollection(polygons, zorder=5, **look)
            axes.add_collection(mark, autolim=False)
        mark.set_verts(polygons)


def cell_words(attribution: Attribution, cell: int) -> str:
    """A cell and its value in words."""
    band = attribution.cells.bands[int(attribution.cells.groups[cell])]
    words = f"{band.name}: {format_value(float(attribution.values[cell]))}"
    low, high = float(attribution.low[cell]), float(attribution.high[cell])
    if low < high:
        words += f" ({format_value(low)} to {format_value(high)})"
    return f"{words}, {attribution.unit}"


def score_lines(answer: Mapping[str, Any]) -> list[str]:
    """What an answer says: what became of the decision, and scores of classes before and after."""
    bounded = answer["unit"].startswith("probability")
    number = probability if bounded else format_value
    values = [
        f"{one['label']}: {number(_known(one['original']))} to {number(_known(one['reconstruction']))}"
        for one in answer["classes"]
    ]
    return [answer["verdict"], *values]


def _known(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _corners(top: float, left: float, bottom: float, right: float) -> NDArray[np.float64]:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def _drawable(image: Float[Tensor, "c h w"]) -> NDArray[np.float32]:
    """An image as (H, W, 3) in [0, 1]."""
    height, width = image.shape[1:]
    pixels = image.clamp(0.0, 1.0).expand(3, height, width) if image.shape[0] == 1 else image.clamp(0.0, 1.0)
    drawable: NDArray[np.float32] = pixels.permute(1, 2, 0).cpu().numpy()
    return drawable
