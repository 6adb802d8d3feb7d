"""The Fourier basis against numpy's FFT and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wcam_widget.basis import Cells, FourierBasis

SIZES = [(16, 16), (17, 17), (12, 25), (25, 12), (7, 40), (1, 9), (1, 1)]
PARTITIONS = ["rings", "squares", "grid"]


def plane_of(basis: FourierBasis, picture: np.ndarray) -> np.ndarray:
    """The picture on the frequency plane, zero frequency first."""
    return np.fft.ifftshift(basis.arranged(picture))


def kept(basis: FourierBasis, band: int) -> np.ndarray:
    """1 on the frequencies of one band, zero frequency first."""
    cells = Cells.whole(basis)
    return plane_of(basis, cells.packed((np.arange(len(cells)) == band).astype(float)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("partition", PARTITIONS)
def test_coefficients_are_those_of_numpys_fft(size: tuple[int, int], partition: str) -> None:
    image = torch.rand(*size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    basis = FourierBasis(size, partition)
    picture = basis.pack(image[None])
    spectrum = np.fft.fft2(image.numpy(), norm="ortho")
    np.testing.assert_allclose(plane_of(basis, picture[0].numpy()), spectrum.real - spectrum.imag, atol=1e-12)
    # Orthonormal: nothing else stands in the picture, and energy is kept.
    assert float(picture.square().sum()) == pytest.approx(float(image.square().sum()))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("partition", PARTITIONS)
def test_a_weight_of_one_band_filters_as_numpy_does(size: tuple[int, int], partition: str) -> None:
    image = np.random.default_rng(0).random(size)
    basis = FourierBasis(size, partition)
    cells = Cells.whole(basis)
    weights = torch.from_numpy(np.random.default_rng(1).random(len(cells)))
    mask = plane_of(basis, cells.packed(weights.numpy()))
    mirrored = np.roll(mask[::-1, ::-1], (1, 1), (0, 1))
    np.testing.assert_array_equal(mask, mirrored)
    filtered = basis.unpack(basis.pack(torch.from_numpy(image)[None]) * cells.paint(weights[None])[0])
    expected = np.fft.ifft2(np.fft.fft2(image) * mask)
    assert np.abs(expected.imag).max() < 1e-12
    np.testing.assert_allclose(filtered[0].numpy(), expected.real, atol=1e-12)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    partition=st.sampled_from(PARTITIONS),
    count=st.integers(1, 12),
)
def test_bands_hold_every_frequency_once_and_with_its_negative(
    size: tuple[int, int], partition: str, count: int
) -> None:
    try:
        basis = FourierBasis(size, partition, count)
    except ValueError:
        basis = FourierBasis(size, partition)
    owners = sum(number * kept(basis, number) for number in range(len(basis.bands)))
    np.testing.assert_array_equal(owners, np.roll(owners[::-1, ::-1], (1, 1), (0, 1)))
    assert set(np.unique(owners)) == set(range(len(basis.bands)))
    assert owners[0, 0] == 0
    assert basis.bands[0].orientation == "A"
    assert len({band.name for band in basis.bands}) == len(basis.bands)


def test_rings_and_squares_have_equal_steps() -> None:
    down, right = (np.fft.fftfreq(64)[part] for part in np.indices((64, 64)))
    for partition, length in [
        ("rings", np.hypot(down, right)),
        ("squares", np.maximum(np.abs(down), np.abs(right))),
    ]:
        basis = FourierBasis((64, 64), partition, 8)
        for number, band in enumerate(basis.bands):
            inside = length[kept(basis, number) == 1]
            assert inside.min() >= number / 16
            assert inside.max() < (number + 1) / 16 or number == 7
            assert band.level == 8 - number
    assert [band.name for band in basis.bands][:2] == ["A8", "S7"]


def test_squares_of_the_grid_are_squares_and_their_mirror_images() -> None:
    basis = FourierBasis((45, 45), "grid", 9)
    assert len(basis.bands) == (9 * 9 + 1) // 2
    for number, band in enumerate(basis.bands):
        place = np.argwhere(np.fft.fftshift(kept(basis, number)) == 1)
        assert len(place) == (25 if number == 0 else 50)
        if number:
            row, column = (int(part) for part in band.name[2:-1].split(","))
            wanted = {(20 + 5 * row, 20 + 5 * column), (20 - 5 * row, 20 - 5 * column)}
            corners = {(int(y) // 5 * 5, int(x) // 5 * 5) for y, x in place}
            assert corners == wanted
    orientations = {band.name: band.orientation for band in basis.bands}
    assert (orientations["G(3,-1)"], orientations["G(0,2)"], orientations["G(2,-2)"]) == ("LH", "HL", "HH")
    assert {band.level for band in basis.bands} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (3, 0), (0, 5), (4, 7), (-4, 7), (16, 0), (16, 24)])
@pytest.mark.parametrize("partition", PARTITIONS)
def test_a_pure_cosine_stands_in_one_band(rows: int, columns: int, partition: str) -> None:
    y, x = np.indices((32, 48))
    wave = np.cos(
        2 * np.pi * (rows * y / 32 + columns * x / 48) + (0.7 if (rows, columns) != (16, 24) else 0)
    )
    basis = FourierBasis((32, 48), partition)
    energy = basis.pack(torch.from_numpy(wave)[None])[0].numpy() ** 2
    shares = [energy[band.slices].sum() / energy.sum() for band in basis.bands]
    assert max(shares) == pytest.approx(1.0)
    frequency = np.hypot(rows / 32, columns / 48)
    if partition == "rings":
        assert int(np.argmax(shares)) == min(7, int(16 * frequency))


def test_frequencies_have_no_place() -> None:
    basis = FourierBasis((20, 30), "rings", 4)
    for cells in (Cells.whole(basis), Cells.regular(basis, 1), Cells.dyadic(basis, 2)):
        np.testing.assert_array_equal(cells.support, np.tile([0, 0, 20, 30], (len(cells), 1)))
    with pytest.raises(ValueError, match="acts on all of the image, so only grid=1 does"):
        Cells.regular(basis, 2)


def test_even_cells_keep_a_frequency_and_its_negative_together() -> None:
    basis = FourierBasis((20, 31), "squares", 5)
    cells = Cells.dyadic(basis, 2)
    owners = plane_of(basis, cells.packed(np.arange(len(cells)) + 1.0))
    np.testing.assert_array_equal(owners, np.roll(owners[::-1, ::-1], (1, 1), (0, 1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((32, 32), "annuli"), r"partition='annuli' is unknown; rings, squares, grid are accepted"),
        (((32, 48), "rings", 25), r"count=25 does not fit rings .*32x48 pixels: an integer from 1 to 24"),
        (((32, 48), "squares", 0), r"count=0 does not fit squares"),
        (((32, 48), "grid", 8), r"count=8 does not fit grid .*an odd number.* from 1 to 31"),
        (((32, 48), "grid", 33), r"count=33 does not fit grid"),
    ],
)
def test_impossible_partitions_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FourierBasis(*arguments)


@pytest.mark.parametrize("size", [(32, 48), (9, 4), (31, 31), (2, 64)])
def test_the_largest_count_leaves_no_band_empty(size: tuple[int, int]) -> None:
    for partition, most in [
        ("rings", max(size) // 2),
        ("squares", max(size) // 2),
        ("grid", (min(size) - 1) // 2 * 2 + 1),
    ]:
        basis = FourierBasis(size, partition, most)
        assert len(basis.bands) == ((most**2 + 1) // 2 if partition == "grid" else most)
