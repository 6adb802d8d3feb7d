"""Tiles that begin elsewhere: exact inverses, the same cells, no edges of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wcam_widget.basis import Cells, ColourBasis, WaveletBasis
from wcam_widget.basis.filters import ensure_shift, mirrored


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(8, 60), st.integers(8, 60)),
    wavelet=st.sampled_from(["haar", "db2", "sym4", "bior2.2"]),
    shift=st.tuples(st.integers(0, 7), st.integers(0, 7)),
)
def test_every_shift_inverts(size: tuple[int, int], wavelet: str, shift: tuple[int, int]) -> None:
    basis = WaveletBasis(size, wavelet, 3).shifted(*shift)
    image = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    assert (basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5
    assert basis.shifted(0, 0) == WaveletBasis(size, wavelet, 3)


def test_coefficients_are_those_of_the_image_continued_by_its_mirror() -> None:
    image = torch.rand(3, 40, 48, generator=torch.Generator().manual_seed(0))
    assert torch.equal(mirrored(image, (2, 1))[:, 0, 1:], image[:, 1])
    assert torch.equal(mirrored(image, (2, 1))[:, 2:, 0], image[:, :, 0])
    for wavelet in ("haar", "db4"):
        shifted = WaveletBasis((40, 48), wavelet, 2, (3, 1)).pack(image)
        torch.testing.assert_close(shifted, WaveletBasis((43, 49), wavelet, 2).pack(mirrored(image, (3, 1))))


@pytest.mark.parametrize("wavelet", ["haar", "db4"])
@pytest.mark.parametrize("size", [(64, 64), (61, 50)])
def test_regular_cells_are_as_many_and_in_the_same_places_at_every_shift(wavelet: str, size: tuple) -> None:
    basis = WaveletBasis(size, wavelet, 3)
    plain = Cells.regular(basis, 6)
    for shift in [(0, 1), (4, 4), (7, 2), (7, 7)]:
        cells = Cells.regular(basis.shifted(*shift), 6)
        np.testing.assert_array_equal(cells.groups, plain.groups)
        scale = np.array([band.scale for band in cells.bands])[cells.groups]
        assert (np.abs(cells.support - plain.support).max(1) <= scale).all()
        assert cells.spatial(np.ones(len(cells))).sum() == pytest.approx(len(cells))


def test_a_shift_by_whole_tiles_of_a_level_moves_its_coefficients() -> None:
    image = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
    basis = WaveletBasis((32, 32), "haar", 3)
    plain, moved = basis.pack(image), basis.shifted(4, 2).pack(image)
    for band, again in zip(basis.bands, basis.shifted(4, 2).bands, strict=True):
        assert again.offset == (band.offset[0] - 4, band.offset[1] - 2)
        if band.level == 1:
            own = moved[(..., *again.slices)]
            torch.testing.assert_close(own[..., 2:, 1:], plain[(..., *band.slices)])


def test_the_centre_of_a_tile_stays_that_of_its_patch() -> None:
    basis = WaveletBasis((64, 64), "sym4", 2, (3, 1))
    for band in basis.bands:
        patches, [(top, left)] = basis.patches(torch.ones(1, 1, 1, 1), band, [(5, 7)])
        assert top + patches.shape[2] / 2 == pytest.approx(band.offset[0] + band.scale * 5.5)
        assert left + patches.shape[3] / 2 == pytest.approx(band.offset[1] + band.scale * 7.5)


def test_a_straight_slope_gets_no_edge_where_tiles_begin() -> None:
    """A half-point mirror continues without a jump: the details there are no larger than the slope's own."""
    slope = torch.linspace(0, 1, 64)[None, :, None].expand(1, 64, 64)
    basis = WaveletBasis((64, 64), "haar", 3, (5, 5))
    details = basis.pack(slope)
    for band in basis.bands[1:]:
        inside = details[(..., *band.slices)].abs()
        middle = float(inside[:, inside.shape[1] // 2].max())
        assert inside.max() <= middle + 1e-6


def test_colour_parts_shift_with_their_inner_basis() -> None:
    basis = ColourBasis(WaveletBasis((32, 32), "haar", 2), "luma")
    assert basis.shifted(1, 3) == ColourBasis(WaveletBasis((32, 32), "haar", 2, (1, 3)), "luma")
    assert len(Cells.regular(basis.shifted(1, 3), 4)) == len(Cells.regular(basis, 4))


@pytest.mark.parametrize("shift", [(8, 0), (0, -1)])
def test_shifts_of_a_tile_or_more_are_refused(shift: tuple) -> None:
    with pytest.raises(ValueError, match=r"shift=.* must be \(down, right\), whole numbers .* from 0 to 7"):
        WaveletBasis((32, 32), "haar", 3, shift)
    with pytest.raises(ValueError, match=r"shift=\[1\] must be \(down, right\)"):
        ensure_shift([1], 3)
