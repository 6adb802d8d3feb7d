"""Patches of cells: made once, kept while memory allows, the same whichever way they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from wcam_widget.basis import AbstractBasis, Cells, PixelBasis, WaveletBasis
from wcam_widget.perturb import patches
from wcam_widget.perturb.patches import Patches

BASES = [
    PixelBasis((40, 52)),
    WaveletBasis((41, 53), "haar", 2),
    WaveletBasis((40, 53), "db4", 3),
    WaveletBasis((20, 64), "sym4", 3),
]


def picture_of(basis: AbstractBasis) -> Tensor:
    return basis.pack(torch.rand(3, *basis.size, generator=torch.Generator().manual_seed(0)))


def ragged(basis: AbstractBasis) -> Cells:
    """Cells of very different sizes: one row of each band cut into single coefficients, the rest whole."""
    rectangles = [
        rectangle
        for number, band in enumerate(basis.bands)
        for rectangle in [
            *((number, band.top, band.left + column, 1, 1) for column in range(band.width)),
            (number, band.top + 1, band.left, band.height - 1, band.width),
        ]
    ]
    return Cells(basis.bands, np.array(rectangles), basis.picture_size, basis.size)


def added(held: Patches, cells: np.ndarray) -> Tensor:
    """What each of ``cells`` adds, times its place in the list."""
    images = torch.zeros(len(cells), 3, *held.cells.image_size)
    held.add(images, cells, torch.arange(1.0, len(cells) + 1))
    return images


def inverted(held: Patches, cells: np.ndarray) -> Tensor:
    """The same by whole inverse transforms."""
    weights = torch.zeros(len(cells), len(held.cells))
    weights[torch.arange(len(cells)), torch.from_numpy(cells)] = torch.arange(1.0, len(cells) + 1)
    index = torch.cat([weights, torch.zeros(len(cells), 1)], 1)[:, held.cells.index]
    return held.basis.unpack(held.picture * index[:, None])


class Calls:
    """Counts the blocks a basis makes patches of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, basis: AbstractBasis) -> None:
        self.blocks, original = 0, type(basis).patches

        def counting(own, coefficients, band, corners):
            self.blocks += len(corners)
            return original(own, coefficients, band, corners)

        monkeypatch.setattr(type(basis), "patches", counting)


@pytest.mark.parametrize("basis", BASES, ids=repr)
@pytest.mark.parametrize("cut", [lambda basis: Cells.regular(basis, 2), ragged], ids=["regular", "ragged"])
def test_patches_in_any_order_are_whole_inverses_kept_or_not(basis, cut) -> None:
    cells = cut(basis)
    held = Patches(basis, cells, picture_of(basis))
    asked = np.random.default_rng(0).permutation(len(cells))[:40]
    expected = inverted(held, asked)
    torch.testing.assert_close(added(held, asked), expected, atol=1e-4, rtol=1e-5)
    held.keep(asked[::2])
    torch.testing.assert_close(added(held, asked), expected, atol=1e-4, rtol=1e-5)
    twice = np.concatenate([asked[:3], asked[:3]])
    torch.testing.assert_close(added(held, twice), inverted(held, twice), atol=1e-4, rtol=1e-5)


def test_a_few_cells_asked_row_after_row_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    basis = WaveletBasis((64, 64), "db4", 3)
    held = Patches(basis, Cells.regular(basis, 8), picture_of(basis))
    asked = np.random.default_rng(1).permutation(len(held.cells))[:40]
    held.keep(asked)
    calls = Calls(monkeypatch, basis)
    for count in (40, 40, 25, 7, 40):  # cells that are resolved drop out, and may come back
        held.keep(asked[:count])
        added(held, asked[:count])
    assert calls.blocks == 0
    other = np.setdiff1d(np.arange(len(held.cells)), asked)[:5]
    held.keep(np.concatenate([asked, other]))
    assert calls.blocks == 5


@given(st.lists(st.sets(st.integers(0, 159), min_size=1), min_size=1, max_size=5), st.integers(0, 200_000))
def test_what_is_held_is_bounded_and_changes_no_image(asked, room) -> None:
    basis = WaveletBasis((32, 32), "db2", 3)
    held = Patches(basis, Cells.regular(basis, 4), picture_of(basis))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patches, "KEPT", room)
        patch.setattr(patches, "CHUNK", 20_000)
        for one in asked:
            cells = np.array(sorted(one, key=lambda cell: cell * 7 % 160))
            held.keep(cells)
            kept = sum(shelf.windows.nbytes for shelf in held._shelves.values())
            assert kept <= room
            torch.testing.assert_close(added(held, cells), inverted(held, cells), atol=1e-3, rtol=1e-5)
    together = sum(held._bytes[held._kinds[cell]] for cell in asked[-1])
    wanted = {int(cell) for shelf in held._shelves.values() for cell in shelf.cells}
    assert asked[-1] <= wanted or together > room  # all of the last are kept where they fit


@pytest.mark.parametrize("basis", BASES, ids=repr)
def test_sizes_reckoned_beforehand_are_those_made(basis: AbstractBasis) -> None:
    held = Patches(basis, ragged(basis), picture_of(basis))
    for kind in range(int(held._kinds.max()) + 1):
        cells = np.flatnonzero(held._kinds == kind)
        shelf = held._made(kind, cells)
        assert shelf.windows[0].nbytes == held._bytes[kind]
        assert int(shelf.firsts.min()) >= 0
        number, height, width = held._blocks[kind].tolist()
        block = torch.ones(1, 3, height, width)
        patch, _ = basis.patches(block, held.cells.bands[number], [(0, 0)])
        assert tuple(held._spans[kind]) == tuple(patch.shape[1:])


def test_no_more_is_made_in_one_go_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    basis = WaveletBasis((64, 64), "db4", 3)
    monkeypatch.setattr(patches, "CHUNK", 300_000)
    largest = []
    original = WaveletBasis.patches

    def measured(own, coefficients, band, corners):
        made, places = original(own, coefficients, band, corners)
        largest.append(made.nbytes if len(corners) > 1 else 0)
        return made, places

    monkeypatch.setattr(WaveletBasis, "patches", measured)
    held = Patches(basis, Cells.regular(basis, 8), picture_of(basis))
    held.keep(np.arange(len(held.cells)))
    assert 100_000 < max(largest) <= 300_000
    monkeypatch.setattr(patches, "KEPT", 0)
    bare = Patches(basis, held.cells, held.picture)
    everyone = np.arange(len(held.cells))
    bare.keep(everyone)
    assert not bare._shelves
    torch.testing.assert_close(added(bare, everyone), added(held, everyone))
    assert max(largest) <= 300_000
