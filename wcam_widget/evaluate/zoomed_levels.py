"""What zooming does to scores and to levels, over photographs: tables, words, a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from jaxtyping import Bool, Float

from wcam_widget.evaluate.over_images import MeanOver, mean_over
from wcam_widget.sensitivity import GroupEstimate
from wcam_widget.sensitivity.statistics.paired import sign_flip_p
from wcam_widget.stress.zoom import Zoomed

if TYPE_CHECKING:
    import pandas as pd

    from wcam_widget.figure import NotebookFigure

VIEWS = ("zoomed", "cropped", "enlarged")
EXPLAINED = ("zoomed", "enlarged")
STEPS = ("background removed", "larger on the grid", "finer detail")


@final
@dataclass(frozen=True, eq=False)
class LevelRow:
    """Indices of the levels of one view, coarse to fine.

    Attributes:
        kinds: "approximation" or "level".
        levels: Of the view, 1 for the finest.
        physical: The levels at factor 1 that cover as much of the object; 0 and less are finer than it has.
        groups: Totals and Shapley effects.
    """

    kinds: tuple[str, ...]
    levels: tuple[int, ...]
    physical: Float[np.ndarray, " q"]
    groups: GroupEstimate

    @property
    def is_finer(self) -> Bool[np.ndarray, " q"]:
        """Which levels cover less of the object than the finest at factor 1."""
        return np.asarray((self.physical < 1) & (np.array(self.kinds) == "level"))


@final
@dataclass(frozen=True, eq=False)
class ZoomRow:
    """What was measured of one photograph.

    Attributes:
        label: The score in words.
        scores: Of every factor and view, in the order of ``VIEWS``, (f, 3).
        right: Whether the top class is the class of the score, (f, 3).
        levels: By factor and view, of those in ``EXPLAINED``.
        resolution: Pixels of the photograph for each pixel of the view at the largest factor.
        views: The views at the largest factor; of the first photograph alone.
    """

    label: str
    scores: Float[np.ndarray, "f 3"]
    right: Bool[np.ndarray, "f 3"]
    levels: Mapping[tuple[float, str], LevelRow]
    resolution: float
    views: tuple[Zoomed, ...] = ()


@final
@dataclass(frozen=True, eq=False)
class Zoom:
    """The same objects at several scales: scores, accuracy, and the importance of physical levels.

    Attributes:
        factors: Rising, the first is 1.
        rows: One ``ZoomRow`` for each photograph.
    """

    factors: tuple[float, ...]
    rows: tuple[ZoomRow, ...]

    def __repr__(self) -> str:
        count = "1 photograph" if len(self.rows) == 1 else f"{len(self.rows)} photographs"
        return f"<Zoom of {count}, factors {', '.join(f'{one:g}' for one in self.factors)}>"

    def table(self) -> pd.DataFrame:
        """Totals and Shapley effects of the levels, aligned by physical scale.

        Returns:
            A row for each factor, view ("zoomed" or "enlarged", which has no new detail) and level, coarse to
            fine: ``kind``, ``level`` of the view, ``physical`` level (that of factor 1), ``shapley`` and
            ``total`` as means over photographs with ``….low`` and ``….high``: 95 % intervals over
            photographs, or of one photograph's estimate, whose Shapley effects have none.
        """
        import pandas as pd  # noqa: PLC0415 takes half a second to import, and only tables need it

        parts = []
        for factor, view in self.rows[0].levels:
            every = [row.levels[factor, view] for row in self.rows]
            shapley, total = (self.level_means(factor, view, name) for name in ("shapley", "total"))
            columns = {
                "kind": every[0].kinds,
                "level": every[0].levels,
                "physical": every[0].physical,
                "shapley": shapley.value,
                "shapley.low": shapley.low,
                "shapley.high": shapley.high,
                "total": total.value,
                "total.low": total.low,
                "total.high": total.high,
            }
            parts.append(pd.DataFrame({"factor": factor, "view": view, **columns}))
        return pd.concat(parts, ignore_index=True)

    def level_means(self, factor: float, view: str, statistic: str) -> MeanOver:
        """The mean over photographs of the levels of one view, with limits as for ``table``.

        Args:
            factor: One of ``factors``.
            view: "zoomed", or "enlarged" at factors above 1.
            statistic: "shapley" or "total".
        """
        groups = [row.levels[factor, view].groups for row in self.rows]
        mean = mean_over(np.array([getattr(one, statistic) for one in groups]))
        if len(groups) == 1 and statistic == "total":
            return MeanOver(mean.value, groups[0].low, groups[0].high)
        return mean

    def scores(self) -> pd.DataFrame:
        """Accuracy and the mean score of every view.

        Returns:
            A row for each factor and view: ``accuracy``, ``score`` with its interval over photographs.
        """
        import pandas as pd  # noqa: PLC0415 takes half a second to import, and only tables need it

        parts = []
        for number, factor in enumerate(self.factors):
            for place, view in enumerate(VIEWS if factor > 1 else VIEWS[:1]):
                mean = mean_over(np.array([[row.scores[number, place]] for row in self.rows]))
                accuracy = float(np.mean([row.right[number, place] for row in self.rows]))
                limits = {"score": mean.value[0], "low": mean.low[0], "high": mean.high[0]}
                parts.append({"factor": factor, "view": view, "accuracy": accuracy, **limits})
        return pd.DataFrame(parts)

    def gains(self) -> pd.DataFrame:
        """What zooming adds to the score, and the three steps it is the sum of.

        Returns:
            A row for each factor above 1 and step, the sum first: ``gain``, the mean over photographs, with
            its 95 % interval ``low`` to ``high``, and ``p`` by changes of sign over photographs.
        """
        import pandas as pd  # noqa: PLC0415 takes half a second to import, and only tables need it

        parts = []
        for number, factor in enumerate(self.factors[1:], 1):
            rows = self.steps(number)
            mean, p = mean_over(rows), sign_flip_p(rows)
            columns = {"gain": mean.value, "low": mean.low, "high": mean.high, "p": p}
            parts.append(pd.DataFrame({"factor": factor, "step": ["zoom", *STEPS], **columns}))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def steps(self, number: int) -> Float[np.ndarray, "n 4"]:
        """For each photograph the gain at one factor and its steps, in the order of ``gains``.

        Args:
            number: The place of the factor, at least 1.
        """
        scores = np.array([row.scores for row in self.rows])
        start, (zoomed, cropped, enlarged) = scores[:, 0, 0], scores[:, number].T
        return np.stack([zoomed - start, cropped - start, enlarged - cropped, zoomed - enlarged], 1)

    def summary(self) -> str:
        """What zooming gains, by which step, and how much rests on detail that only the zoomed view has."""
        lines = []
        for number, factor in enumerate(self.factors[1:], 1):
            mean = mean_over(self.steps(number))
            parts = [
                _with_limits(name, *(float(part[place]) for part in mean))
                for place, name in enumerate(STEPS, 1)
            ]
            gained = _with_limits("the score changes by", *(float(part[0]) for part in mean))
            lines.append(f"Factor {factor:g}: {gained}: {', '.join(parts)}.")
        last = self.factors[-1]
        if last > 1:
            for view, words in (("zoomed", "in the zoomed view"), ("enlarged", "without new detail")):
                mean, finest = self._finer(last, view)
                limits = f" ({100 * mean.low[0]:.3g} to {100 * mean.high[0]:.3g})"
                known = limits if np.isfinite(mean.low[0]) else ""
                lines.append(
                    f"Levels finer than factor 1 has, {finest} of them, carry {100 * mean.value[0]:.3g} %"
                    f"{known} of the importance {words}."
                )
        return "\n".join(lines) or "Only factor 1 was measured."

    def _finer(self, factor: float, view: str) -> tuple[MeanOver, int]:
        """The Shapley effects of levels that factor 1 does not have, and how many there are."""
        finer = self.rows[0].levels[factor, view].is_finer
        sums = [[row.levels[factor, view].groups.shapley[finer].sum()] for row in self.rows]
        return mean_over(np.array(sums)), int(finer.sum())

    def plot(self) -> NotebookFigure:
        """Draw the views of the first photograph, the levels by physical scale, and the steps of the gain.

        Returns:
            A figure, made without pyplot; a notebook shows it as the value of a cell.
        """
        from wcam_widget.evaluate.figures.zoom import draw_zoom  # noqa: PLC0415 matplotlib takes a second

        return draw_zoom(self)


def _with_limits(name: str, value: float, low: float, high: float) -> str:
    limits = f" ({low:+.3f} to {high:+.3f})" if np.isfinite(low) else ""
    return f"{name} {value:+.3f}{limits}"
