"""The mean profile of one model less that of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from jaxtyping import Float

from wcam_widget.sensitivity.statistics.multiple_tests import LEVEL

if TYPE_CHECKING:
    import pandas as pd


@final
@dataclass(frozen=True, eq=False)
class ProfileDifference:
    """The mean profile of one model less that of another, over the same images.

    Attributes:
        models: The two names.
        names: Of the bands, levels or orientations, (g,).
        value: The mean difference, (g,).
        low: Lower ends of 95 % intervals over images, (g,).
        high: Upper ends of the same, (g,).
        p: Two-sided p-values by changes of sign over images, adjusted by Holm for all g at once, (g,).
        distance: Total variation between the mean profiles: the share of importance that moved, 0 to 1.
        by_chance: What that is on average where nothing differs but chance.
        distance_p: The chance of a distance at least as large then.
    """

    models: tuple[str, str]
    names: tuple[str, ...]
    value: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]
    p: Float[np.ndarray, " g"]
    distance: float
    by_chance: float
    distance_p: float

    def table(self) -> pd.DataFrame:
        """One row for each band, level or orientation: ``difference``, ``low``, ``high``, ``p``."""
        import pandas as pd  # noqa: PLC0415 takes half a second to import, and only tables need it

        columns = {"difference": self.value, "low": self.low, "high": self.high, "p": self.p}
        return pd.DataFrame({"name": self.names, **columns})

    def summary(self) -> str:
        """What differs, in words."""
        one, other = self.models
        apart = (
            f"{100 * self.distance:.2g} % of the importance lies elsewhere ({100 * self.by_chance:.2g} % by "
            f"chance, p = {self.distance_p:.2g})"
        )
        parts = [
            f"{name} {100 * value:+.2g} % ({100 * low:+.2g} to {100 * high:+.2g})"
            for name, value, low, high, p in zip(
                self.names, self.value, self.low, self.high, self.p, strict=True
            )
            if p < LEVEL
        ]
        return f"{one} less {other}: {apart}. Differs: {', '.join(parts) or 'nothing that is certain'}."
