"""The profile over scales in a figure: one bar per band."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from wcam_widget.explain.attribution import Attribution
from wcam_widget.show.scale import cut_shares

_PROFILE_POINTS = 190  # height of the profile: names of many bars get smaller


def draw_profile(axes: Axes, attribution: Attribution, colormap: str) -> None:
    """Draw a bar with its interval for every band; what is a share is cut to [0, 1]."""
    axes.set_label("scale profile")
    axes.set_title("Profile over scales")
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
    if np.isfinite(profile.shapley).all():
        label = "Shapley effect (these add to 1)"
        axes.plot(profile.shapley, rows, "D", color=ink, markersize=4, label=label)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False, fontsize="x-small")
    axes.set_yticks(rows, profile.names, fontsize=min(mpl.rcParams["font.size"], _PROFILE_POINTS / len(rows)))
    axes.invert_yaxis()
    if axes.get_xlim()[0] < 0.0:  # Shapley effects are estimates, and may scatter below zero
        axes.axvline(0.0, color=ink, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(profile.statistic, fontsize="small", parse_math=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
