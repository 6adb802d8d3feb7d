"""Settings of bases, read without trust; the table of all bases is in tests/contracts/test_bases.py."""

from __future__ import annotations

import pytest

from wcam_widget.basis import WaveletBasis, basis_from

WAVELET = {"basis": "wavelet", "size": [32, 32], "wavelet": "haar", "levels": 2, "shift": [1, 0]}
FOURIER = {"basis": "fourier", "size": [32, 32], "partition": "rings", "count": 4}
COLOUR = {"basis": "colour", "parts": "luma", "inner": WAVELET}


def test_files_of_the_first_version_have_no_shift() -> None:
    old = {name: value for name, value in WAVELET.items() if name != "shift"}
    assert basis_from(old) == WaveletBasis((32, 32), "haar", 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([], r"must be a table of names; found \[\]"),
        ({}, r"basis=None is unknown; pixel, wavelet, packets, fourier, colour are accepted"),
        ({"basis": "__class__"}, r"basis='__class__' is unknown"),
        ({"basis": ["pixel"]}, r"basis=\['pixel'\] is unknown"),
        ({"basis": "pixel"}, r"size=None must be two integers"),
        ({"basis": "pixel", "size": [1, 2, 3]}, r"size=\[1, 2, 3\] must be two integers"),
        ({"basis": "pixel", "size": [True, 2]}, r"size=\[True, 2\] must be two integers"),
        ({"basis": "pixel", "size": [1e3, 2]}, r"size=\[1000.0, 2\] must be two integers"),
        ({"basis": "pixel", "size": [0, 2]}, r"size=\[0, 2\] must be two sides from 1 to 32768"),
        ({"basis": "pixel", "size": [2, 10**9]}, r"two sides from 1 to 32768 pixels"),
        (WAVELET | {"wavelet": 4}, r"wavelet=4 must be text"),
        (WAVELET | {"wavelet": "morl"}, r"wavelet='morl' is not a discrete wavelet"),
        (WAVELET | {"levels": "2"}, r"levels='2' must be an integer"),
        (WAVELET | {"levels": 9}, r"levels=9 does not fit"),
        (WAVELET | {"shift": "12"}, r"shift='12' must be two integers"),
        (WAVELET | {"shift": [4, 0]}, r"shift=\(4, 0\) must be .* from 0 to 3"),
        (FOURIER | {"partition": None}, r"partition=None must be text"),
        (FOURIER | {"count": None}, r"count=None must be an integer"),
        (FOURIER | {"count": 99}, r"count=99 does not fit rings"),
        (COLOUR | {"parts": "hsv"}, r"parts='hsv' is unknown"),
        (COLOUR | {"inner": COLOUR}, r"inner=.* without colour parts"),
        (COLOUR | {"inner": "haar"}, r"inner='haar' must be the settings"),
        (COLOUR | {"inner": {"basis": "x" * 500}}, r"basis='x{79} is unknown"),
    ],
)
def test_settings_that_are_none_are_refused(settings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        basis_from(settings)
