"""Colour parts: projections against closed forms, and bands that name them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wcam_widget.basis import Cells, ColourBasis, FourierBasis, WaveletBasis
from wcam_widget.basis.bands import approximations


def parts_of(basis: ColourBasis, picture: torch.Tensor) -> dict[str, torch.Tensor]:
    """The image of each colour part alone."""
    cells = Cells.whole(basis)
    names = list(dict.fromkeys(band.part for band in basis.bands))
    return {
        name: basis.unpack(
            picture * cells.paint(torch.tensor([[float(band.part == name) for band in basis.bands]]))[0]
        )
        for name in names
    }


def test_channels_are_the_images_own() -> None:
    image = torch.rand(3, 24, 30, generator=torch.Generator().manual_seed(0))
    basis = ColourBasis(WaveletBasis((24, 30), "db2", 2), "channels")
    parts = parts_of(basis, basis.pack(image))
    for number, name in enumerate("RGB"):
        alone = torch.zeros_like(image)
        alone[number] = image[number]
        torch.testing.assert_close(parts[name], alone, atol=1e-6, rtol=0)


def test_luminance_is_grey_and_chroma_has_none() -> None:
    image = torch.rand(3, 24, 30, generator=torch.Generator().manual_seed(0))
    basis = ColourBasis(WaveletBasis((24, 30), "db2", 2), "luma")
    parts = parts_of(basis, basis.pack(image))
    luminance = 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]
    torch.testing.assert_close(parts["Y"], luminance.expand(3, -1, -1), atol=2e-6, rtol=0)
    torch.testing.assert_close(parts["Y"] + parts["C"], image, atol=2e-6, rtol=0)
    left = 0.299 * parts["C"][0] + 0.587 * parts["C"][1] + 0.114 * parts["C"][2]
    assert left.abs().max() < 2e-6


def test_a_grey_image_has_no_chroma() -> None:
    grey = torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(0)).expand(3, -1, -1)
    basis = ColourBasis(WaveletBasis((16, 16), "haar", 2), "luma")
    picture = basis.pack(grey)
    for band in basis.bands:
        strength = float(picture[(..., *band.slices)].abs().max())
        assert (strength > 0.01) == (band.part == "Y")


def test_bands_stand_side_by_side_and_name_their_part() -> None:
    inner = WaveletBasis((32, 32), "haar", 2)
    basis = ColourBasis(inner, "channels")
    assert basis.picture_size == (32, 96)
    assert [band.name for band in basis.bands][:6] == ["R:A2", "G:A2", "B:A2", "R:LH2", "R:HL2", "R:HH2"]
    assert [band.name for band in approximations(basis.bands)] == ["R:A2", "G:A2", "B:A2"]
    for band in basis.bands:
        (own,) = (each for each in inner.bands if each.name == band.name[2:])
        assert (band.part, band.level, band.orientation) == (band.name[0], own.level, own.orientation)
        assert band.rectangle == (own.top, own.left + 32 * "RGB".index(band.part), own.height, own.width)


def test_cells_of_all_parts_cover_the_same_places() -> None:
    basis = ColourBasis(WaveletBasis((48, 64), "db2", 2), "luma")
    cells = Cells.regular(basis, 4)
    assert len(cells) == 2 * 7 * 16
    for name in ("A2", "HL2", "HH1"):
        np.testing.assert_array_equal(
            cells.support[cells.in_band(f"Y:{name}")], cells.support[cells.in_band(f"C:{name}")]
        )


def test_frequency_planes_of_the_parts_stand_side_by_side() -> None:
    inner = FourierBasis((8, 12), "rings", 3)
    basis = ColourBasis(inner, "luma")
    picture = basis.pack(torch.rand(3, 8, 12))[0].numpy()
    shown = basis.arranged(picture)
    assert shown.shape == (8, 24)
    np.testing.assert_array_equal(shown[:, 12:], inner.arranged(picture[:, inner.picture_size[1] :]))


def test_what_does_not_fit_is_refused() -> None:
    inner = WaveletBasis((16, 16), "haar", 1)
    with pytest.raises(ValueError, match=r"parts='hsv' is unknown; channels and luma are accepted"):
        ColourBasis(inner, "hsv")
    with pytest.raises(ValueError, match=r"inner=.* has colour parts already"):
        ColourBasis(ColourBasis(inner), "luma")
    with pytest.raises(ValueError, match=r"image has 1 channels: colour parts need the three"):
        ColourBasis(inner).pack(torch.zeros(1, 16, 16))
