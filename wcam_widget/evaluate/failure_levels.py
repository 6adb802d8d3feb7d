"""What a corruption does to whole levels and orientations of one image, with intervals and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from wcam_widget.evaluate.map_difference import ROUNDING
from wcam_widget.evaluate.scale_profiles import group_labels
from wcam_widget.explain import Attribution
from wcam_widget.sensitivity.statistics.jackknife import Replicated
from wcam_widget.sensitivity.statistics.multiple_tests import LEVEL, holm_adjusted, p_differing

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("level", "orientation")


@dataclass(frozen=True, eq=False)
class GroupChanges:
    """The Shapley effects of levels or orientations in one image, clean and corrupted, and their change.

    Attributes:
        names: Of the groups, coarse to fine.
        clean: Shares of the score's variance in the clean image, (q,).
        corrupted: Those in the corrupted one, (q,).
        value: The second less the first, (q,).
        low: Lower ends of 95 % intervals over the replicates, (q,).
        high: Upper ends of the same, (q,).
        p: Two-sided p-values of paired replicates, by Holm over the groups, (q,).
    """

    names: tuple[str, ...]
    clean: Float[np.ndarray, " q"]
    corrupted: Float[np.ndarray, " q"]
    value: Float[np.ndarray, " q"]
    low: Float[np.ndarray, " q"]
    high: Float[np.ndarray, " q"]
    p: Float[np.ndarray, " q"]

    @classmethod
    def of(cls, clean: Attribution, corrupted: Attribution, by: str) -> GroupChanges | None:
        """Those of two maps from the same random rows; None where they hold no replicates of the effects.

        Args:
            clean: The map of the clean image.
            corrupted: The map of the corrupted one.
            by: "band", "level" or "orientation".

        Raises:
            ValueError: Naming ``by``.
        """
        bands = clean.profile()
        labels = np.array(group_labels(bands.names, bands.levels, bands.orientations, by))
        one, other = clean.estimate.groups, corrupted.estimate.groups
        if one.shapley_left_out is None or other.shapley_left_out is None:
            return None
        names = tuple(dict.fromkeys(labels.tolist()))

        def added(values: Float[np.ndarray, "*w g"]) -> Float[np.ndarray, "*w q"]:
            return np.stack([values[..., labels == name].sum(-1) for name in names], -1)

        change = Replicated(
            added(other.shapley - one.shapley), added(other.shapley_left_out - one.shapley_left_out)
        )
        low, high = change.symmetric_interval()
        p = holm_adjusted(np.where(np.abs(change.value) > ROUNDING, p_differing(change), 1.0))
        return cls(names, added(one.shapley), added(other.shapley), change.value, low, high, p)

    def table(self) -> pd.DataFrame:
        """A row for each group: ``name``, both shares, their ``difference``, ``low``, ``high`` and ``p``."""
        import pandas as pd  # noqa: PLC0415 takes a second to import, and only tables need it

        shares = {"clean": self.clean, "corrupted": self.corrupted, "difference": self.value}
        return pd.DataFrame({"name": self.names, **shares, "low": self.low, "high": self.high, "p": self.p})

    def words(self) -> list[str]:
        """What changed for certain, in words."""
        return [
            f"{name} {'gained' if value > 0 else 'lost'} {abs(value):.2f} ({low:+.2f} to {high:+.2f})"
            for name, value, low, high, p in zip(
                self.names, self.value, self.low, self.high, self.p, strict=True
            )
            if p < LEVEL
        ]
