"""The Haar transform by 2x2 butterflies: the default basis, several times faster than filtering.

With a, b / c, d the four pixels of a block, the orthonormal coefficients are
A = (a+b+c+d)/2, HL = (a-b+c-d)/2 (differs along x), LH = (a+b-c-d)/2 (differs along y), HH = (a-b-c+d)/2,
and the inverse is the same butterfly. Odd sides are extended by repeating the last row or column.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def analyse(image: Float[Tensor, "*batch c h w"], levels: int) -> list[Tensor]:
    """Approximation, then LH, HL, HH from the coarsest level to the finest.

    >>> import torch
    >>> [part.shape[-1] for part in analyse(torch.zeros(1, 8, 8), 2)]
    [2, 2, 2, 2, 4, 4, 4]
    """
    details: list[Tensor] = []
    coarse = image
    for _ in range(levels):
        if coarse.shape[-2] % 2:
            coarse = torch.cat([coarse, coarse[..., -1:, :]], dim=-2)
        if coarse.shape[-1] % 2:
            coarse = torch.cat([coarse, coarse[..., :, -1:]], dim=-1)
        upper, lower = coarse[..., 0::2, :] * 0.5, coarse[..., 1::2, :] * 0.5
        sums, differences = upper + lower, upper - lower
        left, right = sums[..., 0::2], sums[..., 1::2]
        top, bottom = differences[..., 0::2], differences[..., 1::2]
        details[:0] = [top + bottom, left - right, top - bottom]
        coarse = left + right
    return [coarse, *details]


def synthesise(coarse: Tensor, details: Sequence[Tensor], sides: Sequence[tuple[int, int]]) -> Tensor:
    """The image of an approximation and details in the order of ``analyse``.

    ``sides`` are the height and width of the image, then of the bands of each finer-to-coarser level.

    >>> import torch
    >>> x = torch.rand(1, 6, 7)
    >>> coarse, *details = analyse(x, 1)
    >>> torch.allclose(synthesise(coarse, details, [(6, 7), (3, 4)]), x, atol=1e-6)
    True
    """
    image = coarse
    for step, (height, width) in enumerate(reversed(sides[:-1])):
        lh, hl, hh = details[3 * step : 3 * step + 3]
        coarse, lh = image * 0.5, lh * 0.5
        upper, lower = coarse + lh, coarse - lh
        upper_change, lower_change = (hl + hh) * 0.5, (hl - hh) * 0.5
        quarters = [upper + upper_change, upper - upper_change, lower + lower_change, lower - lower_change]
        # Every pixel of a 2x2 block is a channel of its own until they are interleaved.
        image = functional.pixel_shuffle(torch.stack(quarters, dim=-3), 2)[..., 0, :height, :width]
    return image
