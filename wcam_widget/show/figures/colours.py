"""Colours and colour bars of figures."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, FuncNorm, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from wcam_widget.show.scale import LevelScales, Scale

BLUE, ORANGE = "#0b5394", "#c65d00"
"""Less and more, which all eyes tell apart."""


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


def colour_bar(axes: Axes, drawn: AxesImage, scale: Scale | LevelScales, words: str) -> None:
    """A bar below the axes with the ticks and words of the explorer."""
    words += scale.words.replace(" ", "\n", 1)
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101  axes made by subplots always stand in one
    places = [0.0, 0.5, 1.0]
    if isinstance(scale, Scale):
        places = places if scale.top > 0 else [0.0]
        ticks = [scale.value_at(place) for place in places]
    else:
        ticks = places
    bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.9, aspect=30, pad=0.02)
    bar.set_ticks(ticks, labels=[scale.tick_words(place) for place in places])
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)  # the map itself, not the map over the image
    bar.set_label(words, fontsize="small", parse_math=False)
