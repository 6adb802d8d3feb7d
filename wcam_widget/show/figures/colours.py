"""Colours and colour bars of figures."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, FuncNorm, LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from wcam_widget.show.scale import Scale
from wcam_widget.show.words import format_value

BLUE, ORANGE = "#0b5394", "#c65d00"
"""Less and more, which all eyes tell apart."""


def colours_of(scale: Scale, colormap: str) -> Colormap:
    """The colour map of that name; for values of both signs blue to orange, with white at 0."""
    if scale.signed:
        return LinearSegmentedColormap.from_list("signed", [BLUE, "#ffffff", ORANGE])
    return mpl.colormaps[colormap]


def norm_of(scale: Scale) -> Normalize:
    """The scale as matplotlib takes it; values beyond its ends have the colours of the ends."""
    top = scale.top or 1.0
    low = -top if scale.signed else 0.0
    if scale.root and scale.signed:
        return FuncNorm((_signed_root, _signed_square), vmin=low, vmax=top, clip=True)
    if scale.root:
        return PowerNorm(0.5, vmin=low, vmax=top, clip=True)
    return Normalize(vmin=low, vmax=top, clip=True)


def _signed_root(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    roots: NDArray[np.floating[Any]] = np.sqrt(np.abs(values)) * np.sign(values)
    return roots


def _signed_square(roots: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    values: NDArray[np.floating[Any]] = roots * np.abs(roots)
    return values


def colour_bar(axes: Axes, drawn: AxesImage, scale: Scale, words: str) -> None:
    """A bar below the axes with the ticks and words of the explorer."""
    if scale.root:
        words += "\n(square-root scale)"
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101  axes made by subplots always stand in one
    ticks = [scale.value_at(place) for place in (0.0, 0.5, 1.0)] if scale.top > 0 else [0.0]
    bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.9, aspect=30, pad=0.02)
    bar.set_ticks(ticks, labels=[format_value(tick, like=scale.top) for tick in ticks])
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)  # the map itself, not the map over the image
    bar.set_label(words, fontsize="small", parse_math=False)
