"""The bands of an attribution in a figure: the packed picture, as the transform lays it out."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from wcam_widget.explain.attribution import Attribution
from wcam_widget.sensitivity import Kind
from wcam_widget.show.figures.colours import Bar, colour_bar, colours_of, norm_of
from wcam_widget.show.figures.lettering import below, set_heading, text_size, width_of
from wcam_widget.show.scale import Colours, LevelScales, Scale, cut_shares, is_share, levels_of
from wcam_widget.show.words import unit_words

_PLACE = 0.86  # of the sides of a cell, where a mark stands
_SHARE, _SIZES, _LEAST_SIDE = 0.15, (1.0, 2.4), 4.0  # a mark takes this of a side, within these points
_ROOMY = 125.0  # points of a panel under which two marks are explained side by side
_MARKS: dict[Kind, tuple[str, MarkerStyle]] = {
    Kind.BOUNDED: ("only bounded", MarkerStyle((2, 2, -45))),
    Kind.UNRESOLVED: ("not resolved", MarkerStyle("o")),
}


def scale_of_bands(
    attributions: Sequence[Attribution], colours: Colours, *, signed: bool = False
) -> Scale | LevelScales:
    """One scale, or one for each level, for the cells of attributions of one unit."""
    values = np.concatenate([cut_shares(one.values, one.unit) for one in attributions])
    levels = np.concatenate([levels_of(one.cells) for one in attributions])
    signed = signed or any(one.signed for one in attributions)
    share = is_share(attributions[0].unit)
    if colours.per_level and levels.max() > 0:
        return LevelScales.of(values, levels, signed=signed, share=share, choice=colours.choice)
    return Scale.of(values, signed=signed, share=share, choice=colours.choice)


def draw_bands(
    axes: Axes, attribution: Attribution, colours: Colours, scale: Scale | LevelScales | None = None
) -> None:
    """Draw the packed picture with the names of its bands; ``scale`` is its own if None."""
    axes.set_label("dyadic view")
    set_heading(axes, "At which scale")
    cells, basis = attribution.cells, attribution.basis
    gaps = cells.index.numpy() == len(cells)
    values = cut_shares(attribution.values, attribution.unit)
    scale = scale_of_bands([attribution], colours) if scale is None else scale
    shown = scale.place(values, levels_of(cells)) if isinstance(scale, LevelScales) else values
    packed = np.where(gaps, np.nan, cells.packed(shown))
    arranged = basis.arranged(packed)
    picture = np.ma.masked_invalid(arranged)
    height, width = picture.shape
    drawn = axes.imshow(
        picture,
        extent=(0.0, float(width), float(height), 0.0),
        cmap=colours_of(scale, colours.colormap),
        norm=norm_of(scale) if isinstance(scale, Scale) else Normalize(0.0, 1.0),
        interpolation="none",  # pages of vectors then hold the cells themselves
    )
    axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))
    for spine in axes.spines.values():
        spine.set_visible(False)
    bounded = bool((attribution.kind == Kind.BOUNDED).all())  # marks would tell nothing apart
    words = [f"{unit_words(attribution.unit)}, per cell"]
    words += ["every value is an estimate between bounds"] if bounded and arranged is packed else []
    words += ["frequencies, zero in the middle"] if arranged is not packed else []
    bar = colour_bar(axes, drawn, scale, *words)
    if arranged is packed:  # elsewhere bands are no rectangles
        if not bounded:
            _mark_cells(axes, attribution, bar)
        for band in cells.bands:
            _frame_band(axes, band.name, band.rectangle)


def _frame_band(axes: Axes, name: str, rectangle: tuple[int, int, int, int]) -> None:
    top, left, height, width = rectangle
    ground, ink = mpl.rcParams["figure.facecolor"], mpl.rcParams["text.color"]
    axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=ground, linewidth=2.0))
    axes.text(
        left,
        top,
        name,
        color=ink,
        fontsize=text_size(),
        ha="left",
        va="top",
        clip_on=True,
        zorder=6,  # above what dims the cells that are not kept
        bbox={"facecolor": ground, "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )


def _mark_cells(axes: Axes, attribution: Attribution, bar: Bar) -> None:
    """Put a stroke on what is only bounded, a dot on what was not resolved; say so below.

    Small, in the lower right corner, light in a dark casing: every colour stays seen, as in the explorer.
    Cells without room for a mark have none.
    """
    handles = []
    points = width_of(axes) / attribution.cells.index.shape[1]  # of one coefficient
    for kind, (words, marker) in _MARKS.items():
        _, top, left, height, width = attribution.cells.rectangles[attribution.kind == kind].T
        if len(top) == 0:
            continue
        sides = points * np.minimum(height, width)
        size = np.where(sides < _LEAST_SIDE, 0.0, (_SHARE * sides).clip(*_SIZES))
        axes.scatter(
            left + _PLACE * width,
            top + _PLACE * height,
            s=size**2,
            marker=marker,
            color=(1.0, 1.0, 1.0, 0.6),
            linewidths=0.6,
            path_effects=[withStroke(linewidth=1.4, foreground=(0.0, 0.0, 0.0, 0.35))],
        )
        ink = mpl.rcParams["text.color"]
        handles.append(Line2D([], [], ls="", marker=marker, ms=4.0, mfc="none", mec=ink, label=words))
    if handles:
        axes.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            bbox_transform=below(bar.axes, bar.depth),
            borderpad=0.0,
            borderaxespad=0.0,
            ncols=2 if width_of(axes) > _ROOMY else 1,
            columnspacing=1.0,
            handlelength=1.2,
            handletextpad=0.4,
            frameon=False,
            fontsize=text_size(),
        )
