"""`Study`: what one asks of a model, over a data set, kept as it comes."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, final

import pandas as pd

from wcam_widget.figure import NotebookFigure
from wcam_widget.model import BlackBox, ModelLike
from wcam_widget.progress_bar import progress_bar
from wcam_widget.study.executors import AbstractExecutor, ExecutorLike, SerialExecutor
from wcam_widget.study.executors_ray import RayExecutor
from wcam_widget.study.fingerprint import model_fingerprint
from wcam_widget.study.row import FAILED, UNCHANGED
from wcam_widget.study.sources import DataLike, LabelsLike, ensure_source
from wcam_widget.study.store import Store, StudyWarning
from wcam_widget.study.summary import draw, summary
from wcam_widget.study.tasks import ensure_tasks
from wcam_widget.study.tasks.registry import AskLike
from wcam_widget.study.worker import Job, Worker
from wcam_widget.version import VERSION
from wcam_widget.zoo import load_model

_EXECUTORS: dict[Any, Callable[[], AbstractExecutor]] = {"serial": SerialExecutor, "ray": RayExecutor}


@final
class Study:
    """What one asks of a model, over a data set: measured image by image and kept as it comes.

    A run that was interrupted or killed goes on where it was: rows are known by the content of their image,
    and the folder by the model, its preprocessing, what was asked with its options, and the version of the
    package. Images that cannot be read, or that the model fails on, are recorded with their reason, and
    tried again by the next run. Each image is measured by itself, with the same random rows.

    Args:
        model: A ``BlackBox``, a torch module, a callable, or a name as ``load_model`` takes it.
        data: A folder, read with the folders in it; a data set with a length and an index, of torch or of
            Hugging Face; a list of images, or of pairs (image, label); a tensor or array (n, C, H, W).
            Images are as for ``BlackBox``: paths and images of PIL go through ``BlackBox.fit``.
        ask: "prediction", "profile", "corruptions", "sufficiency", "zoom", a function
            ``f(model, image, label)`` that returns numbers by name, or several of these; or a mapping of
            names to options, ``{"profile": {"method": Wcam(...)}}``.
        out: The folder of the results: a new or empty one, or that of the same study.
        executor: "serial", "ray", or a ``RayExecutor``.
        labels: A class id or class name for each image, in order, or a mapping from file names, paths or
            folders; None for those of the data set. The folder of a file is its label where it is named as
            a class of the model is.
        maps: Whether maps over the pixels are kept, too.

    Raises:
        TypeError: Naming the argument.
        ValueError: Naming the argument; also where ``out`` holds another study, saying what differs.

    Examples:
        >>> import tempfile
        >>> from wcam_widget import load_demo
        >>> model, images, labels, class_names = load_demo()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     study = Study(model, images, "prediction", folder, labels=labels).run(progress=False)
        ...     study.table()["prediction.correct"].sum()
        np.int64(12)
    """

    def __init__(  # noqa: PLR0913, PLR0917 model, data and question, each with a default that fits most
        self,
        model: ModelLike | str,
        data: DataLike,
        ask: AskLike = ("profile",),
        out: str | Path = "study",
        executor: ExecutorLike = "serial",
        labels: LabelsLike = None,
        maps: bool = False,
    ) -> None:
        self.tasks = ensure_tasks(ask, maps=maps)
        self.executor = ensure_executor(executor)
        self.source = ensure_source(data, labels)
        self.model = load_model(model) if isinstance(model, str) else BlackBox.ensure(model)
        self.worker = Worker(model if isinstance(model, str) else self.model, self.source, self.tasks)
        manifest = {
            "version": VERSION,
            "model": model_fingerprint(self.model),
            "ask": {task.name: task.words() for task in self.tasks},
        }
        self.store = Store(Path(out), manifest)

    def __repr__(self) -> str:
        asked = ", ".join(task.name for task in self.tasks)
        return f"<Study of {len(self.source)} images: {asked}, in {str(self.store.folder)!r}>"

    def run(self, progress: bool | None = None) -> Study:
        """Measure the images that are not in the store.

        Args:
            progress: Whether a bar shows the rate and the time left; None in a notebook and on a terminal.

        Returns:
            This study.

        Raises:
            OSError: Where the disk is full; what was written stays, and another run goes on from there.

        Warns:
            StudyWarning: At the end, of images that failed, with the reasons.
        """
        known = self.store.known()
        jobs = (Job(place, known.get(self.source.name(place), "")) for place in range(len(self.source)))
        local = isinstance(self.executor, SerialExecutor)
        worker = Worker(self.model, self.source, self.tasks) if local else self.worker
        reasons: Counter[str] = Counter()
        with progress_bar(len(self.source), "images", progress) as bar:
            try:
                with closing(_generator(self.executor, worker, jobs)) as rows:
                    for row in rows:
                        if row["status"] == UNCHANGED:
                            bar.initial = bar.n + 1  # for the rate: only what is measured counts
                        else:
                            self.store.add(row)
                        reasons.update([str(row["error"])] if row["status"] == FAILED else [])
                        bar.update()
            finally:
                self.store.flush()
        if reasons:
            warnings.warn(_failures_in_words(reasons, len(self.source)), StudyWarning, stacklevel=2)
        return self

    def table(self, *, maps: bool = False) -> pd.DataFrame:
        """One row for each image in the store, in the order of their names.

        Args:
            maps: Whether maps are read, too, each as an array of its shape; all are held in memory.

        Returns:
            ``name``, ``status`` ("done" or "failed"), ``error``, ``label``, ``notes``, ``seconds``, and the
            columns of each task, as "prediction.correct".
        """
        return self.store.read(maps=maps).drop(columns="key")

    def failures(self) -> pd.DataFrame:
        """The images that failed, with their reasons: ``name`` and ``error``."""
        table = self.table()
        failed = table[table["status"] == FAILED].reindex(columns=["name", "error"])
        return failed.reset_index(drop=True)

    def summary(self) -> pd.DataFrame:
        """The mean of every number over the images, with its 95 % interval.

        Returns:
            ``count``, ``mean``, ``low`` and ``high`` for each column: Wilson's intervals of shares, Student's
            t of other numbers. They tell how the images vary, not the error of one image's measurement.
        """
        return summary(self.table())

    def plot(self, column: str | None = None) -> NotebookFigure:
        """Draw means over the images with their intervals.

        Args:
            column: The beginning of the columns that are drawn, "profile.orientation"; None for the scales
                of a profile, or all of the first task.

        Returns:
            A figure of matplotlib, which a notebook shows.

        Raises:
            ValueError: Naming ``column``, for one that is not there.
        """
        names = [task.name for task in self.tasks]
        return draw(self.summary(), column or ("profile.scale" if "profile" in names else names[0]))


def ensure_executor(executor: ExecutorLike) -> AbstractExecutor:
    """An executor by its name or as it is; ValueError naming ``executor`` for anything else.

    >>> ensure_executor("serial")
    SerialExecutor()
    """
    if isinstance(executor, AbstractExecutor):
        return executor
    if executor not in _EXECUTORS:
        raise ValueError(
            f"executor: {executor!r} is not valid; accepted are 'serial', 'ray' and a RayExecutor"
        )
    return _EXECUTORS[executor]()


def _generator(executor: AbstractExecutor, worker: Worker, jobs: Iterator[Job]) -> Any:
    """The rows as a generator, which can be closed, so that workers end with the run."""
    yield from executor.map(worker, jobs)


def _failures_in_words(reasons: Counter[str], images: int) -> str:
    said = "; ".join(f"{count} x {reason.partition(chr(10))[0]}" for reason, count in reasons.most_common(5))
    more = f"; and {len(reasons) - 5} other reasons" if len(reasons) > 5 else ""
    return f"{sum(reasons.values())} of {images} images failed: {said}{more}; failures() lists them"
