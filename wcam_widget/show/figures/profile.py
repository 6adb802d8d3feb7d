"""The profile over scales in a figure: one bar per band."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from wcam_widget.explain.attribution import Attribution
from wcam_widget.show.figures.lettering import LINE, below, set_heading, text_size, width_of, wrapped
from wcam_widget.show.scale import cut_shares


def draw_profile(axes: Axes, attribution: Attribution, colormap: str) -> None:
    """Draw a bar with its interval for every band; what is a share is cut to [0, 1]."""
    axes.set_label("scale profile")
    set_heading(axes, "Profile over scales")
    size = text_size()
    profile = attribution.profile()
    rows = np.arange(len(profile.names))
    total, low, high = (
        cut_shares(part, attribution.unit) for part in (profile.total, profile.low, profile.high)
    )
    reach = np.stack([total - low, high - total]).clip(min=0.0)
    ink = mpl.rcParams["text.color"]
    axes.barh(
        rows,
        np.nan_to_num(total),
        height=0.62,
        color=mpl.colormaps[colormap](0.55),
        xerr=np.nan_to_num(reach),
        error_kw={"ecolor": ink, "elinewidth": 1, "capsize": 2},
    )
    statistic = wrapped(profile.statistic, width_of(axes), size)
    axes.set_xlabel(statistic, fontsize=size, parse_math=False, labelpad=1.5)
    if np.isfinite(profile.shapley).all():
        label = "Shapley effect (these add to 1)"
        axes.plot(profile.shapley, rows, "D", color=ink, markersize=3, label=label)
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            bbox_transform=below(axes, 8.0 + LINE * size * (2 + statistic.count("\n"))),
            borderpad=0.0,
            borderaxespad=0.0,
            handlelength=1.0,
            handletextpad=0.4,
            frameon=False,
            fontsize=size,
        )
    if axes.get_xlim()[0] < 0.0:  # Shapley effects are estimates, and may scatter below zero
        axes.axvline(0.0, color=ink, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    name_bands(axes, profile.names)


def name_bands(axes: Axes, names: Sequence[str]) -> None:
    """Names of bands at the vertical axis, the first at the top."""
    axes.set_yticks(np.arange(len(names)), names)
    axes.tick_params(labelsize=text_size(), pad=2.0, length=2.0)
    axes.set_ylim(len(names) - 0.5, -0.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
