"""The retention curve in a figure: how much of the score is left when only the first cells are kept."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from wcam_widget.show.curve import ENERGY, OWN, RANDOM, RetentionCurve
from wcam_widget.show.figures.colours import ORANGE
from wcam_widget.show.figures.lettering import set_heading, text_size, width_of, wrapped
from wcam_widget.show.words import format_percent

_ORDERS = {OWN: "most important first", ENERGY: "highest energy first", RANDOM: "at random"}
_STYLES = {OWN: "-", ENERGY: "--", RANDOM: ":"}


def draw_retention(axes: Axes, curve: RetentionCurve) -> None:
    """Draw the score over the share of coefficients kept, and where the decision begins to hold."""
    axes.set_label("retention curve")
    set_heading(axes, "What the first cells suffice for")
    ink, size = mpl.rcParams["text.color"], text_size()
    axes.axhline(curve.original, color=ink, linewidth=0.6, alpha=0.6)
    for name, line in curve.lines.items():
        colour = ORANGE if name == OWN else ink
        axes.plot(
            line.shares,
            line.scores,
            _STYLES[name],
            color=colour,
            linewidth=1.6 if name == OWN else 0.9,
            zorder=3 if name == OWN else 2,
            label=_ORDERS[name],
        )
        if name == OWN:
            lost = line.classes != 0
            for chosen, face in ((~lost, colour), (lost, axes.get_facecolor())):
                at = line.shares[chosen], line.scores[chosen]
                axes.plot(*at, "o", color=colour, mfc=face, markersize=3.5, zorder=4)
    _shade_depth(axes, curve)
    axes.set_xscale("log")
    axes.set_xlim(right=1.0)
    axes.xaxis.set_major_locator(LogLocator(10.0, numticks=5))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: _percent_words(share)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelsize=size, pad=2.0, length=2.0)
    unit = curve.unit.split(",")[0]
    axes.set_ylabel(f"{unit} of {curve.subject}" if unit else curve.subject, fontsize=size, parse_math=False)
    words = "coefficients kept; open circles: the model decides for another class"
    axes.set_xlabel(wrapped(words, width_of(axes), size), fontsize=size, labelpad=1.5)
    axes.legend(frameon=False, fontsize=size, loc="best", handlelength=2.2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _shade_depth(axes: Axes, curve: RetentionCurve) -> None:
    """Shade where every number of cells that was tested keeps the decision."""
    line = curve.lines.get(OWN)
    if curve.depth is None or line is None:
        return
    share = float(line.shares[int(np.searchsorted(line.counts, curve.depth).clip(max=len(line.counts) - 1))])
    cells = "cell" if curve.depth == 1 else "cells"
    label = f"decision kept from {curve.depth} {cells} on ({format_percent(share)})"
    axes.axvspan(share, 1.0, color=mpl.rcParams["text.color"], alpha=0.08, linewidth=0.0, label=label)


def _percent_words(share: float) -> str:
    return f"{100 * share:.3g} %"
