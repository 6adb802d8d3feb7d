"""The wavelet basis against PyWavelets, closed forms and its own inverse."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wcam_widget.basis import WaveletBasis
from wcam_widget.basis.bands import ensure_size

WAVELETS = pywt.wavelist(kind="discrete")


@pytest.mark.parametrize("wavelet", WAVELETS)
@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_unpacking_a_packed_image_gives_the_image(wavelet: str, size: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    basis = WaveletBasis(size, wavelet, levels=3)
    assert (basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(8, 70),
    width=st.integers(8, 70),
    levels=st.integers(1, 3),
    channels=st.sampled_from([1, 3]),
    wavelet=st.sampled_from(["haar", "db2", "db4", "sym4", "coif1", "bior2.2", "rbio1.3"]),
)
def test_round_trip_at_any_size(height: int, width: int, levels: int, channels: int, wavelet: str) -> None:
    image = torch.rand(channels, height, width, generator=torch.Generator().manual_seed(height * width))
    basis = WaveletBasis((height, width), wavelet, levels)
    assert (basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5


@pytest.mark.parametrize("wavelet", ["haar", "db2", "db4", "sym4", "bior4.4", "bior2.2"])
@pytest.mark.parametrize("size", [(64, 64), (49, 72)])
def test_coefficients_are_those_of_pywavelets(wavelet: str, size: tuple[int, int]) -> None:
    image = torch.rand(3, *size, generator=torch.Generator().manual_seed(1))
    basis = WaveletBasis(size, wavelet, levels=2)
    picture = basis.pack(image)
    coarse, *details = pywt.wavedec2(image.double().numpy(), wavelet, mode="symmetric", level=2)
    expected = {"A2": coarse}
    for level, (horizontal, vertical, diagonal) in zip((2, 1), details, strict=True):
        expected |= {f"LH{level}": horizontal, f"HL{level}": vertical, f"HH{level}": diagonal}
    for band in basis.bands:
        np.testing.assert_allclose(picture[(..., *band.slices)], expected[band.name], atol=2e-6)


def test_the_packed_layout_is_pywts_array() -> None:
    image = torch.rand(64, 64, generator=torch.Generator().manual_seed(2))
    array, _ = pywt.coeffs_to_array(pywt.wavedec2(image.numpy(), "haar", level=3))
    picture = WaveletBasis((64, 64), "haar", 3).pack(image[None])[0]
    np.testing.assert_allclose(picture, array, atol=2e-6)


@pytest.mark.parametrize("wavelet", ["haar", "db4", "sym4"])
def test_vertical_stripes_stand_top_right_and_horizontal_ones_bottom_left(wavelet: str) -> None:
    basis = WaveletBasis((32, 32), wavelet, levels=1)
    stripes = torch.zeros(1, 32, 32)
    stripes[:, :, ::2] = 1.0
    energy = {}
    for name, image in {"vertical": stripes, "horizontal": stripes.transpose(1, 2)}.items():
        picture = basis.pack(image - 0.5)
        strongest = max(basis.bands, key=lambda band: float(picture[(..., *band.slices)].square().sum()))
        energy[name] = strongest
    assert energy["vertical"].orientation == "HL"
    assert energy["vertical"].top == 0
    assert energy["vertical"].left > 0
    assert energy["horizontal"].orientation == "LH"
    assert energy["horizontal"].left == 0


@pytest.mark.parametrize("wavelet", ["haar", "db2", "db4", "bior2.2", "sym8"])
def test_patches_are_the_inverse_of_single_blocks(wavelet: str) -> None:
    basis = WaveletBasis((65, 48), wavelet, levels=3)
    picture = basis.pack(torch.rand(3, 65, 48, generator=torch.Generator().manual_seed(3)))
    for band in basis.bands:
        row, column, height, width = 2, 1, 3, 4
        alone = torch.zeros_like(picture)
        rows = slice(band.top + row, band.top + row + height)
        columns = slice(band.left + column, band.left + column + width)
        alone[:, rows, columns] = picture[:, rows, columns]
        patches, [(top, left)] = basis.patches(picture[None, :, rows, columns], band, [(row, column)])
        placed = torch.zeros(3, 65 + 400, 48 + 400)
        placed[:, 200 + top : 200 + top + patches.shape[2], 200 + left : 200 + left + patches.shape[3]] = (
            patches[0]
        )
        torch.testing.assert_close(placed[:, 200:265, 200:248], basis.unpack(alone), atol=2e-6, rtol=0)


def test_centre_of_a_coefficients_tile_is_the_centre_of_its_patch() -> None:
    basis = WaveletBasis((64, 64), "sym4", levels=2)
    for band in basis.bands:
        patches, [(top, _)] = basis.patches(torch.ones(1, 1, 1, 1), band, [(5, 5)])
        centre = top + patches.shape[2] / 2
        assert centre == pytest.approx(band.offset[0] + band.scale * 5.5)


@pytest.mark.parametrize("wavelet", ["coif5", "dmey", "db38", "rbio6.8", "db2"])
@pytest.mark.parametrize("size", [(33, 47), (7, 65), (2, 2), (1, 9), (1, 1)])
def test_patches_of_long_filters_are_no_larger_than_a_small_image(wavelet: str, size: tuple) -> None:
    basis = WaveletBasis(size, wavelet, levels=min(3, max(1, min(size).bit_length() - 1)))
    picture = torch.rand(1, *basis.picture_size, generator=torch.Generator().manual_seed(5))
    assert (basis.unpack(basis.pack(basis.unpack(picture))) - basis.unpack(picture)).abs().max() < 1e-5 * 50
    whole = torch.zeros(1, *size)
    for band in basis.bands:
        block = picture[(..., *band.slices)]
        patches, [(top, left)] = basis.patches(block[None], band, [(0, 0)])
        assert patches[0, 0].numel() <= math.prod(size)
        assert (top, left) == (0, 0)
        whole += patches[0]
    torch.testing.assert_close(whole, basis.unpack(picture), atol=1e-4, rtol=1e-4)


def test_low_precision_and_autocast_do_not_reach_the_arithmetic() -> None:
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(4))
    basis = WaveletBasis((32, 32), "db4", levels=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        picture = basis.pack(image)
        back = basis.unpack(picture)
    assert picture.dtype == back.dtype == torch.float32
    assert (back - image).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((32, 32), "db44"), r"wavelet='db44' .* did you mean db4"),
        (((32, 32), "morl"), r"wavelet='morl' is not a discrete wavelet"),
        (((32, 20), "haar", 5), r"levels=5 does not fit an image of 32x20 pixels; 1 to 4 levels do"),
        (((32, 20), "haar", 0), r"levels=0 does not fit"),
        (((1, 1), "haar", 3), "levels=3 does not fit an image of 1x1 pixels; 1 level does"),
        (((3, 40), "haar", 2), "levels=2 does not fit an image of 3x40 pixels; 1 level does"),
        (((32, 0), "haar"), r"size must be .* found \(32, 0\)"),
    ],
)
def test_impossible_bases_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WaveletBasis(*arguments)


def test_a_size_is_two_positive_integers() -> None:
    for size in ([32], [32, 32, 3], [32, 0], [32.5, 8]):
        with pytest.raises(ValueError, match=r"size must be \(height, width\), two positive integers; found"):
            ensure_size(size)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"image must have shape .*32, 32\); found \(3, 30, 32\)"):
        WaveletBasis((32, 32)).pack(torch.zeros(3, 30, 32))
