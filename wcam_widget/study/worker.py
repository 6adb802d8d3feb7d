"""What is done with each image of a study: read it, run the tasks, make a row; the same in every process."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, final

from wcam_widget.explain.loop import Failure, each
from wcam_widget.model import BlackBox, ensure_image
from wcam_widget.model.class_ids import index_of
from wcam_widget.model.photograph import PhotographWarning
from wcam_widget.study.fingerprint import fingerprint
from wcam_widget.study.row import DONE, FAILED, UNCHANGED, Row
from wcam_widget.study.sources import AbstractSource, Picture
from wcam_widget.study.tasks import Task
from wcam_widget.text import printable
from wcam_widget.zoo import load_model


@final
@dataclass(frozen=True)
class Job:
    """An image by its place, and the key of its row in the store; empty where there is none."""

    place: int
    known: str = ""


@final
@dataclass(frozen=True, eq=False)
class Worker:
    """A model, the images and the tasks.

    Args:
        model: A model, or its name for ``load_model``.
        source: The images.
        tasks: What is measured.
    """

    model: BlackBox | str
    source: AbstractSource
    tasks: tuple[Task, ...]

    def ready(self) -> Worker:
        """The same with the model loaded."""
        return replace(self, model=load_model(self.model)) if isinstance(self.model, str) else self

    def rows(self, jobs: Iterable[Job]) -> Iterator[Row]:
        """One row for each image, in their order, also where its task failed.

        Args:
            jobs: Taken when their turn comes.
        """
        places: list[int] = []  # of the image under way

        def task(_: int, job: Job) -> Iterator[Row]:
            places[:] = [job.place]
            yield self._row(job)

        for _, result in each(task, jobs):
            yield self.failed(places[0], result) if isinstance(result, Failure) else result

    def failed(self, place: int, failure: Failure) -> Row:
        """The row of an image that could not be measured."""
        name = self.source.name(place)
        return {"name": name, "key": "", "status": FAILED, "error": printable(failure.reason)}

    def _row(self, job: Job) -> Row:
        start = perf_counter()
        picture = self.source.read(job.place)
        key = fingerprint(picture.digest, str(picture.label))
        row: Row = {"name": picture.name, "key": key, "status": UNCHANGED}
        if key == job.known:
            return row
        model = self.model
        if not isinstance(model, BlackBox):
            raise TypeError("the worker is not ready")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", PhotographWarning)
            image = ensure_image(picture.image, picture.name, model.fit)
            takes_stored = any(not task.fitted for task in self.tasks)
            stored = ensure_image(picture.image, picture.name) if takes_stored else image
        label = label_of(picture, model, image)
        for task in self.tasks:
            row |= task(model, image if task.fitted else stored, label)
        notes = "; ".join(dict.fromkeys(printable(str(warned.message)) for warned in caught))
        return row | {"status": DONE, "label": label, "notes": notes, "seconds": perf_counter() - start}


def label_of(picture: Picture, model: BlackBox, image: Any) -> int | None:
    """The class id of an image's label; None where it has none; ValueError naming ``labels`` for no class."""
    if picture.label is None:
        return None
    names = model.class_names or ()
    if not picture.certain:
        return names.index(picture.label) if picture.label in names else None
    classes = len(names) if names else model.logits(image[None]).shape[1]
    try:
        return index_of(picture.label, classes, model.class_names)
    except (ValueError, TypeError) as error:
        raise type(error)(f"labels{str(error).removeprefix('target')}") from error
