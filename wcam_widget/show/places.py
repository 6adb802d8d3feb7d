"""Where in the image a map lies, in words that a reader can check."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from wcam_widget.basis import Cells
from wcam_widget.show.words import format_percent

MOST, LARGEST = 0.5, 0.3  # parts of the map in one ninth of the image that make it a place
DENSE = 0.2  # and the part, nearly twice that of an even map, from which a spread map has a densest place
_PLACES = (("upper left", "top", "upper right"), ("left", "centre", "right"))


def place_words(heat: Float[np.ndarray, "h w"], cells: Cells) -> str:
    """Where most of a map lies that is nowhere negative; empty where its cells have no place."""
    height, width = heat.shape
    if all(band.scale >= max(height, width) for band in cells.bands):
        return ""
    tall, wide = max(1, height // 3), max(1, width // 3)
    summed = np.zeros((height + 1, width + 1))
    summed[1:, 1:] = heat.cumsum(0).cumsum(1)
    windows = summed[tall:, wide:] - summed[:-tall, wide:] - summed[tall:, :-wide] + summed[:-tall, :-wide]
    top, left = np.unravel_index(int(windows.argmax()), windows.shape)
    share = float(windows[top, left] / heat.sum())
    if share < DENSE:
        return "the map is spread over the image"
    window = heat[top : top + tall, left : left + wide]
    row = int(top + np.average(np.arange(tall), weights=window.sum(1)))
    column = int(left + np.average(np.arange(wide), weights=window.sum(0)))
    there = f"around row {row}, column {column} ({region(row / height, column / width)})"
    held = f"{format_percent(share)} in a ninth of the image"
    if share < LARGEST:
        return f"the map is spread over the image, densest {there}, with {held}"
    part = "most of the map" if share >= MOST else "the largest part of the map"
    return f"{part} ({held}) lies {there}"


def region(down: float, across: float) -> str:
    """The part of the image where the middle of a window lies, from its distance to the top and to the left.

    Both distances go from 0 to 1. A window a third of the image wide has its middle between 1/6 and 5/6, and
    "centre" is the middle third of these.

    >>> region(0.2, 0.2), region(0.36, 0.34), region(0.5, 0.5), region(0.9, 0.5)
    ('upper left', 'upper left', 'centre', 'bottom')
    """
    row, column = (min(max(int((3 * share - 0.5) * 1.5), 0), 2) for share in (down, across))
    if row < 2:
        return _PLACES[row][column]
    return _PLACES[0][column].replace("upper", "lower").replace("top", "bottom")
