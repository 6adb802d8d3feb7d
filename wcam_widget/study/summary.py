"""Means over the images of a study, with intervals, and a figure of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from scipy import special

from wcam_widget.figure import NotebookFigure
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE
from wcam_widget.sensitivity.statistics.proportions import wilson

_NO_MEASURES = ("label",)


def summary(frame: pd.DataFrame, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """The mean of every measured column over the images, with its interval.

    Shares of yes and no have Wilson's interval, other numbers Student's t; images that lack a number do not
    count in it. Class ids and the intervals of single images are left out.

    Args:
        frame: One row for each image.
        confidence: Of the intervals, above 0 and below 1.

    Returns:
        ``count``, ``mean``, ``low`` and ``high``, one row for each column.

    References:
        Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Examples:
        >>> summary(pd.DataFrame({"name": ["a", "b"], "prediction.correct": [True, False]})).round(2)
                            count  mean   low  high
        prediction.correct      2   0.5  0.09  0.91
    """
    rows = {
        column: _row(frame[column].dropna(), confidence) for column in frame if _is_measure(frame[column])
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["count", "mean", "low", "high"]).astype(
        {"count": int}
    )


def _is_measure(column: pd.Series[Any]) -> bool:
    name, present = str(column.name), column.dropna()
    if name.endswith((".low", ".high", ".class")) or name in _NO_MEASURES or present.empty:
        return False
    return types.is_numeric_dtype(present) or _is_share(present)


def _is_share(present: pd.Series[Any]) -> bool:
    return all(isinstance(value, bool | np.bool_) for value in present)


def _row(present: pd.Series[Any], confidence: float) -> tuple[int, float, float, float]:
    values = present.to_numpy(dtype=float)
    n, mean = len(values), float(values.mean())
    if _is_share(present):
        low, high = wilson(np.array([present.sum()], int), n, confidence)
        return n, mean, float(low[0]), float(high[0])
    reach = np.nan
    if n > 1:
        reach = float(special.stdtrit(n - 1, 0.5 + confidence / 2) * values.std(ddof=1) / np.sqrt(n))
    return n, mean, mean - reach, mean + reach


def draw(means: pd.DataFrame, column: str) -> NotebookFigure:
    """Means whose column begins with ``column`` as bars with their intervals.

    Args:
        means: As ``summary`` gives them.
        column: "profile.scale", or the beginning of other columns; a dot follows it or nothing.
    """
    chosen = means[[name == column or name.startswith(f"{column}.") for name in means.index]]
    if chosen.empty:
        tops = dict.fromkeys(name.rpartition(".")[0] or name for name in means.index)
        raise ValueError(
            f"column: {column!r} is not valid; accepted are {', '.join(tops)} and single columns"
        )
    reach = np.stack([chosen["mean"] - chosen["low"], chosen["high"] - chosen["mean"]])
    bars = chosen["mean"].rename(lambda name: name.removeprefix(f"{column}."))
    figure = NotebookFigure(figsize=(max(5.0, 0.5 * len(bars)), 3.2), layout="constrained")
    axes = figure.subplots()
    bars.plot.bar(yerr=np.nan_to_num(reach), capsize=3, rot=0 if len(bars) < 9 else 60, ax=axes)
    counts = sorted(set(chosen["count"]))
    axes.set(ylabel=column, xlabel=f"means over {counts[-1]} images, 95 % intervals")
    return figure
