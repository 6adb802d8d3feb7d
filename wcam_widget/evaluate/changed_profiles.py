"""Profiles over scales before and after corruptions, beside accuracy: tables, words, a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from jaxtyping import Float

from wcam_widget.evaluate.flips import Failures
from wcam_widget.evaluate.over_images import mean_over
from wcam_widget.evaluate.scale_profiles import Profiles
from wcam_widget.sensitivity.statistics.multiple_tests import LEVEL, holm_adjusted
from wcam_widget.sensitivity.statistics.paired import sign_flip_p, sign_flips

if TYPE_CHECKING:
    import pandas as pd

    from wcam_widget.figure import NotebookFigure

MOST_NAMED = 3  # changes in the summary


@final
@dataclass(frozen=True, eq=False)
class ProfileChanges:
    """What corruptions do to accuracy and to the scales that a model rests on.

    Attributes:
        failures: The answers to all images, clean and corrupted.
        profiles: Of the explained images: "clean" first, then each corruption at each severity, "fog 3", in
            the place of models.
    """

    failures: Failures
    profiles: Profiles

    def __repr__(self) -> str:
        images = self.profiles.shapley.shape[1]
        count = "1 image" if images == 1 else f"{images} images"
        return f"<ProfileChanges: {', '.join(self.profiles.models[1:])} over {count}>"

    def values(self, by: str = "level") -> Float[np.ndarray, "v n q"]:
        """Shapley effects of each corrupted version less those of the clean one, image by image.

        Args:
            by: "band", "level" or "orientation".

        Returns:
            (corruptions and severities, images, groups in the order of ``profiles.groups(by)``).

        Raises:
            ValueError: Naming ``by``.
        """
        values = self.profiles.values(by=by)
        return np.asarray(values[1:] - values[0])

    def p(self, by: str = "level") -> Float[np.ndarray, "v q"]:
        """Two-sided p-values of the mean changes, by changes of sign over images, Holm over all of them.

        Args:
            by: "band", "level" or "orientation".
        """
        p = np.stack([sign_flip_p(rows) for rows in self.values(by)])
        return holm_adjusted(p.ravel()).reshape(p.shape)

    def table(self, by: str = "level") -> pd.DataFrame:
        """Accuracy beside the change of every level, band or filter.

        Args:
            by: "level", "band" or "orientation".

        Returns:
            A row for each corruption, severity and group, coarse to fine: ``accuracy`` over all images with
            Wilson's limits ``accuracy.low`` and ``accuracy.high``; ``name`` of the group; its mean Shapley
            effect ``clean`` and ``corrupted``; their difference ``change`` with its 95 % interval over the
            explained images, ``low`` to ``high``; and ``p``, adjusted by Holm over the whole table.

        Raises:
            ValueError: Naming ``by``.
        """
        import pandas as pd  # noqa: PLC0415 takes half a second to import, and only tables need it

        means = self.profiles.values(by=by).mean(1)
        parts = [
            pd.DataFrame(
                {
                    **accuracy,
                    "name": self.profiles.groups(by),
                    "clean": means[0],
                    "corrupted": means[number],
                    "change": change.value,
                    "low": change.low,
                    "high": change.high,
                    "p": p,
                }
            )
            for number, (accuracy, change, p) in enumerate(
                zip(self._accuracies(), map(mean_over, self.values(by)), self.p(by), strict=True), 1
            )
        ]
        return pd.concat(parts, ignore_index=True)

    def moved(self, by: str = "level") -> pd.DataFrame:
        """Accuracy beside how much of the importance moved in all.

        Args:
            by: "level", "band" or "orientation", between which it moves.

        Returns:
            A row for each corruption and severity, with the accuracy as in ``table``; ``moved``, the total
            variation between the clean and the corrupted mean profile, 0 to 1; ``by_chance``, what that is
            where signs of the differences are chance; ``p`` of a distance at least as large, by Holm.

        Raises:
            ValueError: Naming ``by``.
        """
        import pandas as pd  # noqa: PLC0415 takes half a second to import, and only tables need it

        values = self.values(by)
        by_chance, p = zip(*map(sign_flips, values), strict=True)
        columns = {
            "moved": np.abs(values.mean(1)).sum(1) / 2,
            "by_chance": by_chance,
            "p": holm_adjusted(np.array(p)),
        }
        return pd.DataFrame(self._accuracies()).assign(**columns)

    def summary(self) -> str:
        """Where accuracy fell most, how much importance moved there, and which changes are certain."""
        moved = self.moved()
        worst = moved.loc[moved["accuracy"].idxmin()]
        images = self.profiles.shapley.shape[1]
        over = "of 1 image" if images == 1 else f"over {images} images"
        low, high, p = worst["accuracy.low"], worst["accuracy.high"], worst["p"]
        fell = (
            f"{worst['corruption']} {worst['severity']} leaves an accuracy of {worst['accuracy']:.0%} "
            f"({low:.0%} to {high:.0%}); there {worst['moved']:.0%} of the importance lies on other levels "
            f"({worst['by_chance']:.0%} by chance, p = {p:.2g})."
        )
        table = self.table()
        certain = table[table["p"] < LEVEL]
        if certain.empty:
            return f"{fell} No change of a level is certain, {over}."
        order = certain["change"].abs().sort_values(ascending=False).index[:MOST_NAMED]
        words = [
            f"{row['corruption']} {row['severity']}: {row['name']} {100 * row['change']:+.2g} % "
            f"({100 * row['low']:+.2g} to {100 * row['high']:+.2g})"
            for _, row in certain.loc[order].iterrows()
        ]
        return (
            f"{fell} {len(certain)} of {len(table)} changes of levels are certain {over}, most: "
            f"{'; '.join(words)}."
        )

    def plot(self, by: str = "level") -> NotebookFigure:
        """Draw the accuracy of each corruption and severity beside the change of every level.

        Args:
            by: "level", "band" or "orientation".

        Returns:
            A figure, made without pyplot; a notebook shows it as the value of a cell.

        Raises:
            ValueError: Naming ``by``.
        """
        from wcam_widget.evaluate.figures.profile_changes import (  # noqa: PLC0415 matplotlib takes a second
            draw_changes,
        )

        return draw_changes(self, by)

    def _accuracies(self) -> list[dict[str, object]]:
        low, high = self.failures.limits()
        return [
            {
                "corruption": name,
                "severity": severity,
                "accuracy": self.failures.accuracy[kind, level],
                "accuracy.low": low[kind, level],
                "accuracy.high": high[kind, level],
            }
            for kind, name in enumerate(self.failures.corruptions)
            for level, severity in enumerate(self.failures.severities)
        ]
