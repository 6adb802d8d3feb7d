"""Profiles over scales and filters: means over images, two models compared, images grouped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster import hierarchy
from scipy.spatial import distance
from torch import Tensor

from wcam_widget.evaluate.embedding import Embedding, embedded
from wcam_widget.evaluate.over_images import mean_over
from wcam_widget.evaluate.profile_difference import ProfileDifference
from wcam_widget.sensitivity.statistics.multiple_tests import holm_adjusted
from wcam_widget.sensitivity.statistics.paired import sign_flip_p, sign_flips

if TYPE_CHECKING:
    import pandas as pd

    from wcam_widget.figure import NotebookFigure

STATISTICS = ("shapley", "total")
GROUPINGS = ("band", "level", "orientation")


@final
@dataclass(frozen=True, eq=False)
class Profiles:
    """How much each scale and filter matters, for m models, n images and g bands.

    Attributes:
        models: Names of the models.
        names: Of the bands, coarse to fine.
        levels: Of the bands, 1 for the finest.
        orientations: Of the bands: "A", "LH", "HL" or "HH".
        shapley: Shares of the score's variance, which add to 1 over bands, (m, n, g).
        total: Total indices of the bands, which do not add, (m, n, g).
        shapley_noise: Estimation variance of ``shapley``; NaN where images were explained once, (m, n, g).
        total_noise: Likewise of ``total``, NaN where nothing is known of it, (m, n, g).
        method: How images were explained.
    """

    models: tuple[str, ...]
    names: tuple[str, ...]
    levels: tuple[int, ...]
    orientations: tuple[str, ...]
    shapley: Float[np.ndarray, "m n g"]
    total: Float[np.ndarray, "m n g"]
    shapley_noise: Float[np.ndarray, "m n g"]
    total_noise: Float[np.ndarray, "m n g"]
    method: str

    def __repr__(self) -> str:
        images = self.shapley.shape[1]
        count = "1 image" if images == 1 else f"{images} images"
        return f"<Profiles of {', '.join(self.models)} over {count}, {self.method}>"

    def values(self, statistic: str = "shapley", by: str = "band") -> Float[np.ndarray, "m n q"]:
        """The numbers of every model and image.

        Args:
            statistic: "shapley" or "total".
            by: "band", "level" or "orientation", over which Shapley effects are added up.

        Returns:
            (models, images, bands or groups of them, in the order of ``groups(by)``).

        Raises:
            ValueError: Naming ``statistic`` or ``by``; totals of bands do not add up.
        """
        self._ensure(statistic, by)
        return self._grouped(self.shapley if statistic == "shapley" else self.total, by)

    def groups(self, by: str = "band") -> tuple[str, ...]:
        """The names that ``values`` has numbers of: bands, levels as "A3" and "level 1", or filters.

        Args:
            by: "band", "level" or "orientation".
        """
        return tuple(dict.fromkeys(group_labels(self.names, self.levels, self.orientations, by)))

    def table(self, statistic: str = "shapley", by: str = "band") -> pd.DataFrame:
        """The profile of each model over the images.

        Args:
            statistic: "shapley" or "total".
            by: "band", "level" or "orientation".

        Returns:
            A row for each model and group: ``mean`` with a 95 % interval over images, ``low`` to
            ``high``; ``spread``, the standard deviation between images without the estimation error; and
            ``error``, that of one image's number, NaN where it is not known: ``spread`` then holds both.
        """
        import pandas as pd  # noqa: PLC0415 takes half a second to import, and only tables need it

        noise = self._grouped(self.shapley_noise if statistic == "shapley" else self.total_noise, by)
        parts = []
        for model, rows, errors in zip(self.models, self.values(statistic, by), noise, strict=True):
            mean, noise_variance = mean_over(rows), errors.mean(0)
            variance = rows.var(0, ddof=1) if len(rows) > 1 else np.full(rows.shape[1], np.nan)
            columns = {
                "mean": mean.value,
                "low": mean.low,
                "high": mean.high,
                "spread": np.sqrt(np.maximum(variance - np.nan_to_num(noise_variance), 0.0)),
                "error": np.sqrt(noise_variance),
            }
            parts.append(pd.DataFrame({"model": model, "name": self.groups(by), **columns}))
        return pd.concat(parts, ignore_index=True)

    def compare(
        self, one: str | None = None, other: str | None = None, statistic: str = "shapley", by: str = "band"
    ) -> ProfileDifference:
        """One model's profile less another's, paired over the images.

        Args:
            one: A model's name; None for the first.
            other: Another; None for the second.
            statistic: "shapley" or "total".
            by: "band", "level" or "orientation".

        Returns:
            Mean differences with intervals and tests, and how far the mean profiles are apart.

        Raises:
            ValueError: Naming ``one`` or ``other`` where there is no such model.
        """
        names = [self.models[0] if one is None else one, self._second() if other is None else other]
        pair = [self._model(name, argument) for name, argument in zip(names, ("one", "other"), strict=True)]
        values = self.values(statistic, by)
        rows = values[pair[0]] - values[pair[1]]
        mean = mean_over(rows)
        by_chance, p = sign_flips(rows)
        return ProfileDifference(
            models=(names[0], names[1]),
            names=self.groups(by),
            value=mean.value,
            low=mean.low,
            high=mean.high,
            p=holm_adjusted(sign_flip_p(rows)),
            distance=float(np.abs(mean.value).sum() / 2),
            by_chance=by_chance,
            distance_p=p,
        )

    def distances(self, model: str | None = None) -> Float[np.ndarray, "n n"]:
        """How far the images' profiles are apart: total variation of the Shapley effects, 0 to 1.

        Args:
            model: A model's name; None for the first.
        """
        return np.asarray(distance.squareform(self._condensed(model)))

    def clusters(self, count: int, model: str | None = None) -> Int[np.ndarray, " n"]:
        """Images grouped by profile, by average linkage of ``distances``.

        Args:
            count: Clusters, at least 1 and at most one for each image.
            model: A model's name; None for the first.

        Returns:
            The cluster of each image, from 1; fewer than ``count`` where images are equal.

        Raises:
            ValueError: Naming ``count`` outside its range.
        """
        images = self.shapley.shape[1]
        if not 1 <= count <= images or int(count) != count:
            raise ValueError(f"count: found {count!r}; accepted are 1 to {images}, one for each image")
        if images == 1:
            return np.ones(1, int)
        tree = hierarchy.linkage(self._condensed(model), "average")
        return np.asarray(hierarchy.fcluster(tree, count, "maxclust").astype(int))

    def embedding(self, model: str | None = None) -> Embedding:
        """The images as points of a plane, whose distances are ``distances`` as far as a plane allows.

        Args:
            model: A model's name; None for the first.

        Returns:
            ``points`` (n, 2), and the ``share`` of the squared distances that they show.
        """
        return embedded(self.shapley[self._model(model, "model")])

    def summary(self) -> str:
        """The level that matters most to each model, and what differs between the first two, in words."""
        lines = []
        for model, rows in zip(self.models, self.values(by="level"), strict=True):
            mean = mean_over(rows)
            top = int(mean.value.argmax())
            share, low, high = (100 * float(part[top]) for part in mean)
            limits = f" ({low:.3g} to {high:.3g})" if np.isfinite(low) else ""
            lines.append(f"{model}: {self.groups('level')[top]} has {share:.3g} %{limits} of the importance.")
        if len(self.models) > 1:
            lines.append(self.compare(by="level").summary())
        return "\n".join(lines)

    def plot(self, model: str | None = None) -> NotebookFigure:
        """Draw the profiles of all models, and the images of one of them in the order of their likeness.

        Args:
            model: The name of the model whose images are drawn; None for the first.

        Returns:
            A figure, made without pyplot; a notebook shows it as the value of a cell.
        """
        from wcam_widget.evaluate.figures.profiles import draw_profiles  # noqa: PLC0415 matplotlib takes a second

        tree = hierarchy.linkage(self._condensed(model), "average") if self.shapley.shape[1] > 1 else None
        return draw_profiles(self, self._model(model, "model"), tree)

    def plot_embedding(
        self, images: Float[Tensor, "n c h w"] | None = None, model: str | None = None
    ) -> NotebookFigure:
        """Draw the images at the points of ``embedding``: those near each other are looked at on like scales.

        Args:
            images: The images (n, C, H, W) in [0, 1], drawn small; without them, their numbers.
            model: The name of the model; None for the first.

        Returns:
            A figure, made without pyplot; a notebook shows it as the value of a cell.

        Raises:
            ValueError: Naming ``images`` where there are others than were measured.
        """
        from wcam_widget.evaluate.figures.embedding import draw_embedding  # noqa: PLC0415 matplotlib takes a second

        count = self.shapley.shape[1]
        if images is not None and len(images) != count:
            raise ValueError(f"images: found {len(images)}; accepted are the {count} that were measured")
        return draw_embedding(self.embedding(model), images)

    def _condensed(self, model: str | None) -> np.ndarray:
        rows = self.shapley[self._model(model, "model")]
        return np.asarray(distance.pdist(rows, "cityblock") / 2)

    def _model(self, name: str | None, argument: str) -> int:
        if name is None:
            return 0
        if name not in self.models:
            raise ValueError(f"{argument}: found {name!r}; accepted are {', '.join(self.models)}")
        return self.models.index(name)

    def _second(self) -> str:
        if len(self.models) < 2:
            raise ValueError("other: None needs a second model; profiles were measured of one")
        return self.models[1]

    def _ensure(self, statistic: str, by: str) -> None:
        if statistic not in STATISTICS:
            raise ValueError(f"statistic: found {statistic!r}; accepted are {', '.join(STATISTICS)}")
        ensure_grouping(by)
        if statistic == "total" and by != "band":
            raise ValueError(f"by: found {by!r} for totals, which do not add up over bands; accepted is band")

    def _grouped(self, values: Float[np.ndarray, "m n g"], by: str) -> Float[np.ndarray, "m n q"]:
        labels = np.array(group_labels(self.names, self.levels, self.orientations, by))
        return np.stack([values[..., labels == name].sum(-1) for name in self.groups(by)], -1)


def ensure_grouping(by: str) -> None:
    """Raise ValueError naming ``by`` where it is not one of ``GROUPINGS``."""
    if by not in GROUPINGS:
        raise ValueError(f"by: found {by!r}; accepted are {', '.join(GROUPINGS)}")


def group_labels(
    names: Sequence[str], levels: Sequence[int], orientations: Sequence[str], by: str
) -> list[str]:
    """The band, the level or the orientation of each band, in words.

    >>> group_labels(("A1", "HL1"), (1, 1), ("A", "HL"), "level")
    ['A1', 'level 1']
    """
    ensure_grouping(by)
    if by != "level":
        return list(names if by == "band" else orientations)
    parts = zip(names, orientations, levels, strict=True)
    return [name if way == "A" else f"level {level}" for name, way, level in parts]
