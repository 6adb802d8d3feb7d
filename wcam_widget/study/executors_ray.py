"""A study over many processes and machines, with Ray."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from typing import Any, final

from typing_extensions import override

from wcam_widget.explain.loop import Failure
from wcam_widget.study.executors import AbstractExecutor
from wcam_widget.study.row import Row
from wcam_widget.study.worker import Job, Worker

TRIES = 3  # of an image under way when its worker dies


@final
@dataclass(frozen=True)
class RayExecutor(AbstractExecutor):
    """Many processes, on this machine or a cluster; each loads the model once and keeps it.

    A worker that dies is replaced, and its images are taken up again; an image at which three workers died
    is recorded as failed.

    Args:
        workers: How many; None for one for every GPU share where ``gpus`` is above 0, else for every
            ``cpus`` of the cluster.
        cpus: Of each worker, above 0; also the threads of its network.
        gpus: Of each worker; 0.5 puts two on a GPU. The model is then given by its name, so that each
            worker loads it onto its own GPU, or is on a GPU here, too.
        in_flight: Images handed to a worker ahead, at least 1; more are not read.
        address: Of a cluster, "auto" for that of this machine; None for ``RAY_ADDRESS``, or a cluster of
            this machine that ends with the study.

    Raises:
        ValueError: Naming the argument that is not valid.
        ImportError: When run, without Ray.
    """

    workers: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    in_flight: int = 2
    address: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("workers", 1), ("in_flight", 1), ("gpus", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name}: found {value!r}; accepted is at least {least}")
        if self.cpus <= 0:
            raise ValueError(f"cpus: found {self.cpus!r}; accepted is above 0")

    @override
    def map(self, worker: Worker, jobs: Iterable[Job]) -> Iterator[Row]:
        with cluster(self.address) as ray:
            pool = _Pool(ray, self, ray.put(worker))
            try:
                yield from pool.rows(worker, jobs)
            finally:
                pool.close()


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster; one that was started for this ends with it."""
    try:
        ray = import_module("ray")
    except ModuleNotFoundError as error:
        raise ImportError(
            'executor: "ray" needs the package ray; install it with: pip install "wcam_widget[ray]"'
        ) from error
    if ray.is_initialized():
        yield ray
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    own = address is None and "RAY_ADDRESS" not in os.environ
    _start(ray, address=address, log_to_driver=False, **({"include_dashboard": False} if own else {}))
    try:
        yield ray
    finally:
        ray.shutdown()


def _start(ray: Any, **options: Any) -> None:
    """Connect; on a busy machine Ray's own processes may take longer to start than it waits for them."""
    for tries in range(1, TRIES + 1):
        try:
            ray.init(**options)
        except Exception as error:
            ray.shutdown()
            if tries == TRIES or "timed out" not in str(error):
                raise
        else:
            return


class Actor:
    """A process of its own with a model that it keeps."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker.ready()

    def row(self, job: Job) -> Row:
        """The row of one image."""
        (row,) = self.worker.rows([job])
        return row


@dataclass(eq=False)
class _Seat:
    """An actor and the images it was handed, the one under way first."""

    actor: Any
    jobs: deque[Job] = field(default_factory=deque)


class _Pool:
    """Actors and what they were handed."""

    def __init__(self, ray: Any, executor: RayExecutor, shared: Any) -> None:
        self.ray, self.executor, self.shared = ray, executor, shared
        self.seats = [_Seat(self._actor()) for _ in range(self._workers())]
        self.under_way: dict[Any, tuple[_Seat, Job]] = {}
        self.deaths: dict[Job, int] = {}
        self.barren = 0  # deaths since the last row

    def _workers(self) -> int:
        if self.executor.workers is not None:
            return self.executor.workers
        there = self.ray.cluster_resources()
        share, of = (self.executor.gpus, "GPU") if self.executor.gpus else (self.executor.cpus, "CPU")
        return max(1, int(there.get(of, 0) / share + 1e-9))

    def _actor(self) -> Any:
        make = self.ray.remote(num_cpus=self.executor.cpus, num_gpus=self.executor.gpus)(Actor)
        return make.remote(self.shared)

    def rows(self, worker: Worker, jobs: Iterable[Job]) -> Iterator[Row]:
        waiting, again = iter(jobs), deque[Job]()
        while True:
            for seat in self.seats:
                room = self.executor.in_flight - len(seat.jobs)
                for job in [again.popleft() for _ in range(min(room, len(again)))]:
                    self._hand(seat, job)
                for job in islice(waiting, max(0, self.executor.in_flight - len(seat.jobs))):
                    self._hand(seat, job)
            if not self.under_way:
                return
            done, _ = self.ray.wait(list(self.under_way))
            seat, job = self.under_way.pop(done[0])
            try:
                row = self.ray.get(done[0])
            except self.ray.exceptions.RayActorError as error:
                yield from self._buried(worker, seat, again, error)
                continue
            seat.jobs.remove(job)
            self.barren = 0
            yield row

    def _hand(self, seat: _Seat, job: Job) -> None:
        seat.jobs.append(job)
        self.under_way[seat.actor.row.remote(job)] = seat, job

    def _buried(self, worker: Worker, seat: _Seat, again: deque[Job], error: Exception) -> Iterator[Row]:
        """Replace a dead actor; its images are handed out again, but for one at which too many died."""
        self.barren += 1
        if self.barren > TRIES * len(self.seats):
            raise RuntimeError(f"executor: the workers die one after another: {error}") from error
        self.under_way = {one: place for one, place in self.under_way.items() if place[0] is not seat}
        first, *others = seat.jobs
        self.deaths[first] = self.deaths.get(first, 0) + 1
        again.extend(others)
        if self.deaths[first] < TRIES:
            again.append(first)
        else:
            reason = f"the worker died {TRIES} times: {str(error).strip().partition(chr(10))[0]}"
            yield worker.failed(first.place, Failure(RuntimeError(reason)))
        seat.actor, seat.jobs = self._actor(), deque()

    def close(self) -> None:
        """End the actors."""
        for seat in self.seats:
            self.ray.kill(seat.actor)
