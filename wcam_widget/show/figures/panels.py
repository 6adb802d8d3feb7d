"""Figures of one attribution: its overview, and each of the panels by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from wcam_widget.explain.attribution import Attribution
from wcam_widget.figure import NotebookFigure
from wcam_widget.show.curve import RetentionCurve
from wcam_widget.show.figures.bands import draw_bands
from wcam_widget.show.figures.heatmap import draw_heatmap
from wcam_widget.show.figures.lettering import LINE, set_heading, text_size
from wcam_widget.show.figures.profile import draw_profile
from wcam_widget.show.figures.retention import draw_retention
from wcam_widget.show.figures.sheet import fit_axes, fit_height, new_sheet, picture_rows, set_headline
from wcam_widget.show.scale import Colours

PROFILE = 0.62
"""The height of a profile or a curve by its width."""


class Look(NamedTuple):
    """How a figure is to look.

    Args:
        colours: the map of colours and its scale.
        opacity: that of the heat over an image.
        columns: of a journal, 1 or 2.
        title: replaces the words over the figure; None for these, empty for none.
    """

    colours: Colours
    opacity: float
    columns: int
    title: str | None


class Subject(NamedTuple):
    """What is drawn: a map, its image (H, W, 3) and its retention curve where there are any."""

    attribution: Attribution
    pixels: NDArray[np.float32] | None
    curve: RetentionCurve | None = None


def _overlay(axes: Axes, subject: Subject, look: Look) -> None:
    draw_heatmap(axes, subject.attribution, subject.pixels, look.colours, look.opacity)


def _dyadic(axes: Axes, subject: Subject, look: Look) -> None:
    draw_bands(axes, subject.attribution, look.colours)


def _profile(axes: Axes, subject: Subject, look: Look) -> None:
    draw_profile(axes, subject.attribution, look.colours.colormap)


def _retention(axes: Axes, subject: Subject, _look: Look) -> None:
    assert subject.curve is not None  # noqa: S101  computed before
    draw_retention(axes, subject.curve)


PANELS: dict[str, Callable[[Axes, Subject, Look], None]] = {
    "overlay": _overlay,
    "dyadic": _dyadic,
    "profile": _profile,
    "retention": _retention,
}
"""What can be drawn into axes of a caller's own."""


def draw_panel(kind: str, subject: Subject, look: Look, axes: Axes) -> None:
    """Draw one panel into axes as they stand."""
    PANELS[kind](axes, subject, look)
    if look.title is not None:
        set_heading(axes, look.title)
    fit_axes(axes)


def panel_figure(kind: str, subject: Subject, look: Look) -> NotebookFigure:
    """A figure of one panel."""
    pictured = kind in {"overlay", "dyadic"}
    if pictured:
        figure = picture_rows(look.columns, 1, _ratio(subject), (1.0,))
    else:
        figure = new_sheet(look.columns, 1.0)
        bands = len(subject.attribution.cells.bands) if kind == "profile" else 0
        needed = (bands * LINE * text_size() + 60.0) / 72.0
        figure.set_figheight(max(PROFILE * figure.get_figwidth(), needed))
    draw_panel(kind, subject, look, figure.subplots())
    fit_height(figure)
    return figure


def overview_figure(subject: Subject, look: Look, words: str) -> NotebookFigure:
    """A figure of heat, bands and profile: side by side, or with the profile below in one column."""
    narrow = look.columns == 1
    rows = (1.0, PROFILE * 2) if narrow else (1.0,)
    figure = picture_rows(look.columns, 2 if narrow else 3, _ratio(subject), rows)
    if narrow:
        grid = figure.add_gridspec(2, 2, height_ratios=rows)
        places = [grid[0, 0], grid[0, 1], grid[1, :]]
    else:
        grid = figure.add_gridspec(1, 3, width_ratios=(1.0, 1.0, 0.8))
        places = [grid[0, column] for column in range(3)]
    set_headline(figure, words if look.title is None else look.title)
    for name, place in zip(("overlay", "dyadic", "profile"), places, strict=True):
        PANELS[name](figure.add_subplot(place), subject, look)
    fit_height(figure, rows)
    return figure


def _ratio(subject: Subject) -> float:
    height, width = subject.attribution.cells.image_size
    return height / width
