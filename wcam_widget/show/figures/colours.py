"""Colours and colour bars of figures."""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, FuncNorm, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.transforms import Bbox

from wcam_widget.show.figures.lettering import LINE, text_size, width_of, wrapped
from wcam_widget.show.scale import LevelScales, Scale

BLUE, ORANGE = "#0b5394", "#c65d00"
"""Less and more, which all eyes tell apart."""

GAP, THICKNESS = 4.0, 6.0
"""Points between a panel and its colour bar, and those of the bar."""


def colours_of(scale: Scale | LevelScales, colormap: str) -> Colormap:
    """The colour map of that name; for values of both signs blue to orange, with white at 0."""
    if scale.signed:
        return LinearSegmentedColormap.from_list("signed", [BLUE, "#ffffff", ORANGE])
    return mpl.colormaps[colormap]


def norm_of(scale: Scale) -> Normalize:
    """The scale as matplotlib takes it; values beyond its ends have the colours of the ends."""
    top = scale.top or 1.0
    low = -top if scale.signed else 0.0
    if scale.kind == "linear" or scale.top == 0:
        return Normalize(vmin=low, vmax=top, clip=True)
    return FuncNorm((scale.place, scale.values_at), vmin=low, vmax=top, clip=True)


class Bar(NamedTuple):
    """A colour bar, and how far its words reach below it, in points."""

    axes: Axes
    depth: float


def colour_bar(axes: Axes, drawn: AxesImage, scale: Scale | LevelScales, unit: str, *notes: str) -> Bar:
    """A bar below the axes, as wide as these, with the ticks of the explorer; notes are lines of words."""
    words = "\n".join([unit + scale.words.replace(" ", "\n", 1), *notes])
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101  axes made by subplots always stand in one
    places = [0.0, 0.5, 1.0]
    if isinstance(scale, Scale):
        places = places if scale.top > 0 else [0.0]
        ticks = [scale.value_at(place) for place in places]
    else:
        ticks = places
    size = text_size()
    place = axes.inset_axes((0.0, -0.1, 1.0, 0.05), label="colour bar")
    place.set_axes_locator(_under(axes))
    bar = figure.colorbar(drawn, cax=place, orientation="horizontal")
    place.set_label("colour bar")
    bar.set_ticks(ticks, labels=[scale.tick_words(place) for place in places])
    bar.ax.tick_params(labelsize=size, pad=1.5, length=2.0)
    _keep_within(bar.ax)
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)  # the map itself, not the map over the image
        bar.solids.set_edgecolor("face")  # else pages of vectors show lines between the colours
    words = wrapped(words, width_of(axes), size)
    bar.set_label(words, fontsize=size, parse_math=False, labelpad=1.5)
    return Bar(bar.ax, 8.0 + LINE * size * (2 + words.count("\n")))


def _keep_within(axes: Axes) -> None:
    """Let the outer ticks' words end where the bar does, so that they do not meet those of a neighbour."""
    labels = axes.get_xticklabels()
    if len(labels) > 1:
        labels[0].set_horizontalalignment("left")
        labels[-1].set_horizontalalignment("right")


def _under(axes: Axes) -> Any:
    """Where the bar of a panel stands, whatever place and size the panel has."""

    def locate(_axes: object, _renderer: object) -> Bbox:
        figure = axes.get_figure(root=True)
        assert figure is not None  # noqa: S101  as above
        box, point = axes.get_position(), 1.0 / 72.0 / figure.get_figheight()
        top = box.y0 - GAP * point
        return Bbox.from_extents(box.x0, top - THICKNESS * point, box.x1, top)

    return locate
