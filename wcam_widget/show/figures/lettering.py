"""Text in figures: its sizes, its lines, and whether it fits where it stands."""

from __future__ import annotations

import textwrap

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation, Transform

SMALLEST = 7.0
"""Points below which journals print no text."""
_HEADING = 8.0
_ADVANCE = 0.56  # of its size, the mean width of a letter
_TIED = "\N{NO-BREAK SPACE}"
LINE = 1.25
"""Of the size of text, the distance of its lines."""


def text_size() -> float:
    """Points of the text in a figure: the smallest that is printed, larger where rcParams' font is."""
    return max(SMALLEST, 0.7 * float(mpl.rcParams["font.size"]))


def heading_size() -> float:
    """Points of the titles of panels."""
    return max(_HEADING, 0.8 * float(mpl.rcParams["font.size"]))


def wrapped(words: str, points: float, size: float) -> str:
    r"""Words in lines that are as wide as so many points; lines that there are stay apart.

    >>> wrapped("share of the score's variance, per cell", 90.0, 7.0)
    "share of the score's\nvariance, per cell"
    """
    letters = max(8, int(points / (_ADVANCE * size)))
    for sign in ("×", "·", "%", "px"):
        words = words.replace(f" {sign}", f"{_TIED}{sign}")
    words = words.replace("× ", f"×{_TIED}")
    lines = [line for each in words.split("\n") for line in textwrap.wrap(each, letters)]
    return "\n".join(lines).replace(_TIED, " ")


def width_of(axes: Axes) -> float:
    """The width of axes as they stand, in points."""
    return float(axes.get_window_extent().width) * 72.0 / axes.get_figure(root=True).dpi  # type: ignore[union-attr]


def below(axes: Axes, points: float) -> Transform:
    """The coordinates of axes, moved down by so many points."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101  axes stand in a figure
    return axes.transAxes + ScaledTranslation(0.0, -points / 72.0, figure.dpi_scale_trans)


def set_heading(axes: Axes, words: str) -> None:
    """Write the title of a panel, in lines that do not reach its neighbours."""
    size = heading_size()
    axes.set_title(wrapped(words, width_of(axes), size), fontsize=size, parse_math=False)


def fit_names(axes: Axes) -> None:
    """Hide the names of bands that are larger than the frames they stand in."""
    for text, frame in zip(axes.texts, axes.patches, strict=False):
        name, room = text.get_window_extent(), frame.get_window_extent()
        text.set_visible(bool(name.width <= room.width and name.height <= room.height))


def thin_ticks(axes: Axes) -> None:
    """Leave out names at the vertical axis where they would stand in each other's way."""
    ticks = axes.get_yticks()
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101  axes stand in a figure
    height = float(axes.get_window_extent().height) * 72.0 / figure.dpi
    step = max(1, -int(-len(ticks) * text_size() * LINE // max(height, 1.0)))
    for place, label in enumerate(axes.get_yticklabels()):
        label.set_visible(place % step == 0)
