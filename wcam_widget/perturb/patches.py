"""What each cell adds to the image, cut to where it is not zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.model.device import moved

CHUNK = 16 << 20  # bytes of patches made in one go
KEPT = 96 << 20  # bytes of patches kept for the next row


@dataclass(frozen=True, eq=False)
class Shelf:
    """Patches of some cells of one kind: windows of one size, each inside the image.

    ``cells`` ascend; ``firsts`` are the windows' first pixels, counted along the rows of the image.
    """

    cells: Int[np.ndarray, " k"]
    windows: Float[Tensor, "k c h w"]
    firsts: Int[Tensor, " k"]


@dataclass(frozen=True, eq=False)
class Patches:
    """The image-domain patch of every cell; those needed row after row are made once and kept.

    Cells of one band and about one size are of one kind: their windows have one size, so that patches of one
    kind are made, and added to a batch of images, by a few operations however many there are. Nothing here
    waits for the device.
    """

    basis: AbstractBasis
    cells: Cells
    picture: Float[Tensor, "c hp wp"]
    _shelves: dict[int, Shelf] = field(default_factory=dict)

    def keep(self, which: Int[np.ndarray, " m"]) -> None:
        """Make the patches of the cells ``which``, as many as memory allows, and hold them.

        Patches held from before stay as long as there is room: those of ``which`` first.
        """
        held = np.zeros(len(self.cells), bool)
        for shelf in self._shelves.values():
            held[shelf.cells] = True
        wanted = np.zeros_like(held)
        wanted[which] = True
        if held[wanted].all():
            return
        # Kept before, then new, then kept for cells that are not needed now.
        order = np.concatenate(
            [np.flatnonzero(part) for part in (wanted & held, wanted & ~held, ~wanted & held)]
        )
        chosen = np.zeros_like(held)
        chosen[order[np.cumsum(self._bytes[self._kinds[order]]) <= KEPT]] = True
        for kind in np.unique(self._kinds[held | chosen]):
            self._refill(int(kind), np.flatnonzero(chosen & (self._kinds == kind)))

    def add(
        self, images: Float[Tensor, "n c h w"], cells: Int[np.ndarray, " n"], factors: Float[Tensor, " n"]
    ) -> None:
        """Add to each image, in place, its factor times the patch of its cell."""
        kinds = self._kinds[cells]
        for kind in np.unique(kinds).tolist():
            places = np.flatnonzero(kinds == kind)
            shelf = self._shelves.get(kind)
            if shelf is not None:
                kept = np.isin(cells[places], shelf.cells)
                _scatter(images, places[kept], shelf, cells, factors)
                places = places[~kept]
            most = self._at_once(kind)
            for start in range(0, len(places), most):
                part = places[start : start + most]
                _scatter(images, part, self._made(kind, np.unique(cells[part])), cells, factors)

    @cached_property
    def _kinds(self) -> Int[np.ndarray, " d"]:
        """The kind of each cell: its band and how often its longer side can be halved."""
        doublings = np.ceil(np.log2(self.cells.rectangles[:, 3:5].max(1))).astype(np.int64)
        return np.asarray(np.unique(self.cells.groups * 64 + doublings, return_inverse=True)[1]).reshape(-1)

    @cached_property
    def _blocks(self) -> Int[np.ndarray, "k 3"]:
        """Band, height and width in coefficients of the blocks of each kind: those of its largest cells."""
        blocks = np.zeros((int(self._kinds.max()) + 1, 3), np.int64)
        np.maximum.at(blocks, self._kinds, self.cells.rectangles[:, [0, 3, 4]])
        return blocks

    @cached_property
    def _spans(self) -> Int[np.ndarray, "k 3"]:
        """Channels, height and width of a patch of each kind before it is cut to the image."""
        spans = []
        for number, height, width in self._blocks.tolist():
            block = self.picture.new_zeros(1, len(self.picture), height, width)
            spans.append(self.basis.patches(block, self.cells.bands[number], [(0, 0)])[0].shape[1:])
        return np.array(spans)

    @cached_property
    def _bytes(self) -> Int[np.ndarray, " k"]:
        """Bytes of one window of each kind."""
        windows = np.minimum(self._spans[:, 1:], self.cells.image_size)
        return np.asarray(self.picture.element_size() * self._spans[:, 0] * windows.prod(1))

    def _at_once(self, kind: int) -> int:
        return max(1, CHUNK // (self.picture.element_size() * int(self._spans[kind].prod())))

    def _refill(self, kind: int, wanted: Int[np.ndarray, " k"]) -> None:
        """Hold the patches of the cells ``wanted``, and of no other of this kind."""
        shelf = self._shelves.get(kind)
        if shelf is not None and np.array_equal(shelf.cells, wanted):
            return
        if not len(wanted):
            self._shelves.pop(kind)
            return
        old = wanted[:0] if shelf is None else np.intersect1d(wanted, shelf.cells)
        kept = [] if shelf is None or not len(old) else [_taken(shelf, old)]
        new, most = np.setdiff1d(wanted, old), self._at_once(kind)
        made = (self._made(kind, new[start : start + most]) for start in range(0, len(new), most))
        self._shelves[kind] = _joined(wanted, chain(kept, made))

    def _made(self, kind: int, chosen: Int[np.ndarray, " k"]) -> Shelf:
        """Patches of cells of one kind, in ascending order."""
        number, height, width = self._blocks[kind].tolist()
        band = self.cells.bands[number]
        table = self.cells.rectangles[chosen]
        corners = [(top - band.top, left - band.left) for top, left in table[:, 1:3].tolist()]
        with torch.no_grad():
            patches, places = self.basis.patches(self._cut(table, height, width), band, corners)
        return self._windows(chosen, patches, np.array(places))

    def _cut(self, table: Int[np.ndarray, "k 5"], height: int, width: int) -> Float[Tensor, "k c h w"]:
        """The coefficients of cells, each padded with zeros to ``height`` x ``width``."""
        down, right = np.arange(height), np.arange(width)
        inside = (down < table[:, 3:4])[:, :, None] & (right < table[:, 4:5])[:, None]
        rows, columns = table[:, 1:2] + down, table[:, 2:3] + right
        flat = np.where(inside, rows[:, :, None] * self.cells.picture_size[1] + columns[:, None], 0)
        device = self.picture.device
        index, mask = moved(torch.from_numpy(flat), device), moved(torch.from_numpy(inside), device)
        return (self.picture.flatten(1)[:, index] * mask).transpose(0, 1)

    def _windows(
        self, cells: Int[np.ndarray, " k"], patches: Float[Tensor, "k c h w"], places: Int[np.ndarray, "k 2"]
    ) -> Shelf:
        """Move what sticks out of the image inside: all that is visible of a patch fits a window there."""
        image_size, full = np.array(self.cells.image_size), np.array(patches.shape[2:])
        size = np.minimum(full, image_size)
        starts = np.clip(places, 0, image_size - size)
        device = patches.device
        firsts = moved(torch.from_numpy(starts @ np.array([image_size[1], 1])), device)
        # A patch may begin with the image and still end beyond it.
        if not (starts != places).any() and (size == full).all():
            return Shelf(cells, patches, firsts)
        for axis in (0, 1):
            source = (starts - places)[:, axis, None] + np.arange(size[axis])
            inside = (source >= 0) & (source < full[axis])
            shape = (-1, 1, int(size[axis]), 1) if axis == 0 else (-1, 1, 1, int(size[axis]))
            index = moved(torch.from_numpy(np.where(inside, source, 0)), device).view(shape)
            mask = moved(torch.from_numpy(inside), device).view(shape)
            lengths = [*patches.shape]
            lengths[2 + axis] = int(size[axis])
            patches = patches.gather(2 + axis, index.expand(lengths)) * mask
        return Shelf(cells, patches, firsts)


def _scatter(
    images: Tensor, places: np.ndarray, shelf: Shelf, cells: np.ndarray, factors: Float[Tensor, " n"]
) -> None:
    """Add to the images at ``places`` the windows of their cells, all of which are on the shelf."""
    if not len(places):
        return
    pairs = np.stack([places, np.searchsorted(shelf.cells, cells[places])])
    rows, slots = moved(torch.from_numpy(pairs), images.device)
    windows = shelf.windows.index_select(0, slots) * factors.index_select(0, rows).view(-1, 1, 1, 1)
    channels, height, width = images.shape[1:]
    down, right = (torch.arange(side, device=images.device) for side in windows.shape[2:])
    plane = torch.arange(channels, device=images.device) * (height * width)
    inner = (plane[:, None, None] + down[:, None] * width + right).flatten()
    outer = rows * (channels * height * width) + shelf.firsts.index_select(0, slots)
    # No pixel of an image is met twice, so the sum does not depend on the order of the device's threads.
    images.put_(outer[:, None] + inner, windows.flatten(1), accumulate=True)


def _taken(shelf: Shelf, cells: np.ndarray) -> Shelf:
    slots = moved(torch.from_numpy(np.searchsorted(shelf.cells, cells)), shelf.windows.device)
    return Shelf(cells, shelf.windows.index_select(0, slots), shelf.firsts.index_select(0, slots))


def _joined(cells: Int[np.ndarray, " k"], parts: Iterable[Shelf]) -> Shelf:
    """One shelf of several that hold ``cells`` together; parts are made while the shelf is filled."""
    shelf: Shelf | None = None
    for part in parts:
        if shelf is None:
            if len(part.cells) == len(cells):
                return part
            windows = part.windows.new_empty(len(cells), *part.windows.shape[1:])
            shelf = Shelf(cells, windows, part.firsts.new_empty(len(cells)))
        slots = moved(torch.from_numpy(np.searchsorted(cells, part.cells)), part.windows.device)
        shelf.windows.index_copy_(0, slots, part.windows)
        shelf.firsts.index_copy_(0, slots, part.firsts)
    if shelf is None:
        raise ValueError("no parts to fill a shelf with")
    return shelf
