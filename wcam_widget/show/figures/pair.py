"""Two attributions in one figure: both, and the second less the first."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wcam_widget.explain.attribution import Attribution
from wcam_widget.sensitivity import Kind
from wcam_widget.show.figures.bands import draw_bands, scale_of_bands
from wcam_widget.show.figures.colours import BLUE, ORANGE
from wcam_widget.show.figures.heatmap import draw_heatmap, scale_of_heat
from wcam_widget.show.figures.lettering import set_heading, text_size, width_of, wrapped
from wcam_widget.show.figures.profile import name_bands
from wcam_widget.show.scale import Colours, cut_shares


class Pair(NamedTuple):
    """Two sides: their names, their maps, and their images (H, W, 3) where there are any."""

    names: tuple[str, ...]
    maps: tuple[Attribution, ...]
    pixels: tuple[NDArray[np.float32] | None, ...]

    @property
    def title(self) -> str:
        """What the difference is called."""
        return f"{self.names[1]} less {self.names[0]}"


def draw_pair(figure: Figure, pair: Pair, beside: int, colours: Colours, opacity: float) -> None:
    """Draw both sides with what differs in the image, by scale and as profiles, four panels in a row or 2."""
    widths = (1.0, 1.0, 1.0, 0.8) if beside == 4 else (1.0, 1.0)
    axes = figure.subplots(8 // beside, beside, width_ratios=widths).reshape(2, 4)
    same_unit = pair.maps[0].unit == pair.maps[1].unit
    heat = scale_of_heat(pair.maps, colours) if same_unit else None
    bands = scale_of_bands(pair.maps, colours) if same_unit else None
    for side in range(2):
        draw_heatmap(axes[0, side], pair.maps[side], pair.pixels[side], colours, opacity, heat)
        set_heading(axes[0, side], f"Where: {pair.names[side]}")
        draw_bands(axes[1, side], pair.maps[side], colours, bands)
        set_heading(axes[1, side], f"At which scale: {pair.names[side]}")
    difference = difference_of(*pair.maps)
    if difference is None:
        for place in (axes[0, 2], axes[1, 2], axes[1, 3]):
            place.set_axis_off()
        words = wrapped("The maps have different cells.", width_of(axes[0, 2]), text_size())
        axes[0, 2].text(0.5, 0.5, words, ha="center", va="center", fontsize=text_size())
    else:
        signed = scale_of_heat([difference], colours, signed=True)
        draw_heatmap(axes[0, 2], difference, pair.pixels[1], colours, opacity, signed)
        draw_bands(axes[1, 2], difference, colours, scale_of_bands([difference], colours, signed=True))
        for place in (axes[0, 2], axes[1, 2]):
            set_heading(place, pair.title)
        _draw_changes(axes[1, 3], difference)
    _draw_profiles(axes[0, 3], pair, colours.colormap)


def difference_of(one: Attribution, other: Attribution) -> Attribution | None:
    """The second map less the first, with the widest intervals that theirs leave open; None on other cells.

    Maps of different units are each divided by their sums before.
    """
    if not np.array_equal(one.cells.rectangles, other.cells.rectangles):
        return None
    same = one.unit == other.unit
    sums = [1.0 if same else float(np.abs(np.nan_to_num(each.values)).sum()) or 1.0 for each in (one, other)]
    cells, bands = (
        [
            {name: cut_shares(getattr(part, name), each.unit) / total for name in (value, "low", "high")}
            for part, each, total in zip(parts, (one, other), sums, strict=True)
        ]
        for value, parts in (
            ("value", (one.estimate, other.estimate)),
            ("total", (one.profile(), other.profile())),
        )
    )
    groups = replace(
        other.estimate.groups,
        total=bands[1]["total"] - bands[0]["total"],
        low=bands[1]["low"] - bands[0]["high"],
        high=bands[1]["high"] - bands[0]["low"],
        shapley=np.full(len(other.cells.bands), np.nan),
    )
    estimate = replace(
        other.estimate,
        value=cells[1]["value"] - cells[0]["value"],
        low=cells[1]["low"] - cells[0]["high"],
        high=cells[1]["high"] - cells[0]["low"],
        kind=np.full(len(other.values), Kind.ESTIMATED, np.int8),
        variance=float("nan"),  # which makes values below zero mean something
        groups=groups,
    )
    unit = one.unit if same else "shares of each map's own sum"
    return replace(other, estimate=estimate, unit=f"difference of {unit}")


def _draw_profiles(axes: Axes, pair: Pair, colormap: str) -> None:
    """A bar of each side for every band."""
    axes.set_label("scale profiles")
    set_heading(axes, "Profile over scales")
    ink = mpl.rcParams["text.color"]
    for side, (name, one) in enumerate(zip(pair.names, pair.maps, strict=True)):
        profile = one.profile()
        total, low, high = (cut_shares(part, one.unit) for part in (profile.total, profile.low, profile.high))
        rows = np.arange(len(total)) + 0.4 * side - 0.2
        axes.barh(
            rows,
            np.nan_to_num(total),
            height=0.36,
            color=mpl.colormaps[colormap](0.25 + 0.5 * side),
            label=name,
            xerr=np.nan_to_num(np.stack([total - low, high - total]).clip(min=0.0)),
            error_kw={"ecolor": ink, "elinewidth": 1, "capsize": 2},
        )
    name_bands(axes, pair.maps[1].profile().names)
    axes.legend(frameon=False, fontsize=text_size(), handlelength=1.0)
    _label(axes, pair.maps[1].profile().statistic)


def _draw_changes(axes: Axes, difference: Attribution) -> None:
    """A bar with its interval for every band; pale where the intervals of both sides overlap."""
    axes.set_label("difference of profiles")
    set_heading(axes, "Difference by scale")
    groups, ink = difference.estimate.groups, mpl.rcParams["text.color"]
    value = np.nan_to_num(groups.total)
    bars = axes.barh(
        np.arange(len(value)),
        value,
        height=0.62,
        color=[ORANGE if each > 0 else BLUE for each in value],
        xerr=np.nan_to_num(np.stack([value - groups.low, groups.high - value]).clip(min=0.0)),
        error_kw={"ecolor": ink, "elinewidth": 1, "capsize": 2},
    )
    certain = (groups.low < groups.high) & ((groups.low > 0) | (groups.high < 0))
    for bar, sure in zip(bars, certain, strict=True):
        bar.set_alpha(1.0 if sure else 0.35)
    axes.axvline(0.0, color=ink, linewidth=0.8)
    name_bands(axes, difference.profile().names)
    _label(axes, "pale: the intervals of both sides overlap")


def _label(axes: Axes, words: str) -> None:
    size = text_size()
    axes.set_xlabel(wrapped(words, width_of(axes), size), fontsize=size, parse_math=False, labelpad=1.5)
