"""Answers to images and to their corrupted versions: accuracy with intervals, and what flipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wcam_widget.model import ensure_images
from wcam_widget.model.class_ids import name_of
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE
from wcam_widget.sensitivity.statistics.proportions import wilson
from wcam_widget.stress.corruptions import corrupt

if TYPE_CHECKING:
    import pandas as pd


class Flip(NamedTuple):
    """One image that a corruption broke.

    Attributes:
        image: Its number.
        corruption: The name.
        severity: 1 to 5.
        before: The class id of the clean image.
        after: The class id of the corrupted one.
        confidence: The probability of ``before`` that is left, or its score where the model gives none.
    """

    image: int
    corruption: str
    severity: int
    before: int
    after: int
    confidence: float


@final
@dataclass(frozen=True, eq=False)
class Failures:
    """What a model says of images and of their corrupted versions.

    Attributes:
        corruptions: The k names.
        severities: The s severities.
        labels: The right class of each image, (n,): the model's own clean answer where none was given.
        clean: The model's answer to each clean image, (n,).
        answers: And to each corrupted one, (n, k, s).
        confidence: The probability of the clean answer there, (n, k, s), or its score.
        labelled: Whether labels were given.
        seed: Of the corruptions.
        class_names: Of the model; None where classes have numbers alone.
    """

    corruptions: tuple[str, ...]
    severities: tuple[int, ...]
    labels: Int[np.ndarray, " n"]
    clean: Int[np.ndarray, " n"]
    answers: Int[np.ndarray, "n k s"]
    confidence: Float[np.ndarray, "n k s"]
    labelled: bool
    seed: int
    class_names: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        count, kind = len(self.clean), "right" if self.labelled else "as before"
        share = self.accuracy.mean() if self.answers.size else float("nan")
        versions = f"{len(self.corruptions)} corruptions at severities {', '.join(map(str, self.severities))}"
        return f"<Failures: {count} images, {versions}: {share:.1%} {kind}, {len(self.flips)} flips>"

    @property
    def right(self) -> Bool[np.ndarray, "n k s"]:
        """Whether the answer to each corrupted image is its label."""
        return np.asarray(self.answers == self.labels[:, None, None])

    @property
    def clean_accuracy(self) -> float:
        """The share of clean images whose answer is the label; 1 without labels."""
        return float((self.clean == self.labels).mean())

    @property
    def accuracy(self) -> Float[np.ndarray, "k s"]:
        """The share of images whose answer is the label, by corruption and severity."""
        return np.asarray(self.right.mean(0))

    def limits(self, confidence: float = CONFIDENCE) -> tuple[np.ndarray, np.ndarray]:
        """Wilson's limits of ``accuracy``, (k, s) each.

        Args:
            confidence: Of each interval, above 0 and below 1.
        """
        shape = self.right.shape[1:]
        low, high = wilson(self.right.sum(0).ravel(), len(self.clean), confidence)
        return low.reshape(shape), high.reshape(shape)

    @property
    def flips(self) -> tuple[Flip, ...]:
        """Images that were right and are no longer, one for each corruption and severity that did it."""
        broken = (self.clean == self.labels)[:, None, None] & ~self.right
        return tuple(
            Flip(
                image,
                self.corruptions[kind],
                self.severities[level],
                int(self.clean[image]),
                int(self.answers[image, kind, level]),
                float(self.confidence[image, kind, level]),
            )
            for image, kind, level in np.argwhere(broken).tolist()
        )

    def corrupted(self, images: Tensor, flip: Flip) -> Float[Tensor, "c h w"]:
        """The image that a flip is about, made again.

        Args:
            images: All images as the model saw them, (n, c, h, w).
            flip: One of ``flips``.
        """
        one = ensure_images(images[flip.image : flip.image + 1])
        return corrupt(one, flip.corruption, flip.severity, self.seed, flip.image)[0]

    def table(self) -> pd.DataFrame:
        """One row for each corruption and severity.

        Returns:
            A table with ``corruption``, ``severity``, ``images``, ``right``, ``accuracy`` with Wilson's 95 %
            limits ``low`` and ``high``, and ``flips``, those that were right before.
        """
        import pandas as pd  # noqa: PLC0415 takes a second to import, and only this needs it

        low, high = self.limits()
        right, count = self.right.sum(0), len(self.clean)
        flips = ((self.clean == self.labels)[:, None, None] & ~self.right).sum(0)
        rows = [
            (name, severity, count, *(part[kind, level] for part in (right, self.accuracy, low, high, flips)))
            for kind, name in enumerate(self.corruptions)
            for level, severity in enumerate(self.severities)
        ]
        columns = ["corruption", "severity", "images", "right", "accuracy", "low", "high", "flips"]
        return pd.DataFrame(rows, columns=columns)

    def summary(self) -> str:
        """What flips most and least, in words."""
        low, high = self.limits()
        mean = self.accuracy.mean(1)
        worst, best = int(mean.argmin()), int(mean.argmax())
        kind = "right" if self.labelled else "answered as before"
        against = (
            f"{self.clean_accuracy:.0%} right when clean" if self.labelled else "held against clean answers"
        )
        parts = [f"{len(self.clean)} images, {against}."]
        for word, which in (("Worst", worst), ("Best", best)):
            level = len(self.severities) - 1
            parts.append(
                f"{word}: {self.corruptions[which]}, {mean[which]:.0%} {kind} over the severities, "
                f"{self.accuracy[which, level]:.0%} ({low[which, level]:.0%} to {high[which, level]:.0%}) at "
                f"severity {self.severities[level]}."
            )
        return " ".join(parts)

    def name(self, class_id: int) -> str:
        """The name of a class, or its number in words."""
        return name_of(class_id, self.class_names)
