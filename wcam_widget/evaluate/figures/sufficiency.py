"""Sufficient sets in a figure: the image, what its set restores, the budget of each band, the depths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from wcam_widget.evaluate.figures.axes import draw_picture, without_frame
from wcam_widget.evaluate.sufficient_set import SufficientSet
from wcam_widget.figure import NotebookFigure

HEIGHT = 2.7  # inches for each image


def draw_sets(sets: Sequence[SufficientSet], pictures: Sequence[tuple[Any, Any]]) -> NotebookFigure:
    """A row for each of the ``pictures``."""
    figure = NotebookFigure(figsize=(12.0, HEIGHT * len(pictures)), layout="constrained")
    rows = figure.subplots(len(pictures), 4, squeeze=False, width_ratios=(1, 1, 1.1, 1.3))
    for axes, one, (image, restored) in zip(rows, sets, pictures, strict=False):
        draw_picture(axes[0], image, one.label)
        draw_picture(axes[1], restored, _kept_words(one))
        _draw_budget(axes[2], one)
        _draw_depths(axes[3], one)
    return figure


def _kept_words(one: SufficientSet) -> str:
    if not np.isfinite(one.depth):
        return "not decided for this class"
    return f"{one.depth:.0f} of {len(one.kept)} cells, {100 * one.energy_share:.3g} % of the energy"


def _draw_budget(axes: Axes, one: SufficientSet) -> None:
    rows = np.arange(len(one.bands))
    in_band = np.bincount(one.groups, minlength=len(one.bands))
    ink = mpl.rcParams["text.color"]
    axes.barh(rows, in_band, height=0.62, color=(ink, 0.12), label="all")
    axes.barh(
        rows, list(one.budget.values()), height=0.62, color=mpl.colormaps["cividis"](0.55), label="kept"
    )
    axes.set_yticks(rows, one.bands, fontsize="small")
    axes.invert_yaxis()
    axes.set_xlabel("cells of the band, kept and all", fontsize="small")
    without_frame(axes)


def _draw_depths(axes: Axes, one: SufficientSet) -> None:
    names = ["the map", *one.others]
    ink, colour = mpl.rcParams["text.color"], mpl.colormaps["cividis"](0.25)
    for row, found in enumerate([(one.own.found,), *one.others.values()]):
        for depth in found:
            if depth.depth is None:
                continue
            face = ink if depth.monotone else "none"
            axes.plot(depth.depth, row, "o", color=ink, markerfacecolor=face, markersize=5)
    if np.isfinite([one.own.low, one.own.high]).all():
        axes.plot([one.own.low, one.own.high], [0, 0], color=colour, linewidth=4, alpha=0.6, zorder=0)
    axes.set_yticks(np.arange(len(names)), names, fontsize="small")
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, len(one.kept))
    axes.set_xlabel("cells needed (hollow: the decision is lost again above)", fontsize="small")
    without_frame(axes)
