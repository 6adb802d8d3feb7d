"""Which images flip under which corruption, and how accurate a model stays."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import groupby, islice, repeat
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.evaluate.flips import Failures
from wcam_widget.evaluate.stream import PART, StreamLike, read
from wcam_widget.model import BlackBox, ModelLike, TargetsLike
from wcam_widget.model.class_ids import index_of
from wcam_widget.model.photograph import is_photograph
from wcam_widget.progress_bar import Bar, progress_bar
from wcam_widget.stress.corruptions import CORRUPTIONS, corrupt
from wcam_widget.stress.corruptions.corrupt import ensure_corruption, ensure_several, ensure_severity

STANDARD = CORRUPTIONS[:15]
SOME = (1, 3, 5)


def failures(  # noqa: PLR0913, PLR0917 as a caller thinks of it, with defaults that fit most
    model: ModelLike,
    images: StreamLike,
    labels: TargetsLike = None,
    corruptions: Sequence[str] = STANDARD,
    severities: Sequence[int] = SOME,
    seed: int = 0,
    progress: bool | None = None,
) -> Failures:
    """Find what flips: the answers of a model to images under every corruption and severity.

    Images are read, corrupted and answered in parts of 32, so that memory stays flat. A keyboard interrupt
    ends the work: the parts done until then are returned, with a warning.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (n, c, h, w) in [0, 1], a list of images, or an iterable of images or batches; paths and
            images of PIL go through ``BlackBox.fit``. Sizes may differ where the model takes them.
        labels: The right class id or name of each image, or one for all; None for the model's own answers to
            the clean images.
        corruptions: Names of ``CORRUPTIONS``; the 15 of the benchmark by default.
        severities: Of 1 to 5.
        seed: Of the corruptions, at least 0.
        progress: Whether a bar shows the rate and the time left; None in a notebook and on a terminal.

    Returns:
        Accuracy with intervals by corruption and severity, and every flip.

    Raises:
        ValueError: Naming the argument that does not fit.
        TypeError: Likewise, for another type.
        ModelError: Where the model fails.

    References:
        Hendrycks and Dietterich (2019), "Benchmarking Neural Network Robustness to Common Corruptions and
        Perturbations".

    Examples:
        >>> from wcam_widget import load_demo
        >>> model, images, labels, class_names = load_demo()
        >>> result = failures(model, images[:4], labels[:4], ["contrast", "fog"], [5])
        >>> result.accuracy.shape, len(result.table())
        ((2, 1), 2)
    """
    network = BlackBox.ensure(model)
    names = ensure_several(corruptions, "corruptions", ensure_corruption)
    levels = ensure_several(severities, "severities", ensure_severity)
    count = 1 if is_photograph(images) else len(images) if isinstance(images, Sized) else None
    wanted = _LabelReader(labels, count)
    parts: list[_Part] = []
    done, total = 0, None if count is None else count * len(names) * len(levels)
    try:
        with progress_bar(total, "images", progress) as bar:
            for batch in _batches(read(images, network.fit)):
                versions = _advancing(_versions(batch, names, levels, seed, done), bar)
                parts.append(_Part.of(network, batch, versions, wanted, done))
                done += len(batch)
    except KeyboardInterrupt:
        if not parts:
            raise
        of = "images" if count is None else f"of {count} images"
        warnings.warn(f"interrupted: {done} {of} are returned", stacklevel=2)
    shape = (-1, len(names), len(levels))
    return Failures(
        corruptions=names,
        severities=levels,
        labels=np.concatenate([part.labels for part in parts]),
        clean=np.concatenate([part.clean for part in parts]),
        answers=np.concatenate([part.answers.reshape(shape) for part in parts]),
        confidence=np.concatenate([part.confidence.reshape(shape) for part in parts]),
        labelled=labels is not None,
        seed=seed,
        class_names=network.class_names,
    )


class _LabelReader:
    """The right classes of images, as class ids once the number of classes is known."""

    def __init__(self, labels: Any, count: int | None) -> None:
        if isinstance(labels, Tensor | np.ndarray):
            labels = labels.tolist()
        one_for_all = labels is None or isinstance(labels, str | int)
        if not one_for_all and len(labels) != count:
            known = "a stream of" if count is None else count
            accepted = "one for all" if count is None else "one for each image"
            raise ValueError(f"labels: found {len(labels)} for {known} images; accepted is {accepted}")
        self.labels = repeat(labels) if one_for_all else iter(labels)

    def ids(self, start: int, clean: np.ndarray, classes: int, names: Sequence[str] | None) -> np.ndarray:
        """Class ids of the images from ``start`` on; the clean answers where no labels were given."""
        return np.array(
            [
                answer if label is None else self._id(start + place, label, classes, names)
                for place, (answer, label) in enumerate(zip(clean.tolist(), self.labels, strict=False))
            ]
        )

    @staticmethod
    def _id(number: int, label: Any, classes: int, names: Sequence[str] | None) -> int:
        try:
            return index_of(label, classes, names)
        except (TypeError, ValueError) as error:
            message = str(error).removeprefix("target: ")
            raise type(error)(f"labels[{number}]: {message}") from None


class _Part(NamedTuple):
    """Answers to some of the images, corruptions and severities in one axis."""

    labels: Int[np.ndarray, " n"]
    clean: Int[np.ndarray, " n"]
    answers: Int[np.ndarray, "n v"]
    confidence: Float[np.ndarray, "n v"]

    @classmethod
    def of(
        cls, model: BlackBox, batch: Tensor, versions: Iterator[Tensor], wanted: _LabelReader, start: int
    ) -> _Part:
        logits = model.logits(batch)
        clean = logits.argmax(1)
        labels = wanted.ids(start, clean.numpy(), logits.shape[1], model.class_names)
        answers, confidence = [], []
        for version in versions:
            logits = model.logits(version)
            answers.append(logits.argmax(1).numpy())
            confidence.append(model.probabilities(logits).gather(1, clean[:, None])[:, 0].double().numpy())
        return cls(labels, clean.numpy(), np.stack(answers, 1), np.stack(confidence, 1))


def _versions(
    batch: Tensor, names: Sequence[str], severities: Sequence[int], seed: int, start: int
) -> Iterator[Tensor]:
    for name in names:
        for severity in severities:
            yield corrupt(batch, name, severity, seed, start)


def _advancing(versions: Iterator[Tensor], bar: Bar) -> Iterator[Tensor]:
    for version in versions:
        yield version
        bar.update(len(version))


def _batches(images: Iterable[Tensor]) -> Iterator[Float[Tensor, "n c h w"]]:
    """Images of one size after another, put together; a batch ends where the size changes."""
    for _, alike in groupby(images, lambda image: image.shape):
        while part := list(islice(alike, PART)):
            yield torch.stack(part)
