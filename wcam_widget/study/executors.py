"""Where the images of a study are worked on: in this process, or over many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

from typing_extensions import override

from wcam_widget.study.row import Row
from wcam_widget.study.worker import Job, Worker

if TYPE_CHECKING:
    ExecutorLike: TypeAlias = "str | AbstractExecutor"
else:
    ExecutorLike = Any  # checked by the study, with an error in the caller's words


class AbstractExecutor(ABC):
    """Runs a worker over images.

    Laws: one row for every image, also where its task failed; equal rows whatever the executor, but for
    their ``seconds``; images are taken when their turn comes, a bounded number ahead.
    """

    @abstractmethod
    def map(self, worker: Worker, jobs: Iterable[Job]) -> Iterator[Row]:
        """The rows of images, as they are done.

        Args:
            worker: Model, images and tasks.
            jobs: Which images.
        """


@final
@dataclass(frozen=True)
class SerialExecutor(AbstractExecutor):
    """One image after another, in this process."""

    @override
    def map(self, worker: Worker, jobs: Iterable[Job]) -> Iterator[Row]:
        return worker.ready().rows(jobs)
