"""Zooming in a figure: the views, the importance of physical levels, and the steps of the gain."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from wcam_widget.evaluate.figures.axes import draw_picture, without_frame
from wcam_widget.evaluate.over_images import mean_over
from wcam_widget.evaluate.zoomed_levels import STEPS, Zoom
from wcam_widget.figure import NotebookFigure

WORDS = {
    "original": "factor 1",
    "cropped": "background removed",
    "enlarged": "enlarged, no new detail",
    "zoomed": "zoomed",
}


def draw_zoom(zoom: Zoom) -> NotebookFigure:
    """Views of the first photograph above, numbers over all below."""
    figure = NotebookFigure(figsize=(12.0, 6.4), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.15))
    above, below = parts
    (views,) = zoom.rows[0].views
    for axes, (name, words) in zip(above.subplots(1, 4), WORDS.items(), strict=True):
        place = ("zoomed", "cropped", "enlarged").index(name) if name != "original" else 0
        score = zoom.rows[0].scores[0 if name == "original" else -1, place]
        factor = f", factor {views.factor:g}" if name == "zoomed" else ""
        draw_picture(axes, getattr(views, name), f"{words}{factor}: {score:.3f}")
    above.suptitle(zoom.rows[0].label, fontsize="medium", parse_math=False)
    levels, steps = below.subplots(1, 2, width_ratios=(1.5, 1))
    _draw_levels(levels, zoom)
    _draw_steps(steps, zoom)
    return figure


def _draw_levels(axes: Axes, zoom: Zoom) -> None:
    """Shapley effects of details over the physical level; approximations stand apart on the left."""
    views = zoom.rows[0].levels
    coarsest = float(max(one.physical.max() for one in views.values()))
    finest = float(min(one.physical.min() for one in views.values()))
    for number, ((factor, view), one) in enumerate(views.items()):
        mean = zoom.level_means(factor, view, "shapley")
        # Coarse to the left: the level falls. Views stand a little apart, so that intervals do not hide.
        detail = np.array(one.kinds) == "level"
        place = np.where(detail, -one.physical, -coarsest - 1) + 0.06 * (number - (len(views) - 1) / 2)
        share = zoom.factors.index(factor) / max(len(zoom.factors) - 1, 1)
        colour = mpl.colormaps["cividis"](0.15 + 0.7 * share)
        line = "-" if view == "zoomed" else "--"
        words = f"factor {factor:g}" + ("" if view == "zoomed" else ", no new detail")
        axes.plot(
            place[detail], mean.value[detail], line, color=colour, marker="o", markersize=4, label=words
        )
        axes.plot(place[~detail], mean.value[~detail], "s", color=colour, markersize=5)
        if np.isfinite(mean.low).all():
            axes.vlines(place, mean.low, mean.high, color=colour, alpha=0.6)
    ticks = np.arange(coarsest, np.floor(finest) - 1, -1)
    axes.set_xticks([-coarsest - 1, *-ticks], ["A", *(f"{one:g}" for one in ticks)])
    axes.axvline(-0.7, color=mpl.rcParams["text.color"], linestyle=":", linewidth=0.8)
    axes.set_xlabel("approximation, then physical levels, coarse to fine (right of the dots: new detail)")
    axes.set_ylabel("Shapley effect")
    axes.legend(frameon=False, fontsize="small")
    without_frame(axes)


def _draw_steps(axes: Axes, zoom: Zoom) -> None:
    """The gain of the largest factor as the sum of its steps."""
    names = ["zoom", *STEPS]
    mean = mean_over(zoom.steps(len(zoom.factors) - 1))
    rows = np.arange(len(names))
    reach = np.stack([mean.value - mean.low, mean.high - mean.value])
    axes.barh(
        rows,
        mean.value,
        height=0.6,
        color=[mpl.colormaps["cividis"](0.15), *[mpl.colormaps["cividis"](0.6)] * len(STEPS)],
        xerr=reach if np.isfinite(reach).all() else None,
        error_kw={"ecolor": mpl.rcParams["text.color"], "elinewidth": 1, "capsize": 2},
    )
    axes.axvline(0.0, color=mpl.rcParams["text.color"], linewidth=0.8)
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set_xlabel(f"change of the score, factor {zoom.factors[-1]:g}")
    without_frame(axes)
