"""The hierarchy of cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wcam_widget.basis import Cells, PixelBasis, WaveletBasis


def quad_tree(side: int, generator: np.random.Generator) -> list[list[int]]:
    """Rectangles of a square split into quarters at random."""
    found, pending = [], [(0, 0, side)]
    while pending:
        top, left, size = pending.pop()
        if size > 1 and generator.random() < 0.7:
            half = size // 2
            pending += [(top + y, left + x, half) for y in (0, half) for x in (0, half)]
        else:
            found.append([0, top, left, size, size])
    return found


def cuttings() -> dict[str, Cells]:
    haar, longer = WaveletBasis((64, 48), "haar", 3), WaveletBasis((65, 48), "db4", 2)
    pixels = PixelBasis((16, 16))
    ragged = np.array(quad_tree(16, np.random.default_rng(0)))
    return {
        "regular": Cells.regular(haar, 6),
        "dyadic": Cells.dyadic(longer, 5),
        "single": Cells.dyadic(longer, 1),
        "one": Cells.whole(pixels),
        "whole": Cells.whole(haar),
        "ragged": Cells(pixels.bands, ragged, (16, 16), (16, 16)),
    }


@pytest.mark.parametrize("name", list(cuttings()))
def test_nodes_split_their_parents_down_to_single_cells(name: str) -> None:
    cells = cuttings()[name]
    parents, members = cells.tree()
    assert parents[0] == -1
    np.testing.assert_array_equal(members[0], np.arange(len(cells)))
    assert (parents[1:] < np.arange(1, len(parents))).all()
    children: dict[int, list[int]] = {}
    for node, parent in enumerate(parents[1:].tolist(), start=1):
        children.setdefault(parent, []).append(node)
    for node, cells_below in enumerate(members):
        if len(cells_below) == 1:
            assert node not in children
        else:
            parts = [members[child] for child in children[node]]
            assert len(parts) > 1
            np.testing.assert_array_equal(np.sort(np.concatenate(parts)), cells_below)


def test_levels_stand_above_bands_and_bands_above_quarters() -> None:
    cells = Cells.regular(WaveletBasis((64, 64), "haar", 2), 4)
    parents, members = cells.tree()
    named = [sorted({cells.bands[band].name for band in cells.groups[node]}) for node in members]
    assert named[1:3] == [["A2"], ["HH1", "HH2", "HL1", "HL2", "LH1", "LH2"]]
    assert named[3:5] == [["HH2", "HL2", "LH2"], ["HH1", "HL1", "LH1"]]
    assert named[5:11] == [["LH2"], ["HL2"], ["HH2"], ["LH1"], ["HL1"], ["HH1"]]
    # Below a band come its quarters, each over one quarter of the image.
    quarters = [members[node] for node in np.flatnonzero(parents == named.index(["HL1"]))]
    assert [len(node) for node in quarters] == [4, 4, 4, 4]
    for node, (top, left) in zip(quarters, [(0, 0), (0, 32), (32, 0), (32, 32)], strict=True):
        np.testing.assert_array_equal(cells.support[node, :2].min(0), [top, left])
        np.testing.assert_array_equal(cells.support[node, 2:].max(0), [top + 32, left + 32])


@given(seed=st.integers(0, 1000), side=st.sampled_from([2, 4, 8, 32]))
def test_quad_trees_split_into_at_most_four(seed: int, side: int) -> None:
    table = np.array(quad_tree(side, np.random.default_rng(seed)))
    cells = Cells(PixelBasis((side, side)).bands, table, (side, side), (side, side))
    parents, members = cells.tree()
    if len(parents) > 1:
        assert np.bincount(parents[1:]).max() <= 4
    assert sum(len(node) == 1 for node in members) == len(cells)
