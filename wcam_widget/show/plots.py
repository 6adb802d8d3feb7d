"""The explorer's picture as a matplotlib figure: for papers, for pages without a front end, for scripts."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wcam_widget.explain.attribution import Attribution
from wcam_widget.figure import NotebookFigure
from wcam_widget.model import ImageLike, ensure_image
from wcam_widget.show.figures.bands import draw_bands
from wcam_widget.show.figures.heatmap import draw_heatmap
from wcam_widget.show.figures.pair import Pair, draw_pair
from wcam_widget.show.figures.profile import draw_profile
from wcam_widget.show.scale import SCALES, Colours
from wcam_widget.show.summary import sentence

T = TypeVar("T")
Several = Sequence[T] | Mapping[str, T]
COLORMAPS = ("cividis", "viridis")
TITLE_WIDTH = 120  # characters of a line of the title


def plot(
    attribution: Attribution | Several[Attribution],
    image: ImageLike | Several[ImageLike] | None = None,
    *,
    colormap: str = "cividis",
    opacity: float = 0.6,
    title: str | None = None,
    scale: str = "auto",
) -> Figure:
    """Draw an attribution: its heatmap in the image, its dyadic view, and its profile over scales.

    In the dyadic view cells that are only bounded from above have a hatched corner, and cells that were not
    resolved a dotted one. Colours mean what they mean in the explorer: the heat of a pixel is the sum of the
    cells over it, and shares end at 1. Colours other than the maps are those of matplotlib's rcParams, so a
    dark style gives a dark figure.

    Args:
        attribution: what is drawn; a list or table of two is drawn side by side, with the second less the
            first, on one scale where they have one unit.
        image: the image that was explained, (C, H, W) in [0, 1], or both images; without it the heatmap
            stands alone.
        colormap: "cividis" or "viridis".
        opacity: that of the heatmap over the image, 0 to 1.
        scale: how values become colours: "linear", "log" (three powers of ten), "rank" (equally many in every
            colour), or "auto": linear, but a square root where few cells hold nearly everything. With
            " per level" behind it each level of the dyadic view has a scale of its own.
        title: replaces the answer in a sentence and the line that says method and cost.

    Returns:
        A figure, made without pyplot; a notebook shows it as the value of a cell.

    Raises:
        TypeError: naming the argument, for an image that is not valid.
        ValueError: likewise, for an image of another size, an opacity outside [0, 1] and an unknown colour
            map or scale.

    >>> from wcam_widget import Derivative, Wcam, load_demo
    >>> model, images, labels, names = load_demo()
    >>> (attribution,) = Wcam(Derivative(rows=2))(model, images[:1])
    >>> figure = plot(attribution, images[0])
    >>> [axes.get_label() for axes in figure.axes[:3]]
    ['image', 'dyadic view', 'scale profile']
    """
    if colormap not in COLORMAPS:
        raise ValueError(f"colormap: found {colormap!r}; accepted are {' and '.join(map(repr, COLORMAPS))}")
    if scale not in SCALES:
        raise ValueError(f"scale: found {scale!r}; accepted are {', '.join(map(repr, SCALES))}")
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"opacity: found {opacity!r}; accepted is a number from 0 to 1")
    colours = Colours(colormap, scale)
    if not isinstance(attribution, Attribution):
        return _plot_pair(attribution, image, colours, opacity, title)
    if isinstance(image, Sequence | Mapping) and not isinstance(image, str):
        raise TypeError("image: found several; accepted is one, as attribution is one")
    pixels = None if image is None else _pixels(image, attribution.cells.image_size)
    figure = NotebookFigure(figsize=(12.5, 5.1), layout="constrained")
    in_image, dyadic, profile = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 0.8))
    draw_heatmap(in_image, attribution, pixels, colours, opacity)
    draw_bands(dyadic, attribution, colours)
    draw_profile(profile, attribution, colormap)
    figure.suptitle(_headline(attribution) if title is None else title, parse_math=False)
    return figure


def _plot_pair(
    attributions: Several[Attribution],
    images: ImageLike | Several[ImageLike] | None,
    colours: Colours,
    opacity: float,
    title: str | None,
) -> Figure:
    """Two attributions side by side, and what differs."""
    named = dict(attributions) if isinstance(attributions, Mapping) else {}
    maps: list[Any] = list(named.values() if named else attributions)
    if len(maps) != 2 or not all(isinstance(one, Attribution) for one in maps):
        raise ValueError(f"attribution: found {len(maps)}; accepted are one Attribution, or two to compare")
    names = [str(name) for name in named] or ["first", "second"]
    if isinstance(images, Mapping):
        given: list[Any] = list(images.values())
    else:
        given = list(images) if isinstance(images, list | tuple) else [images, images]
    if len(given) != 2:
        raise ValueError(f"image: found {len(given)}; accepted are two, one for each attribution")
    pixels = [
        None if image is None else _pixels(image, one.cells.image_size)
        for image, one in zip(given, maps, strict=True)
    ]
    figure = NotebookFigure(figsize=(16.0, 9.0), layout="constrained")
    draw_pair(figure, Pair(tuple(names), tuple(maps), tuple(pixels)), colours, opacity)
    words = "\n".join(f"{name}: {_headline(one)}" for name, one in zip(names, maps, strict=True))
    figure.suptitle(words if title is None else title, fontsize="medium", parse_math=False)
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
