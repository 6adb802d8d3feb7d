"""Several attributions side by side: where each looks, and at which scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wcam_widget.explain.attribution import Attribution
from wcam_widget.show.figures.bands import draw_bands, scale_of_bands
from wcam_widget.show.figures.heatmap import draw_heatmap, scale_of_heat
from wcam_widget.show.figures.lettering import set_heading, text_size, width_of, wrapped
from wcam_widget.show.scale import Colours

BESIDE = {1: 2, 2: 4}
"""How many stand in a row, by the columns of the journal."""


class Side(NamedTuple):
    """One of several maps: its name, and its image (H, W, 3) where there is one."""

    name: str
    attribution: Attribution
    pixels: NDArray[np.float32] | None


def draw_grid(figure: Figure, sides: Sequence[Side], beside: int, colours: Colours, opacity: float) -> None:
    """Draw two rows of panels for every ``beside`` maps: the heat in the image, and the bands below it.

    Maps of one unit share one scale of colours.
    """
    blocks = -(-len(sides) // beside)
    axes = figure.subplots(2 * blocks, beside, squeeze=False)
    maps = [side.attribution for side in sides]
    alike = len({one.unit for one in maps}) == 1
    heat = scale_of_heat(maps, colours) if alike else None
    bands = scale_of_bands(maps, colours) if alike else None
    for number in range(blocks * beside):
        block, column = divmod(number, beside)
        where, scale = axes[2 * block, column], axes[2 * block + 1, column]
        if number >= len(sides):
            where.set_axis_off()
            scale.set_axis_off()
            continue
        name, one, pixels = sides[number]
        draw_heatmap(where, one, pixels, colours, opacity, heat)
        set_heading(where, name)
        if len(one.cells.bands) > 1:
            draw_bands(scale, one, colours, bands)
            scale.set_title("")
        else:
            _say(scale, "This map tells no scales.")
        if column == 0:
            for panel, words in ((where, "Where"), (scale, "At which scale")):
                panel.set_ylabel(words, fontsize=text_size())


def _say(axes: Axes, words: str) -> None:
    """Words in place of a picture."""
    axes.set(xticks=[], yticks=[])
    axes.set_frame_on(False)
    size = text_size()
    lines = wrapped(words, 0.8 * width_of(axes), size)
    axes.text(0.5, 0.5, lines, ha="center", va="center", fontsize=size, transform=axes.transAxes)
