"""A failure in a figure: the clean image, the corrupted one, and what gained or lost importance."""

from __future__ import annotations

import textwrap

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from wcam_widget.evaluate.failure_explanation import FailureExplanation
from wcam_widget.evaluate.figures.axes import GAINED, LOST, SIGNED, draw_picture, without_frame
from wcam_widget.figure import NotebookFigure

_TITLE_WIDTH = 130
_OPACITY = 0.7
_BAND_POINTS = 190  # height of the bands: names of many get smaller


def draw_failure(explanation: FailureExplanation) -> NotebookFigure:
    """Draw both images, the signed difference over the corrupted one, and that of the bands."""
    figure = NotebookFigure(figsize=(14.0, 4.9), layout="constrained")
    clean, corrupted, difference, bands = figure.subplots(1, 4, width_ratios=(1.0, 1.0, 1.0, 0.8))
    before = explanation.name(explanation.classes[0])
    for place, (axes, word) in enumerate(((clean, "Clean"), (corrupted, "Corrupted"))):
        axes.set_label(word.lower())
        draw_picture(
            axes, explanation.images[place], f"{word}: {explanation.name(explanation.classes[place])}"
        )
        axes.set_xlabel(f"{before}: {explanation.confidence[place]:.2f}", parse_math=False)
    _draw_difference(difference, explanation)
    _draw_bands(bands, explanation)
    figure.suptitle(
        "\n".join(textwrap.wrap(explanation.summary(), _TITLE_WIDTH)), fontsize="small", parse_math=False
    )
    return figure


def _draw_difference(axes: Axes, explanation: FailureExplanation) -> None:
    axes.set_label("difference")
    draw_picture(axes, explanation.images[1].mean(0, keepdim=True), "Importance gained and lost")
    difference = explanation.spatial()
    sides = explanation.clean.cells.support[:, 2:] - explanation.clean.cells.support[:, :2]
    height, width = np.median(sides, 0)
    heat = difference * height * width
    top = float(np.abs(heat).max()) or 1.0
    drawn = axes.imshow(heat, cmap=SIGNED, vmin=-top, vmax=top, alpha=_OPACITY, interpolation="nearest")
    figure = axes.get_figure()
    assert isinstance(figure, NotebookFigure)  # noqa: S101  axes made by subplots always stand in one
    bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.9, aspect=30, pad=0.02)
    bar.set_ticks([-top, 0.0, top], labels=[f"{-top:.2g} lost", "0", f"+{top:.2g} gained"])
    bar.set_label(
        f"change of the share of the variance,\nper cell of {height:.0f} × {width:.0f} px", fontsize="small"
    )
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)


def _draw_bands(axes: Axes, explanation: FailureExplanation) -> None:
    """A bar with its interval for every band; filled where it changed for certain."""
    axes.set_label("bands")
    axes.set_title("By scale and direction", fontsize="medium")
    groups, names = explanation.difference.groups, explanation.clean.profile().names
    rows, ink = np.arange(len(names)), mpl.rcParams["text.color"]
    bars = axes.barh(
        rows,
        groups.value,
        height=0.62,
        color=[GAINED if value > 0 else LOST for value in groups.value],
        xerr=np.stack([groups.value - groups.low, groups.high - groups.value]).clip(min=0.0),
        error_kw={"ecolor": ink, "elinewidth": 1, "capsize": 2},
    )
    for bar, certain in zip(bars, explanation.bands_changed, strict=True):
        bar.set_alpha(1.0 if certain else 0.35)
    axes.axvline(0.0, color=ink, linewidth=0.8)
    axes.set_yticks(rows, names, fontsize=min(mpl.rcParams["font.size"], _BAND_POINTS / len(rows)))
    axes.invert_yaxis()
    reach = 1.15 * min(1.0, float(np.abs([groups.value, groups.low, groups.high]).max()) or 1.0)
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("change of the share of the variance\n(pale: may be chance)", fontsize="small")
    without_frame(axes)
