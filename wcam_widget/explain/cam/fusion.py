"""The maps of a network's blocks made into one: each cut by the next deeper one at Otsu's threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

BINS = 256
STEEPNESS = 100.0  # of the soft cut, which takes about 0.09 from none to all
TIGHTER, FEW = 1.5, 0.1  # the soft threshold is raised by the one where fewer than the other would stay
HIGHEST = 1 - 1 / BINS  # threshold, so that the highest values stay


def otsu(values: Float[Tensor, "..."]) -> float:
    """The threshold that parts values into the two classes furthest apart, from a histogram of 256 bins.

    It is the centre of the last bin of the lower class, and the value itself where all are equal. Source:
    Otsu (1979), "A threshold selection method from gray-level histograms".

    >>> otsu(torch.tensor([0.0, 0.1, 0.9, 1.0])) < 0.2
    True
    """
    numbers = values.detach().cpu().double().flatten().numpy()
    counts, edges = np.histogram(numbers, BINS)
    if numbers.min() == numbers.max():
        return float(numbers[0])
    centres = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts)[:-1], np.cumsum(counts[::-1])[::-1][1:]
    sums = np.cumsum(counts * centres)
    apart = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
    return float(centres[np.argmax(below * above * apart**2)])


def _hard(heat: Tensor) -> Tensor:
    """1 above Otsu's threshold, else 0, as in the paper."""
    return (heat > otsu(heat)).to(heat.dtype)


def _soft(heat: Tensor) -> Tensor:
    """A steep sigmoid around it, with small objects cut tighter, as in its authors' code.

    There the raised threshold may pass 1 and take everything away; here it stays below.
    """
    threshold = otsu(heat)
    raised = TIGHTER * threshold
    if float((heat >= raised).double().mean()) < FEW:
        threshold = min(raised, max(threshold, HIGHEST))
    return torch.sigmoid(STEEPNESS * (heat - threshold))


CUTS: dict[str, Callable[[Tensor], Tensor]] = {"hard": _hard, "soft": _soft}


def cascade(maps: Sequence[Float[Tensor, "h w"]], cut: str) -> Float[Tensor, "h w"]:
    """Maps in [0, 1], shallow to deep, fused: what is so far plus the next map, cut by that one.

    With ``cut`` "hard" E_1 = V_1 and E_b = (E_(b-1) + V_b) M_b, where M_b is 1 above Otsu's threshold of V_b,
    so that E_B is the sum over b of V_b times M_j for all j from max(b, 2) to B: it lies in [0, B], and
    inside of what stands out in the deepest map. "soft" makes M_b a sigmoid. Source: Sattarzadeh et al.
    (2021), "Explaining Convolutional Neural Networks through Attribution-Based Input Sampling and Block-Wise
    Feature Aggregation", figure 5. Raises ValueError for no maps.

    >>> cascade([torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 1.0]])], "hard")
    tensor([[0., 2.]])
    """
    if not maps:
        raise ValueError("maps is empty; at least one is needed")
    first, *deeper = maps
    for heat in deeper:
        first = (first + heat) * CUTS[cut](heat)
    return first
