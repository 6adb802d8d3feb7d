"""Batches that fit into memory, the lock of a network, and scores that are gathered without waiting."""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.model.interlude import interlude, patience
from wcam_widget.model.outputs import ensure_finite

# Bytes of scores that wait on their device before they are brought to the CPU and looked at.
HELD = {"cpu": 0}
HELD_ELSEWHERE = 16 << 20
# The largest batch to try where the caller does not say.
FIRST_BATCH = {"cuda": 256}
FIRST_BATCH_ELSEWHERE = 32
_CPU_AND_LIBRARY_WORDS = (
    "DefaultCPUAllocator",
    "not enough memory",
    "CUDA out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


def ensure_batch_size(batch_size: int | None, device: torch.device) -> int:
    """The largest batch to try: the caller's, which must be at least 1, or what suits the device."""
    if batch_size is None:
        return FIRST_BATCH.get(device.type, FIRST_BATCH_ELSEWHERE)
    if batch_size < 1:
        raise ValueError(f"batch_size: found {batch_size!r}; accepted are None and an integer of at least 1")
    return batch_size


@final
@dataclass(frozen=True)
class Load:
    """What one image costs a network: the shape of its input, whether it runs in bfloat16 and backwards too.

    >>> Load((3, 224, 224), reduced=False, backward=True).backward
    True
    """

    shape: tuple[int, ...]
    reduced: bool
    backward: bool


@final
@dataclass(frozen=True, eq=False)
class Pass:
    """One batch on its way through a network: the place of its first image, input and forward pass."""

    start: int
    network_input: Tensor
    forward: Callable[[], Tensor]


class TooManyError(Exception):
    """A batch is larger than what is known to fit; raised before the network runs."""

    def __init__(self, load: Load) -> None:
        super().__init__(f"more images of {load} than fit")
        self.load = load


@final
@dataclass(frozen=True, eq=False)
class NetworkState:
    """What all BlackBoxes around one network have in common.

    ``lock`` lets one batch through at a time: a network's modes are those of its modules. ``largest`` holds
    the largest batches that fit, where a larger one was tried and did not. ``forwards`` is kept by
    `wcam_widget.model.engines.forwards`; ``not_compiled`` says why torch.compile failed, if it did.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    largest: dict[Load, int] = field(default_factory=dict)
    forwards: dict[Any, Any] = field(default_factory=dict)
    not_compiled: list[str] = field(default_factory=list)

    def fitting(self, load: Load | None, most: int) -> int:
        """The largest batch to try, at most ``most``; ``load`` is None where nothing is known of it."""
        return most if load is None else min(most, self.largest.get(load, most))


@final
class NetworkRegistry:
    """The state of every network that a BlackBox holds, until the network dies.

    >>> net, networks = torch.nn.Linear(2, 2), NetworkRegistry()
    >>> networks.state(net) is networks.state(net)
    True
    """

    def __init__(self) -> None:
        self._states: dict[int, NetworkState] = {}
        self._lock = threading.Lock()

    def state(self, net: object) -> NetworkState:
        """Return the one state of ``net``, or of what it was compiled from.

        What cannot be referred to weakly gets a new one each time.
        """
        net = uncompiled(net)
        with self._lock:
            if id(net) in self._states:
                return self._states[id(net)]
            made = NetworkState()
            try:
                # By identity: a module may compare equal to another, or not be hashable.
                weakref.finalize(net, self._states.pop, id(net), None).atexit = False
            except TypeError:
                return made
            return self._states.setdefault(id(net), made)


NETWORKS = NetworkRegistry()


def uncompiled(net: object) -> object:
    """What torch compiled, a module or a function, or ``net`` itself."""
    return getattr(net, "_orig_mod", getattr(net, "_torchdynamo_orig_callable", net))


@final
@dataclass(frozen=True, eq=False)
class Batches:
    """Batches of one BlackBox: at most ``most`` images, fewer where it is known that not as many fit."""

    state: NetworkState
    device: torch.device
    most: int
    _latest: dict[bool, Load] = field(default_factory=dict)

    def latest(self, *, backward: bool) -> Load | None:
        """What an image of the latest batch cost; None before the first."""
        return self._latest.get(backward)

    def ensure_fits(self, load: Load, count: int) -> None:
        """Raise TooManyError, which ``run`` understands, where ``count`` images are known not to fit."""
        if count > self.state.fitting(load, self.most):
            raise TooManyError(load)

    def run(self, work: Callable[[int, int], Load], n: int, *, backward: bool) -> None:
        """Call ``work(start, stop)`` over 0 .. n in the largest batches that fit.

        ``work`` tells what an image cost. Where memory runs out half as many images are tried; those that are
        done are kept. Raises MemoryError where a single image does not fit.
        """
        start, most, load = 0, self.most, self._latest.get(backward)
        while start < n:
            small = patience(self.device, self.most, backward=backward)
            stop = min(n, start + min(small, self.state.fitting(load, most)))
            try:
                load = work(start, stop)
            except TooManyError as error:  # what an image costs was not known before the first was made
                load = error.load
                continue
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if stop - start == 1:
                    raise MemoryError(
                        f"net: out of memory on {self.device} with a single image; "
                        "free memory or use a smaller network or image"
                    ) from error
            else:
                self._latest[backward] = load
                if most < self.state.fitting(load, self.most):
                    self.state.largest[load] = most
                start = stop
                if start < n:
                    interlude()
                continue
            # Outside the except block: the error's frames, and the tensors they hold, are gone by now.
            most = max(1, (stop - start) // 2)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()


@final
class ScoreBuffer:
    """Class scores of one pass over ``n`` images, batch by batch, in the end on the CPU.

    Bringing scores to the CPU waits for the device, so those made on an accelerator stay there until a few
    megabytes have come together. On the CPU each batch is stored, and checked, at once. Raises ModelError
    where scores are NaN or infinite.

    >>> buffer = ScoreBuffer(3)
    >>> buffer.put(0, torch.zeros(2, 4))
    >>> buffer.put(2, torch.ones(1, 4))
    >>> buffer.finish().sum()
    tensor(4.)
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._result: Tensor | None = None
        self._waiting: dict[int, Tensor] = {}

    def put(self, start: int, scores: Float[Tensor, "m k"]) -> None:
        """Add the scores of images ``start`` to ``start + m``, which follow those before."""
        self._waiting[start] = scores
        waiting = sum(part.nbytes for part in self._waiting.values())
        if waiting >= HELD.get(scores.device.type, HELD_ELSEWHERE):
            self._bring()

    def finish(self) -> Float[Tensor, "n k"]:
        """All scores, once every image has been put in."""
        self._bring()
        if self._result is None:
            raise ValueError("no scores were put in")
        return self._result

    def _bring(self) -> None:
        if not self._waiting:
            return
        first, block = next(iter(self._waiting)), torch.cat(list(self._waiting.values())).cpu()
        self._waiting.clear()
        ensure_finite(block, first)
        if self._result is None:  # only the first answer says how many classes there are
            self._result = torch.empty(self._n, block.shape[1], dtype=block.dtype)
        self._result[first : first + len(block)] = block


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that the batch did not fit into memory.

    Torch raises OutOfMemoryError on an accelerator, but a plain RuntimeError on the CPU and inside cuBLAS.

    >>> is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    True
    >>> is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    False
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _CPU_AND_LIBRARY_WORDS)
