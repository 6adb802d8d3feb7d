"""Wavelet packets against PyWavelets and closed forms."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import pywt
import torch

from wcam_widget.basis import Cells, PacketBasis, WaveletBasis
from wcam_widget.basis.filters import mirrored

# PyWavelets' letters: h is high along rows (our LH), v along columns (HL), d along both.


@pytest.mark.parametrize("wavelet", ["haar", "db2", "sym4", "coif1", "bior2.2"])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_packets_are_those_of_pywavelets_in_the_order_of_frequency(wavelet: str, levels: int) -> None:
    size = (40, 53)
    image = torch.rand(*size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    basis = PacketBasis(size, wavelet, levels)
    picture = basis.pack(image[None])[0].numpy()
    tree = pywt.WaveletPacket2D(image.numpy(), wavelet, mode="symmetric", maxlevel=levels)
    expected = np.block([[node.data for node in row] for row in tree.get_level(levels, order="freq")])
    np.testing.assert_allclose(picture, expected, atol=1e-12)


@pytest.mark.parametrize("wavelet", [*pywt.wavelist(kind="discrete")[::5], "dmey"])
def test_packets_of_every_family_invert(wavelet: str) -> None:
    image = torch.rand(3, 33, 26, generator=torch.Generator().manual_seed(0))
    basis = PacketBasis((33, 26), wavelet, 2)
    assert (basis.unpack(basis.pack(image)) - image).abs().max() < 1e-5


def test_one_level_of_packets_is_one_level_of_wavelets() -> None:
    image = torch.rand(3, 31, 40, generator=torch.Generator().manual_seed(1))
    packets, wavelets = PacketBasis((31, 40), "db3", 1), WaveletBasis((31, 40), "db3", 1)
    assert packets.picture_size == wavelets.picture_size
    torch.testing.assert_close(packets.pack(image), wavelets.pack(image))
    assert [band.rectangle for band in packets.bands] == [band.rectangle for band in wavelets.bands]


def test_bands_divide_the_frequencies_of_the_wavelet_bands() -> None:
    bands = PacketBasis((64, 64), "haar", 3).bands
    counts = {}
    for band in bands:
        counts[band.level, band.orientation] = counts.get((band.level, band.orientation), 0) + 1
    assert counts == {(3, "A"): 1} | {
        (level, orientation): 4 ** (3 - level) for level in (3, 2, 1) for orientation in ("LH", "HL", "HH")
    }
    named = {band.name: (band.level, band.orientation) for band in bands}
    assert named["P(5,2)"] == (1, "LH")
    assert named["P(2,5)"] == (1, "HL")
    assert named["P(2,3)"] == (2, "HH")
    assert {band.scale for band in bands} == {8}


@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (5, 0), (4, 6), (7, 1)])
def test_a_wave_stands_in_the_packet_of_its_frequency(rows: int, columns: int) -> None:
    y, x = np.indices((128, 128))
    # The middle of step r of 8 is (r + 1/2) / 16 cycles per pixel.
    wave = np.cos(np.pi * (rows + 0.5) * y / 8) * np.cos(np.pi * (columns + 0.5) * x / 8)
    basis = PacketBasis((128, 128), "db10", 3)
    picture = basis.pack(torch.from_numpy(wave)[None])[0].numpy()
    energy = {band.name: float((picture[band.slices] ** 2).sum()) for band in basis.bands}
    strongest = max(energy, key=energy.__getitem__)
    assert strongest == f"P({rows},{columns})"
    assert energy[strongest] > 0.5 * sum(energy.values())


def test_shifted_packets_are_those_of_the_image_continued_by_its_mirror() -> None:
    image = torch.rand(1, 40, 48, generator=torch.Generator().manual_seed(2))
    basis = PacketBasis((40, 48), "db2", 2)
    torch.testing.assert_close(
        basis.shifted(3, 1).pack(image), PacketBasis((43, 49), "db2", 2).pack(mirrored(image, (3, 1)))
    )


def test_cells_of_packets_cover_the_image_as_those_of_the_coarsest_wavelet_band() -> None:
    packets = Cells.regular(PacketBasis((64, 64), "haar", 2), 8)
    wavelets = Cells.regular(WaveletBasis((64, 64), "haar", 2), 8)
    for band in packets.bands:
        np.testing.assert_array_equal(
            packets.support[packets.in_band(band.name)], wavelets.support[wavelets.in_band("A2")]
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((32, 32), "db44"), r"wavelet='db44' .* did you mean db4"),
        (((32, 20), "haar", 5), r"levels=5 does not fit .* 1 to 4 levels do"),
        (((32, 32), "haar", 2, (4, 0)), r"shift=\(4, 0\) must be .* from 0 to 3, less than the 4 pixels"),
    ],
)
def test_impossible_packets_are_refused(arguments: tuple, message: str) -> None:
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        PacketBasis(*arguments)
