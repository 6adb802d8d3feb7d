"""How many images go to a network at once, and how their scores come back without waiting for each batch."""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.model.memory import is_out_of_memory
from wcam_widget.model.outputs import ensure_finite

# Bytes of scores that wait on their device before they are brought to the CPU and looked at.
HELD = {"cpu": 0}
HELD_ELSEWHERE = 16 << 20
# The largest batch to try where the caller does not say.
FIRST_BATCH = {"cuda": 256}
FIRST_BATCH_ELSEWHERE = 32


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
    """One batch on its way through a network: the place of its first image, its input, and how to ask."""

    start: int
    network_input: Tensor
    ask: Callable[[], Tensor]


class TooManyError(Exception):
    """A batch is larger than what is known to fit, found before the network was asked."""

    def __init__(self, load: Load) -> None:
        super().__init__(f"more images of {load} than fit")
        self.load = load


@final
@dataclass(frozen=True, eq=False)
class Shared:
    """What all BlackBoxes around one network share.

    ``lock`` lets one batch through at a time: a network's modes are those of its modules. ``largest`` holds
    the largest batches that fit, where a larger one was tried and did not.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    largest: dict[Load, int] = field(default_factory=dict)

    def fitting(self, load: Load | None, most: int) -> int:
        """The largest batch to try, at most ``most``; ``load`` is None where nothing is known of it."""
        return most if load is None else min(most, self.largest.get(load, most))


_OF_NETWORKS: dict[int, Shared] = {}
_registering = threading.Lock()


def shared_by(net: object) -> Shared:
    """What the BlackBoxes around ``net`` share; forgotten when ``net`` dies.

    A network that torch compiled shares with the one it was compiled from. What cannot be referred to weakly
    shares with nothing.

    >>> net = torch.nn.Linear(2, 2)
    >>> shared_by(net) is shared_by(net)
    True
    """
    net = uncompiled(net)
    with _registering:
        known = _OF_NETWORKS.get(id(net))
        if known is not None:
            return known
        made = Shared()
        try:
            # By identity: a module may compare equal to another, or not be hashable.
            weakref.finalize(net, _OF_NETWORKS.pop, id(net), None).atexit = False
        except TypeError:
            return made
        return _OF_NETWORKS.setdefault(id(net), made)


def uncompiled(net: object) -> object:
    """What torch compiled, a module or a function, or ``net`` itself."""
    return getattr(net, "_orig_mod", getattr(net, "_torchdynamo_orig_callable", net))


@final
@dataclass(frozen=True, eq=False)
class Batches:
    """Batches of one BlackBox: at most ``most`` images, fewer where it is known that not as many fit."""

    shared: Shared
    device: torch.device
    most: int
    _latest: dict[bool, Load] = field(default_factory=dict)

    def ensure_fits(self, load: Load, count: int) -> None:
        """Raise TooManyError, which ``run`` understands, where ``count`` images are known not to fit."""
        if count > self.shared.fitting(load, self.most):
            raise TooManyError(load)

    def run(self, work: Callable[[int, int], Load], n: int, *, backward: bool) -> None:
        """Call ``work(start, stop)`` over 0 .. n in the largest batches that fit.

        ``work`` tells what an image cost. Where memory runs out half as many images are tried; those that are
        done are kept. Raises MemoryError where a single image does not fit.
        """
        start, most, load = 0, self.most, self._latest.get(backward)
        while start < n:
            stop = min(n, start + self.shared.fitting(load, most))
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
                if most < self.shared.fitting(load, self.most):
                    self.shared.largest[load] = most
                start = stop
                continue
            # Outside the except block: the error's frames, and the tensors they hold, are gone by now.
            most = max(1, (stop - start) // 2)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()


@final
class Gathered:
    """Class scores of one pass over ``n`` images, batch by batch, in the end on the CPU.

    Bringing scores to the CPU waits for the device, so those made on an accelerator stay there until a few
    megabytes have come together. On the CPU each batch is stored, and checked, at once. Raises ModelError
    where scores are NaN or infinite.

    >>> gathered = Gathered(3)
    >>> gathered.put(0, torch.zeros(2, 4))
    >>> gathered.put(2, torch.ones(1, 4))
    >>> gathered.finish().sum()
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
