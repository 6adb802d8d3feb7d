"""The map over the image in a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image

from wcam_widget.explain.attribution import Attribution
from wcam_widget.show.figures.colours import colour_bar, colours_of, norm_of
from wcam_widget.show.figures.lettering import set_heading
from wcam_widget.show.heat import area_words, heat_map, usual_cell
from wcam_widget.show.scale import Colours, Scale, is_share
from wcam_widget.show.words import unit_words

LARGEST = 1024
"""Pixels of the longer side of a photograph as figures hold it: 300 dots an inch over one column."""


def scale_of_heat(attributions: Sequence[Attribution], colours: Colours, *, signed: bool = False) -> Scale:
    """One scale for the heat of attributions of one unit."""
    heat = np.concatenate([heat_map(one).ravel() for one in attributions])
    signed = signed or any(one.signed for one in attributions)
    share = is_share(attributions[0].unit)
    return Scale.of(heat, signed=signed, share=share, choice=colours.choice)


def draw_heatmap(
    axes: Axes,
    attribution: Attribution,
    pixels: NDArray[np.float32] | None,
    colours: Colours,
    opacity: float,
    scale: Scale | None = None,
) -> None:
    """Draw the heat of an attribution over its image, (H, W, 3); ``scale`` is its own if None."""
    axes.set_label("image")
    set_heading(axes, "Where in the image")
    height, width = attribution.cells.image_size
    extent = (0.0, float(width), float(height), 0.0)
    heat = heat_map(attribution)
    if pixels is not None:
        axes.imshow(_reduced(pixels), extent=extent, interpolation="none")
    scale = scale_of_heat([attribution], colours) if scale is None else scale
    drawn = axes.imshow(
        heat,
        extent=extent,
        cmap=colours_of(scale, colours.colormap),
        norm=norm_of(scale),
        alpha=1.0 if pixels is None else opacity,
        interpolation="none",  # pages of vectors then hold the pixels themselves
    )
    axes.set(xticks=[], yticks=[])
    levels = {band.level for band in attribution.cells.bands}
    parts = [unit_words(attribution.unit), area_words(usual_cell(attribution.cells))]
    if levels != {0}:
        parts.insert(1, "all scales summed")
    colour_bar(axes, drawn, scale, ", ".join(parts))


def _reduced(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """A photograph with no more pixels than are printed."""
    height, width = pixels.shape[:2]
    part = LARGEST / max(height, width)
    if part >= 1.0:
        return pixels
    size = (round(width * part), round(height * part))
    channels = [
        Image.fromarray(np.ascontiguousarray(one)).resize(size, Image.Resampling.BOX)
        for one in np.moveaxis(pixels, 2, 0)
    ]
    return np.stack([np.asarray(one, np.float32) for one in channels], axis=2)
