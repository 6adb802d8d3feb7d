"""Cells: partitions, painting, projection into the image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wcam_widget.basis import AbstractBasis, Cells, PixelBasis, WaveletBasis

BASES = [
    PixelBasis((24, 30)),
    WaveletBasis((64, 64), "haar", 3),
    WaveletBasis((65, 48), "haar", 2),
    WaveletBasis((48, 65), "db4", 3),
    WaveletBasis((40, 40), "bior2.2", 2),
]


def cuttings(basis: AbstractBasis) -> list[Cells]:
    return [Cells.regular(basis, 1), Cells.regular(basis, 4), Cells.dyadic(basis, 5), Cells.dyadic(basis, 1)]


@pytest.mark.parametrize("basis", BASES, ids=repr)
def test_every_coefficient_is_in_exactly_one_cell_of_its_own_band(basis: AbstractBasis) -> None:
    for cells in cuttings(basis):
        owners = cells.index.numpy()
        counted = np.bincount(owners.ravel(), minlength=len(cells) + 1)[: len(cells)]
        np.testing.assert_array_equal(counted, cells.rectangles[:, 3:].prod(1))
        for number, band in enumerate(basis.bands):
            assert set(cells.groups[np.unique(owners[band.slices])]) == {number}
        assert counted.sum() == sum(band.height * band.width for band in basis.bands)


@pytest.mark.parametrize("basis", BASES, ids=repr)
def test_projection_into_the_image_keeps_the_sum(basis: AbstractBasis) -> None:
    for cells in cuttings(basis):
        values = np.random.default_rng(0).normal(size=len(cells))
        assert cells.spatial(values).sum() == pytest.approx(values.sum(), abs=1e-9 * len(cells))
        assert (cells.support[:, :2] >= 0).all()
        assert (cells.support[:, 2:] <= basis.size).all()


def test_a_haar_cell_projects_on_its_own_pixels() -> None:
    cells = Cells.regular(WaveletBasis((64, 64), "haar", 3), 8)
    values = np.zeros(len(cells))
    values[cells.in_band("HL2")[8 * 2 + 5]] = 64.0
    heat = cells.spatial(values)
    expected = np.zeros((64, 64))
    expected[16:24, 40:48] = 1.0
    np.testing.assert_allclose(heat, expected, atol=1e-12)


@pytest.mark.parametrize("wavelet", ["haar", "db4", "sym8", "bior2.2", "coif2"])
@pytest.mark.parametrize("size", [(128, 128), (101, 150)])
def test_regular_cells_cover_the_same_part_of_the_image_in_every_band(wavelet: str, size: tuple) -> None:
    cells = Cells.regular(WaveletBasis(size, wavelet, 3), 8)
    place = np.arange(64)
    wanted = np.stack([place // 8, place % 8, place // 8 + 1, place % 8 + 1], 1) * np.tile(size, 2) / 8
    for band in cells.bands:
        support = cells.support[cells.in_band(band.name)]
        assert np.abs(support - wanted).max() <= band.scale / 2 + 1e-9
        # Side by side, so that a heatmap of equal values is flat and has no bright border.
        flat = cells.spatial(
            (cells.groups == cells.bands.index(band))
            * np.prod(cells.support[:, 2:] - cells.support[:, :2], 1)
        )
        np.testing.assert_allclose(flat, 1.0, atol=1e-9)


@pytest.mark.parametrize("basis", BASES, ids=repr)
def test_painting_then_reading_a_coefficient_gives_its_cells_weight(basis: AbstractBasis) -> None:
    cells = Cells.regular(basis, 3)
    weights = torch.rand(5, len(cells), generator=torch.Generator().manual_seed(0))
    masks = cells.paint(weights)
    owners = cells.index
    inside = owners < len(cells)
    torch.testing.assert_close(masks[:, 0][:, inside], weights[:, owners[inside]])
    assert (masks[:, 0][:, ~inside] == 1).all()


def test_painting_is_differentiable() -> None:
    cells = Cells.dyadic(WaveletBasis((16, 16), "haar", 2), 2)
    weights = torch.rand(1, len(cells), requires_grad=True)
    cells.paint(weights).sum().backward()
    np.testing.assert_array_equal(weights.grad[0].numpy(), cells.rectangles[:, 3:].prod(1))


@settings(max_examples=25, deadline=None)
@given(row=st.floats(0, 63.99), column=st.floats(0, 47.99))
def test_a_point_has_one_cell_in_every_band_of_a_haar_picture(row: float, column: float) -> None:
    cells = Cells.regular(WaveletBasis((64, 48), "haar", 3), 4)
    assert sorted(cells.groups[cells.at(row, column)]) == list(range(len(cells.bands)))


def test_packed_shows_each_value_over_its_cell() -> None:
    cells = Cells.regular(WaveletBasis((65, 48), "db2", 2), 4)
    picture = cells.packed(np.arange(len(cells)) + 1.0)
    assert (picture == 0).sum() == (cells.index == len(cells)).sum()
    _, top, left, _, _ = cells.rectangles[17]
    assert picture[top, left] == 18


def test_one_cell_per_band_and_one_per_coefficient() -> None:
    basis = WaveletBasis((65, 48), "db2", 2)
    whole, single = Cells.whole(basis), Cells.dyadic(basis, 1)
    assert whole.groups.tolist() == list(range(7))
    np.testing.assert_array_equal(whole.rectangles[:, 1:], [band.rectangle for band in basis.bands])
    inside = single.index.numpy() < len(single)
    np.testing.assert_array_equal(np.sort(single.index.numpy()[inside]), np.arange(len(single)))


def test_the_heatmap_of_uneven_cells_is_each_cells_own_rectangle() -> None:
    basis = WaveletBasis((37, 50), "db3", 2)
    cells = Cells.dyadic(basis, 3)
    values = np.random.default_rng(1).normal(size=len(cells))
    expected = np.zeros((37, 50))
    for value, (top, left, bottom, right) in zip(values, cells.support, strict=True):
        rows = np.clip(np.minimum(bottom, np.arange(37) + 1) - np.maximum(top, np.arange(37)), 0, 1)
        columns = np.clip(np.minimum(right, np.arange(50) + 1) - np.maximum(left, np.arange(50)), 0, 1)
        expected += value * np.outer(rows, columns) / ((bottom - top) * (right - left))
    np.testing.assert_allclose(cells.spatial(values), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Cells.regular(WaveletBasis((64, 64)), 9), r"grid=9 cells .* coarsest band has 8 .* 1 to 8"),
        (lambda: Cells.regular(WaveletBasis((64, 64)), 0), r"grid=0 cells"),
        (lambda: Cells.regular(WaveletBasis((8, 8)), 2), r"acts on all of the image, so only grid=1"),
        (lambda: Cells.dyadic(PixelBasis((8, 8)), 0), r"side=0 must be a positive"),
    ],
)
def test_impossible_cells_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_tables_that_are_no_partition_are_refused() -> None:
    basis = PixelBasis((4, 4))
    halves = np.array([[0, 0, 0, 2, 4], [0, 2, 0, 2, 4]])
    assert len(Cells(basis.bands, halves, (4, 4), (4, 4))) == 2
    for table, message in [
        (halves[:1], "every coefficient of every band exactly once"),
        (np.array([[0, 0, 0, 2, 4], [0, 1, 0, 2, 4]]), "exactly once"),
        (np.array([[0, 0, 0, 2, 5], [0, 2, 0, 2, 4]]), "cell 0 is empty or leaves its band"),
        (np.array([[1, 0, 0, 2, 4], [0, 2, 0, 2, 4]]), "bands outside 0 to 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            Cells(basis.bands, table, (4, 4), (4, 4))


def test_wrong_lengths_and_unknown_bands_are_refused() -> None:
    cells = Cells.regular(PixelBasis((4, 4)), 2)
    with pytest.raises(ValueError, match=r"weights must have shape \(rows, 4\); found \(1, 5\)"):
        cells.paint(torch.zeros(1, 5))
    with pytest.raises(ValueError, match=r"values must have one number per cell, 4; found shape \(3,\)"):
        cells.spatial(np.zeros(3))
    with pytest.raises(KeyError, match="no band 'HL9'; the bands are pixels"):
        cells.in_band("HL9")
