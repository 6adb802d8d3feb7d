"""What a measure of faithfulness returns: one number per image, curves, and the null rankings beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from wcam_widget.evaluate.scoring_space import Case

WITH_AREAS = ("insertion", "deletion")


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """One measure of one map per image, and of the null rankings in the same cells.

    Attributes:
        measure: Its name.
        domain: Which cells were removed.
        values: The measure of each image, (B,); areas of insertion and deletion, means of ROAD.
        flat: True where a map gives all cells one value and so ranks nothing, (B,).
        fractions: Shares of the cells at the points of each curve, (B, s + 1), both ends included; (B, 0)
            where a measure has no curves.
        curves: Scores of insertion and deletion there, (B, s + 1), or half differences of ROAD, (B, 9).
        null: The same for the null rankings.

    Examples:
        >>> Faithfulness("deletion", "pixels", np.array([0.25, 0.75]), np.zeros(2, bool)).mean
        0.5
    """

    measure: str
    domain: str
    values: Float[np.ndarray, " b"]
    flat: Bool[np.ndarray, " b"]
    fractions: Float[np.ndarray, "b s"] = field(default_factory=lambda: np.zeros((0, 0)))
    curves: Float[np.ndarray, "b s"] = field(default_factory=lambda: np.zeros((0, 0)))
    null: Mapping[str, Faithfulness] = field(default_factory=dict)

    def __repr__(self) -> str:
        nulls = "".join(f", {name} {one.mean:.3f}" for name, one in self.null.items())
        count = "1 image" if len(self.values) == 1 else f"{len(self.values)} images"
        return f"<{self.measure}, {self.domain}, {count}: {self.mean:.3f} ± {self.error:.3f}{nulls}>"

    @property
    def areas(self) -> Float[np.ndarray, " b"]:
        """The area under each curve of scores; ValueError where the measure has none."""
        if self.measure not in WITH_AREAS:
            raise ValueError(f"areas belong to {' and '.join(WITH_AREAS)}; {self.measure} has none")
        return self.values

    @property
    def mean(self) -> float:
        """The mean over images."""
        return float(self.values.mean())

    @property
    def error(self) -> float:
        """The standard error of the mean over images; NaN for a single image, which tells none."""
        return standard_error(self.values)

    def over(self, null: str) -> tuple[float, float]:
        """The mean difference from a null ranking, image by image, and its standard error.

        Positive is better for insertion, ROAD, mu-fidelity and average increase, negative for deletion and
        average drop.

        Args:
            null: A ranking that was scored, as "energy".

        Returns:
            The mean and its standard error.

        Raises:
            ValueError: Naming ``null`` for a ranking that was not scored.
        """
        if null not in self.null:
            raise ValueError(f"null: found {null!r}; scored were {', '.join(self.null) or 'none'}")
        difference = self.values - self.null[null].values
        return float(difference.mean()), standard_error(difference)


class Curve(NamedTuple):
    """One curve of one image: the fractions of the cells, the scores there, what is measured of them."""

    fractions: Float[np.ndarray, " s"]
    scores: Float[np.ndarray, " s"]
    value: float


def collect(
    measure: str, cases: Iterable[Case], score: Callable[[Case], Sequence[float] | Sequence[Curve]]
) -> Faithfulness:
    """Collect the result of a measure; ``score`` gives that of each image's map, then of its nulls.

    Of an image nothing is kept but these numbers. Raises ValueError naming ``steps`` where images have too
    different numbers of cells for curves of one length.
    """
    rows, flat, words = [], [], ""
    names: tuple[str, ...] = ()
    for case in cases:
        rows.append([_as_curve(one) for one in score(case)])
        flat.append([bool(values.min() == values.max()) for values in case.rankings])
        if not words:
            names, words = tuple(case.nulls), case.words
    lengths = {len(row[0].scores) for row in rows}
    if len(lengths) > 1:
        raise ValueError(
            f"steps: None gives curves of {min(lengths)} to {max(lengths)} points, as the attributions have "
            f"different numbers of cells; accepted is a number up to {min(lengths) - 1}"
        )
    results = [
        Faithfulness(
            measure=measure,
            domain=words,
            values=np.array([row[column].value for row in rows]),
            flat=np.array([row[column] for row in flat]),
            fractions=np.array([row[column].fractions for row in rows]),
            curves=np.array([row[column].scores for row in rows]),
        )
        for column in range(len(rows[0]))
    ]
    return replace(results[0], null=dict(zip(names, results[1:], strict=True)))


def _as_curve(one: float | Curve) -> Curve:
    return one if isinstance(one, Curve) else Curve(np.zeros(0), np.zeros(0), one)


def standard_error(values: Float[np.ndarray, " b"]) -> float:
    """The standard error of a mean; NaN for a single value."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
