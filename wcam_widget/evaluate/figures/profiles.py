"""Profiles over scales in a figure: bars of all models, and the images of one by their likeness."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from scipy.cluster import hierarchy

from wcam_widget.evaluate.figures.axes import without_frame
from wcam_widget.evaluate.over_images import mean_over
from wcam_widget.evaluate.scale_profiles import Profiles
from wcam_widget.figure import NotebookFigure


def draw_profiles(profiles: Profiles, model: int, tree: np.ndarray | None) -> NotebookFigure:
    """Bars with their intervals, a tree of the images, and a row of bands for each image."""
    figure = NotebookFigure(figsize=(12.0, 4.6), layout="constrained")
    bars, branches, heat = figure.subplots(1, 3, width_ratios=(1.3, 0.4, 1.3))
    _draw_bars(bars, profiles)
    order = np.arange(profiles.shapley.shape[1]) if tree is None else _draw_tree(branches, tree)
    if tree is None:
        branches.set_axis_off()
    rows = profiles.shapley[model][order]
    drawn = heat.imshow(rows, aspect="auto", cmap="cividis", vmin=0.0, interpolation="nearest")
    heat.set_xticks(np.arange(len(profiles.names)), profiles.names, rotation=90, fontsize="small")
    heat.set_yticks(np.arange(len(order)) if len(order) <= 24 else [], order[:24] if len(order) <= 24 else [])
    heat.set_ylabel("image")
    heat.set_title(f"Images by likeness, {profiles.models[model]}", fontsize="medium", parse_math=False)
    figure.colorbar(drawn, ax=heat, label="Shapley effect")
    return figure


def _draw_bars(axes: Axes, profiles: Profiles) -> None:
    count, rows = len(profiles.models), np.arange(len(profiles.names))
    height = 0.8 / count
    ink = mpl.rcParams["text.color"]
    for number, (model, values) in enumerate(zip(profiles.models, profiles.shapley, strict=True)):
        mean = mean_over(values)
        reach = np.stack([mean.value - mean.low, mean.high - mean.value])
        bars: dict[str, Any] = {"xerr": reach} if np.isfinite(reach).all() else {}
        axes.barh(
            rows + (number - (count - 1) / 2) * height,
            mean.value,
            height=0.9 * height,
            color=mpl.colormaps["cividis"](0.25 + 0.6 * number / max(count - 1, 1)),
            label=model,
            error_kw={"ecolor": ink, "elinewidth": 1, "capsize": 2},
            **bars,
        )
    axes.set_yticks(rows, profiles.names, fontsize="small")
    axes.invert_yaxis()
    axes.set_title("Profile over scales and filters", fontsize="medium")
    axes.set_xlabel("Shapley effect, mean over images with 95 % interval", fontsize="small")
    if count > 1:
        axes.legend(frameon=False, fontsize="small")
    without_frame(axes)


def _draw_tree(axes: Axes, tree: np.ndarray) -> np.ndarray:
    """The tree beside the rows it orders; returns the order."""
    drawn = hierarchy.dendrogram(tree, no_plot=True)
    # Leaves stand at 5, 15, 25 there, rows at 0, 1, 2 here.
    lines = [
        np.column_stack([-np.array(depth), (np.array(place) - 5) / 10])
        for place, depth in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    ]
    axes.add_collection(LineCollection(lines, colors=mpl.rcParams["text.color"], linewidths=0.8))
    axes.set_ylim(len(tree) + 0.5, -0.5)
    far = max(float(tree[:, 2].max()), 1e-9)
    axes.set_xlim(-1.05 * far, 0)
    axes.set_xticks([-far, 0.0], [f"{far:.2f}", "0"])
    axes.set_yticks([])
    axes.set_xlabel("distance", fontsize="small")
    without_frame(axes)
    axes.spines["left"].set_visible(False)
    return np.array(drawn["leaves"])
