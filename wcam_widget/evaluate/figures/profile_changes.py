"""Changes of profiles in a figure: accuracy on the left, what gained and lost importance on the right."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from wcam_widget.evaluate.changed_profiles import ProfileChanges
from wcam_widget.evaluate.figures.axes import SIGNED, without_frame
from wcam_widget.figure import NotebookFigure
from wcam_widget.sensitivity.statistics.multiple_tests import LEVEL


def draw_changes(changes: ProfileChanges, by: str) -> NotebookFigure:
    """A row for each corruption and severity: its accuracy, and the change of every group."""
    moved, table = changes.moved(by), changes.table(by)
    rows, groups = len(moved), changes.profiles.groups(by)
    figure = NotebookFigure(figsize=(4.5 + 0.9 * len(groups), 1.6 + 0.34 * rows), layout="constrained")
    accuracy, heat = figure.subplots(1, 2, sharey=True, width_ratios=(2.2, 0.8 * len(groups)))
    _draw_accuracy(accuracy, moved, changes.failures.clean_accuracy)
    _draw_heat(heat, table, groups)
    accuracy.set_yticks(np.arange(rows), changes.profiles.models[1:], fontsize="small", parse_math=False)
    accuracy.set_ylim(rows - 0.5, -0.5)
    return figure


def _draw_accuracy(axes: Axes, moved: pd.DataFrame, clean: float) -> None:
    ink = mpl.rcParams["text.color"]
    reach = [moved["accuracy"] - moved["accuracy.low"], moved["accuracy.high"] - moved["accuracy"]]
    axes.barh(
        np.arange(len(moved)),
        moved["accuracy"],
        height=0.62,
        color=mpl.colormaps["cividis"](0.5),
        xerr=np.stack(reach).clip(min=0.0),
        error_kw={"ecolor": ink, "elinewidth": 1, "capsize": 2},
    )
    axes.axvline(clean, color=ink, linewidth=0.8, linestyle=":")
    axes.set_xlim(0.0, 1.02)
    axes.set_title("Accuracy", fontsize="medium")
    axes.set_xlabel("dotted: clean", fontsize="small")
    without_frame(axes)


def _draw_heat(axes: Axes, table: pd.DataFrame, groups: tuple[str, ...]) -> None:
    """The change of every group; numbers that are certain stand in bold, others pale."""
    change, p = (table[name].to_numpy().reshape(-1, len(groups)) for name in ("change", "p"))
    top = max(float(np.abs(change).max()), 1e-9)
    drawn = axes.imshow(change, aspect="auto", cmap=SIGNED, vmin=-top, vmax=top, interpolation="nearest")
    for (row, column), value in np.ndenumerate(change):
        certain, dark = p[row, column] < LEVEL, abs(value) > 0.6 * top
        axes.text(
            column,
            row,
            f"{100 * value:+.0f}",
            ha="center",
            va="center",
            fontsize="small",
            fontweight="bold" if certain else "normal",
            color="white" if dark else "black",
            alpha=1.0 if certain or dark else 0.6,
        )
    axes.set_xticks(np.arange(len(groups)), groups, fontsize="small")
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.set_title("Change of the share of the importance, %", fontsize="medium")
    axes.set_xlabel("bold: certain (Holm, 5 %)", fontsize="small")
    figure = axes.get_figure()
    assert isinstance(figure, NotebookFigure)  # noqa: S101  axes made by subplots always stand in one
    bar = figure.colorbar(drawn, ax=axes)
    bar.set_ticks([-top, 0.0, top], labels=["lost", "0", "gained"])
