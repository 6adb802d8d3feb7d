"""The explorer's picture as a matplotlib figure: for papers, for pages without a front end, for scripts."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wcam_widget.explain.attribution import Attribution
from wcam_widget.figure import NotebookFigure
from wcam_widget.model import ImageLike, ensure_image
from wcam_widget.show.figures.bands import draw_bands
from wcam_widget.show.figures.colours import colour_bar, colours_of, norm_of
from wcam_widget.show.figures.profile import draw_profile
from wcam_widget.show.heat import area_words, heat_map, usual_cell
from wcam_widget.show.scale import Scale, is_share
from wcam_widget.show.summary import sentence
from wcam_widget.show.words import unit_words

COLORMAPS = ("cividis", "viridis")
TITLE_WIDTH = 120  # characters of a line of the title


def plot(
    attribution: Attribution,
    image: ImageLike | None = None,
    *,
    colormap: str = "cividis",
    opacity: float = 0.6,
    title: str | None = None,
) -> Figure:
    """Draw an attribution: its heatmap in the image, its dyadic view, and its profile over scales.

    In the dyadic view cells that are only bounded from above have a hatched corner, and cells that were not
    resolved a dotted one. Colours mean what they mean in the explorer: the heat of a pixel is the sum of the
    cells over it, and shares end at 1. Colours other than the maps are those of matplotlib's rcParams, so a
    dark style gives a dark figure.

    Args:
        attribution: what is drawn.
        image: the image that was explained, (C, H, W) in [0, 1]; without it the heatmap stands alone.
        colormap: "cividis" or "viridis".
        opacity: that of the heatmap over the image, 0 to 1.
        title: replaces the answer in a sentence and the line that says method and cost.

    Returns:
        A figure, made without pyplot; a notebook shows it as the value of a cell.

    Raises:
        TypeError: naming the argument, for an image that is not valid.
        ValueError: likewise, for an image of another size, an opacity outside [0, 1] and an unknown colour
            map.

    >>> from wcam_widget import Derivative, Wcam, load_demo
    >>> model, images, labels, names = load_demo()
    >>> (attribution,) = Wcam(Derivative(rows=2))(model, images[:1])
    >>> figure = plot(attribution, images[0])
    >>> [axes.get_label() for axes in figure.axes[:3]]
    ['image', 'dyadic view', 'scale profile']
    """
    if colormap not in COLORMAPS:
        raise ValueError(f"colormap: found {colormap!r}; accepted are {' and '.join(map(repr, COLORMAPS))}")
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"opacity: found {opacity!r}; accepted is a number from 0 to 1")
    pixels = None if image is None else _pixels(image, attribution.cells.image_size)
    figure = NotebookFigure(figsize=(12.5, 5.1), layout="constrained")
    in_image, dyadic, profile = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 0.8))
    _draw_heatmap(in_image, attribution, pixels, colormap, opacity)
    draw_bands(dyadic, attribution, colormap)
    draw_profile(profile, attribution, colormap)
    figure.suptitle(_headline(attribution) if title is None else title, parse_math=False)
    return figure


def _pixels(image: ImageLike, size: tuple[int, int]) -> NDArray[np.float32]:
    """The image as (H, W, 3) for drawing."""
    checked = ensure_image(image).numpy()
    if checked.shape[1:] != size:
        raise ValueError(
            f"image: found {checked.shape[1]} x {checked.shape[2]} pixels; "
            f"the attribution is of an image of {size[0]} x {size[1]}"
        )
    pixels: NDArray[np.float32] = np.broadcast_to(checked, (3, *size)).transpose(1, 2, 0)
    return pixels


def _headline(attribution: Attribution) -> str:
    passes = f"{attribution.evaluations} forward passes"
    if attribution.gradients:
        passes += f", {attribution.gradients} gradients"
    parts = [attribution.method, passes, *([] if attribution.complete else ["partial"])]
    return "\n".join([*textwrap.wrap(sentence(attribution), TITLE_WIDTH), "   ·   ".join(parts)])


def _draw_heatmap(
    axes: Axes, attribution: Attribution, pixels: NDArray[np.float32] | None, colormap: str, opacity: float
) -> None:
    axes.set_label("image")
    axes.set_title("Where in the image")
    height, width = attribution.cells.image_size
    extent = (0.0, float(width), float(height), 0.0)
    heat = heat_map(attribution)
    if pixels is not None:
        axes.imshow(pixels, extent=extent)
    scale = Scale.of(heat, signed=attribution.signed, share=is_share(attribution.unit))
    drawn = axes.imshow(
        heat,
        extent=extent,
        cmap=colours_of(scale, colormap),
        norm=norm_of(scale),
        alpha=1.0 if pixels is None else opacity,
        interpolation="nearest",
    )
    axes.set(xticks=[], yticks=[])
    levels = {band.level for band in attribution.cells.bands}
    parts = [unit_words(attribution.unit), area_words(usual_cell(attribution.cells))]
    if levels != {0}:
        parts.insert(1, "all scales summed")
    colour_bar(axes, drawn, scale, ", ".join(parts))
