"""Random numbers for each image of a batch, the same in whatever batch the image comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final
from zlib import crc32

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


@final
@dataclass(frozen=True, eq=False)
class Draws:
    """A random stream for each image, on the CPU, so that every device gets the same numbers.

    Args:
        generators: One for each image.
        device: Where the numbers go.

    >>> one, two = (Draws.of("fog", seed=0, first=n, count=2, device=torch.device("cpu")) for n in (0, 1))
    >>> bool((one.normal(3)[1] == two.normal(3)[0]).all())
    True
    """

    generators: tuple[torch.Generator, ...]
    device: torch.device

    @classmethod
    def of(cls, name: str, seed: int, first: int, count: int, device: torch.device) -> Draws:
        """Streams of one corruption for images ``first`` to ``first + count - 1``.

        Severities share them: a higher one is more of the same.
        """
        numbers = range(first, first + count)
        states = (np.random.SeedSequence([seed, crc32(name.encode()), number]) for number in numbers)
        seeds = (int(state.generate_state(1, np.uint64)[0] >> 1) for state in states)
        return cls(tuple(torch.Generator().manual_seed(each) for each in seeds), device)

    def normal(self, *shape: int) -> Float[Tensor, " n *shape"]:
        """Standard normal numbers, (n, *shape)."""
        drawn = [torch.randn(shape, generator=each) for each in self.generators]
        return torch.stack(drawn).to(self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Float[Tensor, " n *shape"]:
        """Numbers between ``low`` and ``high``, (n, *shape)."""
        drawn = [torch.rand(shape, generator=each) for each in self.generators]
        return low + (high - low) * torch.stack(drawn).to(self.device)

    def poisson(self, rates: Float[Tensor, " n *shape"]) -> Float[Tensor, " n *shape"]:
        """Counts at these rates."""
        pairs = zip(rates.cpu(), self.generators, strict=True)
        return torch.stack([torch.poisson(rate, generator) for rate, generator in pairs]).to(self.device)
