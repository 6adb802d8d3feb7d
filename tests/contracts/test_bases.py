"""What every basis promises, in one table over all of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from wcam_widget.basis import (
    AbstractBasis,
    Cells,
    ColourBasis,
    FourierBasis,
    PacketBasis,
    PixelBasis,
    WaveletBasis,
    basis_from,
    most_cells,
)
from wcam_widget.basis.bands import approximations
from wcam_widget.explain.cell_sums import per_band, summed

Make = Callable[[tuple[int, int]], AbstractBasis]
MAKERS: dict[str, Make] = {
    "pixels": PixelBasis,
    "haar": lambda size: WaveletBasis(size, "haar", 3),
    "db4": lambda size: WaveletBasis(size, "db4", 2),
    "bior2.2": lambda size: WaveletBasis(size, "bior2.2", 2),
    "haar shifted": lambda size: WaveletBasis(size, "haar", 3, (5, 2)),
    "sym4 shifted": lambda size: WaveletBasis(size, "sym4", 2, (1, 3)),
    "haar packets": lambda size: PacketBasis(size, "haar", 2),
    "db3 packets": lambda size: PacketBasis(size, "db3", 2),
    "coif1 packets, 3 levels": lambda size: PacketBasis(size, "coif1", 3),
    "bior2.2 packets shifted": lambda size: PacketBasis(size, "bior2.2", 2, (3, 1)),
    "rings": lambda size: FourierBasis(size, "rings"),
    "squares": lambda size: FourierBasis(size, "squares", 3),
    "grid": lambda size: FourierBasis(size, "grid"),
    "channels": lambda size: ColourBasis(WaveletBasis(size, "haar", 2), "channels"),
    "luma": lambda size: ColourBasis(WaveletBasis(size, "db2", 2), "luma"),
    "luma shifted": lambda size: ColourBasis(WaveletBasis(size, "db2", 2, (2, 0)), "luma"),
    "luma of pixels": lambda size: ColourBasis(PixelBasis(size), "luma"),
    "channels of packets": lambda size: ColourBasis(PacketBasis(size, "db2", 2), "channels"),
    "luma of rings": lambda size: ColourBasis(FourierBasis(size, "rings", 3), "luma"),
}
NAMES = list(MAKERS)
SIZES = [(32, 32), (33, 26)]
TABLE = [
    pytest.param(MAKERS[name](size), id=f"{name} {size[0]}x{size[1]}") for name in NAMES for size in SIZES
]
every_basis = pytest.mark.parametrize("basis", TABLE)


def photograph(size: tuple[int, int], *leading: int) -> Tensor:
    return torch.rand(*(leading or (3,)), *size, generator=torch.Generator().manual_seed(0))


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    size=st.tuples(st.integers(8, 45), st.integers(8, 45)),
    leading=st.sampled_from([(3,), (1,), (5,), (2, 3), (2, 2, 1)]),
)
def test_round_trip_at_any_size_and_for_any_channels(
    name: str, size: tuple[int, int], leading: tuple[int, ...]
) -> None:
    basis = MAKERS[name](size)
    image = photograph(size, *((*leading[:-1], 3) if isinstance(basis, ColourBasis) else leading))
    picture = basis.pack(image)
    assert picture.shape == (*image.shape[:-2], *basis.picture_size)
    assert (basis.unpack(picture) - image).abs().max() < 1e-5


def cut(basis: AbstractBasis, way: int) -> Cells:
    """Cells of one of several kinds: one per band, a regular grid, or blocks of coefficients."""
    if way == 0:
        return Cells.whole(basis)
    if way > 4:
        return Cells.dyadic(basis, way - 4)
    without_place = max(band.scale for band in basis.bands) >= max(basis.size)
    return Cells.regular(basis, 1 if without_place else min(way, most_cells(basis)))


any_basis_and_cut = given(
    name=st.sampled_from(NAMES),
    size=st.tuples(st.integers(8, 45), st.integers(8, 45)),
    way=st.integers(0, 12),
)


@settings(max_examples=150, deadline=None)
@any_basis_and_cut
def test_every_coefficient_lies_in_exactly_one_cell_of_its_band(
    name: str, size: tuple[int, int], way: int
) -> None:
    basis = MAKERS[name](size)
    cells = cut(basis, way)
    count = np.zeros(basis.picture_size, int)
    for number, top, left, height, width in cells.rectangles.tolist():
        band = basis.bands[number]
        assert band.top <= top < top + height <= band.top + band.height
        assert band.left <= left < left + width <= band.left + band.width
        count[top : top + height, left : left + width] += 1
    inside = np.zeros(basis.picture_size, int)
    for band in basis.bands:
        inside[band.slices] = 1
    np.testing.assert_array_equal(count, inside)


@settings(max_examples=150, deadline=None)
@any_basis_and_cut
def test_maps_over_the_image_and_sums_over_bands_conserve_mass(
    name: str, size: tuple[int, int], way: int
) -> None:
    basis = MAKERS[name](size)
    cells = cut(basis, way)
    values = np.random.default_rng(way).normal(size=len(cells))
    heat = cells.spatial(values)
    assert heat.shape == basis.size
    assert heat.sum() == pytest.approx(values.sum(), abs=1e-9 * np.abs(values).sum())
    bands = per_band(cells, values)
    assert bands.sum() == pytest.approx(values.sum(), abs=1e-9 * np.abs(values).sum())
    energy = basis.pack(photograph(basis.size)).double().square()
    assert summed(energy, cells).sum() == pytest.approx(float(energy.sum()))


@every_basis
def test_bands_are_disjoint_rectangles_of_the_picture_with_names_of_their_own(basis: AbstractBasis) -> None:
    count = np.zeros(basis.picture_size, int)
    for band in basis.bands:
        assert band.height > 0
        assert band.width > 0
        part = count[band.slices]
        assert part.shape == (band.height, band.width)
        part += 1
    assert count.max() == 1
    assert len({band.name for band in basis.bands}) == len(basis.bands)
    assert basis.bands[0].orientation == "A"
    levels = [band.level for band in basis.bands]
    assert levels == sorted(levels, reverse=True)
    first = len(approximations(basis.bands))
    assert all(band.orientation == "A" for band in basis.bands[:first])
    assert {band.part for band in basis.bands} == {
        band.name.partition(":")[0] for band in basis.bands
    } or all(band.part == "" for band in basis.bands)


@every_basis
def test_gaps_are_zero_and_are_not_read(basis: AbstractBasis) -> None:
    image = photograph(basis.size)
    picture = basis.pack(image)
    gaps = Cells.whole(basis).index == len(basis.bands)
    assert (picture[:, gaps] == 0).all()
    picture[:, gaps] = 7.0
    assert (basis.unpack(picture) - image).abs().max() < 1e-5


@every_basis
def test_transforms_are_linear_and_differentiable(basis: AbstractBasis) -> None:
    first, second = photograph(basis.size, 2, 3)
    picture = basis.pack(2 * first - 3 * second)
    torch.testing.assert_close(picture, 2 * basis.pack(first) - 3 * basis.pack(second), atol=2e-5, rtol=0)
    leaf = picture.clone().requires_grad_()
    direction = photograph(basis.picture_size)
    (basis.unpack(leaf) * first).sum().backward()
    torch.testing.assert_close(
        (leaf.grad * direction).sum(), (basis.unpack(direction) * first).sum(), atol=1e-3, rtol=1e-4
    )


@every_basis
def test_patches_are_the_inverse_of_single_blocks(basis: AbstractBasis) -> None:
    picture = basis.pack(photograph(basis.size))
    margin = 400
    for band in basis.bands[:: max(1, len(basis.bands) // 12)]:
        height, width = min(3, band.height), min(2, band.width)
        corners = [(band.height - height, 0), (0, band.width - width)]
        blocks, wanted = [], []
        for row, column in corners:
            rows = slice(band.top + row, band.top + row + height)
            columns = slice(band.left + column, band.left + column + width)
            alone = torch.zeros_like(picture)
            alone[:, rows, columns] = picture[:, rows, columns]
            blocks.append(picture[:, rows, columns])
            wanted.append(basis.unpack(alone))
        patches, places = basis.patches(torch.stack(blocks), band, corners)
        for patch, (top, left), expected in zip(patches, places, wanted, strict=True):
            placed = torch.zeros(3, basis.size[0] + 2 * margin, basis.size[1] + 2 * margin)
            rows = slice(margin + top, margin + top + patch.shape[1])
            placed[:, rows, margin + left : margin + left + patch.shape[2]] = patch
            inside = placed[:, margin : margin + basis.size[0], margin : margin + basis.size[1]]
            torch.testing.assert_close(inside, expected, atol=3e-6, rtol=0)


@every_basis
def test_blocks_padded_beyond_their_band_give_the_same_image(basis: AbstractBasis) -> None:
    band = basis.bands[-1]
    row, column = band.height - 1, band.width - 1
    block = torch.zeros(1, 3, 3, 4)
    block[..., 0, 0] = 1.0
    (padded,), (place,) = basis.patches(block, band, [(row, column)])
    (plain,), (same,) = basis.patches(block[..., :1, :1], band, [(row, column)])
    assert place == same
    torch.testing.assert_close(padded[:, : plain.shape[1], : plain.shape[2]], plain)
    assert float(padded.abs().sum()) == pytest.approx(float(plain.abs().sum()), rel=1e-5)


@every_basis
def test_a_constant_image_has_approximations_only(basis: AbstractBasis) -> None:
    colour = torch.tensor([0.2, 0.9, 0.4])[:, None, None].expand(3, *basis.size)
    picture = basis.pack(colour)
    for band in basis.bands:
        if band.orientation != "A":
            assert picture[(..., *band.slices)].abs().max() < 1e-5


@every_basis
def test_settings_make_the_same_basis_again_also_through_json(basis: AbstractBasis) -> None:
    assert basis_from(basis.settings()) == basis
    assert basis_from(json.loads(json.dumps(basis.settings()))) == basis


@every_basis
def test_low_precision_and_autocast_do_not_reach_the_arithmetic(basis: AbstractBasis) -> None:
    image = photograph(basis.size)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        picture = basis.pack(image)
        back = basis.unpack(picture)
        assert basis.unpack(picture.to(torch.bfloat16)).dtype == torch.float32
    assert picture.dtype == back.dtype == torch.float32
    assert (back - image).abs().max() < 1e-5
    double = image.double()
    assert (basis.unpack(basis.pack(double)) - double).abs().max() < 1e-8


@every_basis
def test_images_and_pictures_of_another_size_are_refused(basis: AbstractBasis) -> None:
    with pytest.raises(ValueError, match=r"image must have shape .*found \(3, 30, 32\)"):
        basis.pack(torch.zeros(3, 30, 32))
    with pytest.raises(ValueError, match=r"picture must have shape .*found \(3, 30, 31\)"):
        basis.unpack(torch.zeros(3, 30, 31))


@every_basis
def test_what_is_arranged_shows_every_coefficient_of_the_bands(basis: AbstractBasis) -> None:
    cells = Cells.whole(basis)
    shown = basis.arranged(cells.packed(np.arange(len(cells)) + 1.0))
    assert set(np.unique(shown)) - {0.0} == set(np.arange(len(cells)) + 1.0)


def test_only_what_the_page_can_invert_is_explorable() -> None:
    explorable = {name for name in NAMES if MAKERS[name]((32, 32)).explorable}
    assert explorable == {"pixels", "haar", "db4", "bior2.2", "channels", "luma", "luma of pixels"}


@pytest.mark.parametrize("name", ["pixels", "rings", "luma of pixels"])
def test_what_has_no_tiles_cannot_be_shifted(name: str) -> None:
    with pytest.raises(ValueError, match="no tiles that could be shifted: only wavelets and packets"):
        MAKERS[name]((16, 16)).shifted(1, 0)
