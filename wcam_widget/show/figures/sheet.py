"""The sheet that a figure is drawn on: as wide as columns of a journal, and as high as its panels."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from wcam_widget.figure import NotebookFigure
from wcam_widget.show.figures.lettering import fit_names, heading_size, thin_ticks, wrapped

COLUMNS = {1: 88.0, 2: 180.0}
"""Widths in millimetres."""
_INCH = 25.4
_MARGINS = 1.6  # inches beside the panels of a row, more than their words take
_LEAST = 1.0  # and at first no less than that
_ROUNDS = 4
_EXACT = 0.01  # inches


def new_sheet(columns: int, height: float) -> NotebookFigure:
    """A figure as wide as that, so many inches high."""
    width = COLUMNS[columns] / _INCH
    figure = NotebookFigure(figsize=(width, height), layout="constrained")
    figure.subplotpars.update(left=0.05, right=0.98, wspace=0.1)  # widths near those of the layout, for words
    figure.suppressComposite = True  # photograph and map as they are, not as one picture of few points
    return figure


def picture_rows(columns: int, beside: int, ratio: float, rows: Sequence[float]) -> NotebookFigure:
    """A sheet high enough for rows of pictures, before ``fit_height`` takes what is left over.

    Args:
        columns: those of the journal.
        beside: how many pictures a row has.
        ratio: the height of a picture by its width.
        rows: the heights of the rows, in those of a picture.
    """
    width = COLUMNS[columns] / _INCH
    return new_sheet(columns, width / beside * ratio * sum(rows) + _MARGINS * len(rows) + 1.0)


def fit_height(figure: NotebookFigure, rows: Sequence[float] = (1.0,)) -> None:
    """Make the figure as high as its pictures need; then leave out names for which there is no room.

    Words below a picture count only where it fills the height it is given, so that the first height is too
    small and the second one right.
    """
    for step in range(_ROUNDS):
        figure.draw_without_rendering()
        needed = [_needed(axes, rows[_row(axes)]) for axes in figure.axes if axes.images]
        if not needed or abs(max(missing for missing, _ in needed)) < _EXACT:
            break
        height = figure.get_figheight() + max(missing for missing, _ in needed) * sum(rows)
        pictures = max(picture for _, picture in needed) * sum(rows)
        # Not all at once: of a flat picture the words alone would be higher than what is left.
        least = figure.get_figheight() - pictures / 2 if step else pictures + _LEAST * len(rows)
        figure.set_figheight(max(height, least))
    for axes in figure.axes:
        fit_axes(axes)


def fit_axes(axes: Axes) -> None:
    """Leave out names for which there is no room."""
    if axes.get_label() == "dyadic view":
        fit_names(axes)
    elif str(axes.get_label()).endswith(("profile", "profiles")):
        thin_ticks(axes)


def set_headline(figure: NotebookFigure, words: str) -> None:
    """Write the title of a figure, in lines that end with it; none where there are no words."""
    if words:
        size = heading_size()
        figure.suptitle(wrapped(words, 72.0 * figure.get_figwidth(), size), fontsize=size, parse_math=False)


def _needed(axes: Axes, row: float) -> tuple[float, float]:
    """Inches of height that the picture of axes needs beyond what they were given, and all it needs.

    Both are of a row of height 1, where the picture's own has the height ``row``.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101  axes stand in a figure
    width, height = figure.get_size_inches()
    given, used = axes.get_position(original=True), axes.get_position()
    picture = given.width * width * (used.height * height) / (used.width * width)
    return float(picture - given.height * height) / row, float(picture) / row


def _row(axes: Axes) -> int:
    place = axes.get_subplotspec()
    return 0 if place is None else place.rowspan.start
