"""Class scores of a reader's questions: they answer for any other class, too."""

from __future__ import annotations

import threading
from typing import final

from jaxtyping import Float
from torch import Tensor

LARGEST = 64 * 2**20  # bytes of class scores that are kept


@final
class ScoreMemory:
    """The latest class scores by the key of their question, as many as fit into memory.

    All methods may be called from any thread.

    Args:
        largest: bytes that are kept, keys and scores.

    >>> import torch
    >>> memory = ScoreMemory(largest=30)
    >>> for key in ("first", "second", "third"):
    ...     memory.keep(key, torch.zeros(1, 2), seconds=0.1)
    >>> memory.recall("first") is None, memory.recall("third")
    (True, (tensor([[0., 0.]]), 0.1))
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._kept: dict[str, tuple[Tensor, float]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def keep(self, key: str, logits: Float[Tensor, "1 k"], seconds: float) -> None:
        """Keep class scores and the seconds that they took; the oldest ones go where there are too many."""
        with self._lock:
            self._drop(key)
            self._kept[key] = (logits, seconds)
            self._bytes += _size(key, logits)
            while self._bytes > self._largest:
                self._drop(next(iter(self._kept)))

    def recall(self, key: str) -> tuple[Float[Tensor, "1 k"], float] | None:
        """The scores of a question and the seconds that they took; None where they are not kept."""
        with self._lock:
            return self._kept.get(key)

    def _drop(self, key: str) -> None:
        if key in self._kept:
            self._bytes -= _size(key, self._kept.pop(key)[0])


def _size(key: str, logits: Tensor) -> int:
    return len(key) + logits.numel() * logits.element_size()
