"""How a layer's answer lies over the image, worked out from shapes alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

from jaxtyping import Float
from torch import Tensor

Size = tuple[int, int]
Order = Literal["channels first", "channels last", "tokens"]

MOST_EXTRA = 8  # class, distillation and register tokens before those of the patches
NEAR = 1.0  # rows or columns by which a grid of tokens may be off what its patches make of another size
SLACK = 0.25  # by how much a grid's aspect may differ from the image's, beyond two columns


@final
@dataclass(frozen=True)
class Layout:
    """Where the positions of an answer are: in the last axes, before the channels, or as a list of tokens.

    ``grid`` holds the rows and columns at the size the layout was worked out for, ``patch`` how many pixels
    of the network's input one takes, ``extra`` how many tokens come before those of the patches, ``after``
    how many behind them.
    """

    order: Order
    grid: Size
    patch: tuple[float, float]
    extra: int = 0
    after: int = 0

    @property
    def positions(self) -> int:
        """How many places the layer tells apart."""
        return self.grid[0] * self.grid[1]

    def spatial(self, answer: Float[Tensor, "..."], size: Size) -> Float[Tensor, "m c h w"]:
        """The answer (m, c, h, w) for a network input of ``size`` (height, width).

        Raises ValueError naming ``layer`` where the tokens do not make up a grid at this size.
        """
        if self.order == "channels first":
            return answer
        if self.order == "channels last":
            return answer.movedim(-1, 1)
        count = answer.shape[1] - self.extra - self.after
        height, width = self._grid_of(count, size)
        tokens = answer[:, self.extra : self.extra + count].movedim(-1, 1)
        return tokens.reshape(*tokens.shape[:2], height, width)

    def _grid_of(self, count: int, size: Size) -> Size:
        # Of a padded last patch any part may lie in the image: grids may have as many rows as this allows.
        most = [side / patch for side, patch in zip(size, self.patch, strict=True)]
        least = [high * (1 - 1 / side) for high, side in zip(most, self.grid, strict=True)]
        grids = [(height, count // height) for height in range(1, count + 1) if count % height == 0]

        def off(grid: Size) -> float:
            return max(
                max(low - side, side - high) for low, side, high in zip(least, grid, most, strict=True)
            )

        near = [grid for grid in grids if off(grid) < NEAR]
        if near:  # of several the one whose aspect is the input's
            return min(near, key=lambda grid: abs(math.log(grid[0] * size[1] / (grid[1] * size[0]))))
        raise ValueError(
            f"layer: {count} tokens make no grid over an input of {size[0]}x{size[1]}, as {self.grid[0]}x"
            f"{self.grid[1]} did before; choose a layer that answers (n, c, h, w)"
        )


def layout_of(shape: Sequence[int], size: Size, known: Sequence[Size] = ()) -> Layout | None:
    """The layout of an answer of one ``shape`` to an input of ``size``; None where it is no map over it.

    A grid has the input's aspect and at most as many rows and columns. Tokens, (n, count, channels), are told
    by count: a grid that ``known`` layers before had, such as a patch embedding's, or that halving gives from
    those, or one of full patches; up to eight tokens may come before. The least of those decides.

    >>> layout_of((1, 197, 768), (224, 224)).grid, layout_of((1, 7, 7, 768), (224, 224)).order
    ((14, 14), 'channels last')
    >>> layout_of((1, 100, 256), (224, 224)) is None
    True
    """
    if len(shape) == 4:
        orders: tuple[tuple[Order, Size], ...] = (
            ("channels first", (shape[2], shape[3])),
            ("channels last", (shape[1], shape[2])),
        )
        # Where both fit, the one whose aspect is nearer to the input's, and the usual one of equals.
        off, order, grid = min(
            ((_off(grid, size), order, grid) for order, grid in orders), key=lambda o: o[0]
        )
        return _laid(order, grid, size) if math.isfinite(off) else None
    if len(shape) != 3:
        return None
    count = shape[1]
    for grids in (_halved(known), _whole_patches(size)):
        fitting = [(count - h * w, (h, w)) for h, w in grids if 0 <= count - h * w <= MOST_EXTRA]
        # A grid of few positions leaves few tokens over by chance, so those left over must be the fewer.
        fitting = [(extra, grid) for extra, grid in fitting if extra < grid[0] * grid[1]]
        if fitting:
            extra, grid = min(fitting)
            return _laid("tokens", grid, size, extra)
    return None


def _laid(order: Order, grid: Size, size: Size, extra: int = 0) -> Layout:
    return Layout(order, grid, (size[0] / grid[0], size[1] / grid[1]), extra)


def _off(grid: Size, size: Size) -> float:
    """How far a grid's aspect is from the image's, in columns; infinite where it cannot lie over it."""
    height, width = grid
    if not (1 <= height <= size[0] and 1 <= width <= size[1]):
        return math.inf
    expected = height * size[1] / size[0]
    off = abs(width - expected)
    return off if off <= SLACK * expected + 2 and (width > 1) == (height > 1) else math.inf


def _halved(known: Sequence[Size]) -> list[Size]:
    """Grids that were seen, and those that repeated halving, rounded up, makes of them."""
    grids: dict[Size, None] = {}
    for grid in known:
        height, width = grid
        while height * width > 1 and (height, width) not in grids:
            grids[height, width] = None
            height, width = -(-height // 2), -(-width // 2)
    return list(grids)


def _whole_patches(size: Size) -> list[Size]:
    """Grids of square patches that make up the image exactly."""
    sides = range(1, min(size) + 1)
    return [(size[0] // side, size[1] // side) for side in sides if size[0] % side == size[1] % side == 0]
