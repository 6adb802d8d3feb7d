import numpy as np
import pytest
import pywt
import torch

from wcam_widget.basis import Cells, ColourBasis, FourierBasis, PacketBasis, PixelBasis, WaveletBasis
from wcam_widget.explain import Perturbation, Probe, Wcam
from wcam_widget.model import BlackBox, Logit
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.frame import decode
from wcam_widget.show.frames import attribution_frame, photograph, picture_frame

MODEL = BlackBox(lambda images: images.mean((2, 3)), class_names=("red", "green", "</script>"))


def upsampled(coefficients, taps, axis):
    """y[m] = sum_k c[k] rec[m - 2k + L - 2], m = 0 .. 2n - L + 1, written out."""
    values = np.moveaxis(np.asarray(coefficients, float), axis, -1)
    n, length = values.shape[-1], len(taps)
    result = np.zeros((*values.shape[:-1], 2 * n - length + 2))
    for m in range(result.shape[-1]):
        for k in range(n):
            if 0 <= m - 2 * k + length - 2 < length:
                result[..., m] += values[..., k] * taps[m - 2 * k + length - 2]
    return np.moveaxis(result, -1, axis)


def rebuilt(frame, mask):
    """The image a front end makes of a picture frame and the kept cells, by the frame's own words."""
    header, parts = frame.header, frame.sections
    size = header["image"]["height"], header["image"]["width"]
    picture = np.zeros_like(parts["coefficients"])
    for (_, top, left, height, width), kept in zip(parts["cells"], mask, strict=True):
        place = (slice(None), slice(top, top + height), slice(left, left + width))
        picture[place] = parts["coefficients"][place] * kept
    pieces = {}
    for band in header["bands"]:
        piece = picture[
            :, band["top"] : band["top"] + band["height"], band["left"] : band["left"] + band["width"]
        ]
        # The parts of the colour add up.
        name = band["name"].removeprefix(f"{band['part']}:")
        pieces[name] = pieces.get(name, 0.0) + piece
    first = next(iter(pieces))
    image = pieces[first] + parts["baseline"]
    if header["basis"] == "pixel":
        return image
    low, high = header["wavelet"]["rec_lo"], header["wavelet"]["rec_hi"]
    for level in range(header["wavelet"]["levels"], 0, -1):
        filters = {"": (low, low), "LH": (high, low), "HL": (low, high), "HH": (high, high)}
        parts_of_level = {"": image} | {name: pieces[f"{name}{level}"] for name in ("LH", "HL", "HH")}
        image = sum(
            upsampled(upsampled(part, filters[name][0], 1), filters[name][1], 2)
            for name, part in parts_of_level.items()
        )
        finer = pieces[f"HH{level - 1}"].shape[1:] if level > 1 else size
        image = image[:, : finer[0], : finer[1]]
    return image


@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior2.2", "pixels"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_front_end_can_rebuild_any_selection_from_the_picture_frame(wavelet, channels):
    image = torch.rand(channels, 21, 30)
    model = BlackBox(lambda images: images.mean((2, 3)))
    probe = Wcam(wavelet=wavelet, levels=2, grid=2).probe(model, image)
    frame = decode(picture_frame(probe.perturbation, image, "run"))
    mask = np.arange(len(probe.cells)) % 3 != 0
    expected = probe.rebuild(torch.from_numpy(mask).float()).numpy()
    np.testing.assert_allclose(rebuilt(frame, mask), expected, atol=1e-5)
    np.testing.assert_allclose(rebuilt(frame, np.ones_like(mask)), image.numpy(), atol=1e-5)


def probe_in(basis, image):
    return Probe(MODEL, Logit(0), Perturbation.from_image(image, basis, Cells.whole(basis)), torch.zeros(3))


@pytest.mark.parametrize("parts", ["channels", "luma"])
@pytest.mark.parametrize("inner", [WaveletBasis((21, 30), "db2", 2), PixelBasis((21, 30))], ids=repr)
def test_parts_of_the_colour_are_added_up_before_the_inverse(parts, inner):
    image = torch.rand(3, 21, 30)
    basis = ColourBasis(inner, parts)
    probe = probe_in(basis, image)
    frame = decode(picture_frame(probe.perturbation, image, "run"))
    assert [band["part"] for band in frame.header["bands"]] == [band.part for band in basis.bands]
    assert frame.sections["baseline"].shape == (3, inner.bands[0].height, inner.bands[0].width)
    for mask in (np.arange(len(probe.cells)) % 3 != 0, np.zeros(len(probe.cells))):
        expected = probe.rebuild(torch.from_numpy(mask).float()).numpy()
        np.testing.assert_allclose(rebuilt(frame, mask), expected, atol=1e-5)


@pytest.mark.parametrize(
    "basis",
    [
        FourierBasis((16, 16)),
        PacketBasis((16, 16)),
        WaveletBasis((16, 16), "haar", 2, (1, 0)),
        ColourBasis(FourierBasis((16, 16))),
    ],
    ids=repr,
)
def test_what_a_page_cannot_invert_is_refused_with_what_shows_it(basis):
    image = torch.rand(3, 16, 16)
    with pytest.raises(
        ValueError, match=r"Basis\(.*cannot be inverted in the page; plot\(attribution\) shows it"
    ):
        picture_frame(probe_in(basis, image).perturbation, image, "run")


@pytest.mark.parametrize(
    ("image", "space", "transformed"),
    [
        (torch.arange(768).reshape(3, 16, 16) % 256 / 255, Wcam(levels=2, grid=2), True),
        (torch.arange(768).reshape(3, 16, 16) % 256 / 255, Wcam(wavelet="db2", levels=2, grid=2), True),
        (torch.arange(768).reshape(3, 16, 16) % 256 / 255, Wcam(wavelet="dmey", levels=1, grid=1), False),
        (torch.arange(768).reshape(3, 16, 16) / 767, Wcam(levels=2, grid=2), False),
    ],
    ids=["8 bits", "8 bits, filters", "more than one pass", "more bits"],
)
def test_an_image_of_8_bits_travels_without_coefficients(image, space, transformed):
    frame = decode(picture_frame(space.probe(MODEL, image).perturbation, image, "run"))
    assert ("coefficients" not in frame.sections) == transformed
    assert (frame.header.get("coefficients") == "of image") == transformed
    assert ("dec_lo" in frame.header["wavelet"]) == transformed


def test_the_picture_frame_describes_bands_cells_and_filters():
    image = torch.rand(3, 20, 33)
    probe = Wcam(wavelet="db2", levels=2, grid=2).probe(MODEL, image)
    frame = decode(picture_frame(probe.perturbation, image, "run-1"))
    header, parts = frame.header, frame.sections
    assert (header["kind"], header["version"], header["run"]) == ("picture", 1, "run-1")
    assert header["image"] == {"channels": 3, "height": 20, "width": 33}
    assert (header["picture"]["height"], header["picture"]["width"]) == probe.basis.picture_size
    assert header["wavelet"] == {
        "name": "db2",
        "levels": 2,
        "rec_lo": list(pywt.Wavelet("db2").rec_lo),
        "rec_hi": list(pywt.Wavelet("db2").rec_hi),
    }
    assert [band["name"] for band in header["bands"]] == ["A2", "LH2", "HL2", "HH2", "LH1", "HL1", "HH1"]
    assert [band["orientation"] for band in header["bands"]][:4] == ["A", "LH", "HL", "HH"]
    assert {band["part"] for band in header["bands"]} == {""}
    assert header["cell_count"] == len(probe.cells) == 28
    np.testing.assert_array_equal(parts["cells"], probe.cells.rectangles)
    np.testing.assert_allclose(parts["support"], probe.cells.support, rtol=1e-6)
    np.testing.assert_array_equal(parts["image"], photograph(image))
    assert {name: part.dtype for name, part in parts.items()} == {
        "image": np.uint8,
        "coefficients": np.float32,
        "baseline": np.float32,
        "cells": np.int32,
        "support": np.float32,
    }


def test_a_pixel_picture_has_no_wavelet():
    probe = Wcam(wavelet="pixels", grid=2).probe(MODEL, torch.rand(3, 8, 8))
    header = decode(picture_frame(probe.perturbation, torch.rand(3, 8, 8), "run")).header
    assert (header["basis"], header["wavelet"]) == ("pixel", None)
    assert [(band["name"], band["level"]) for band in header["bands"]] == [("pixels", 0)]


def test_the_photograph_is_rounded_and_grey_becomes_rgb():
    image = torch.tensor([[[0.0, 0.5, 1.0], [0.002, 0.0019, 0.998]]])
    assert photograph(image)[..., 0].tolist() == [[0, 128, 255], [1, 0, 254]]
    assert (photograph(image)[..., 0] == photograph(image)[..., 2]).all()
    assert photograph(torch.rand(3, 2, 2)).shape == (2, 2, 3)


def test_attribution_frames_hold_what_the_attribution_holds():
    method = Wcam(Sobol(rows=4), levels=2, grid=2)
    *_, last = method.steps(MODEL, torch.rand(3, 16, 16), "green")
    frame = decode(attribution_frame(last, "run-1", 7))
    header, parts, profile = frame.header, frame.sections, last.profile()
    assert (header["kind"], header["run"], header["rev"], header["complete"]) == (
        "attribution",
        "run-1",
        7,
        True,
    )
    assert header["target"] == {"label": "logit of green", "score": last.score}
    assert (header["evaluations"], header["planned"]) == (last.evaluations, last.planned)
    assert (header["method"], header["unit"], header["stop"]) == (last.method, last.unit, last.stop)
    assert header["profile"]["total"] == [pytest.approx(value) for value in profile.total]
    assert header["profile"]["statistic"] == profile.statistic
    for name in ("values", "low", "high", "slope"):
        np.testing.assert_array_equal(parts[name], getattr(last, name).astype(np.float32))
    np.testing.assert_array_equal(parts["kind"], last.kind)
    assert parts["kind"].dtype == np.uint8


def test_numbers_that_are_none_are_null_and_labels_stay_as_they_are():
    method = Wcam.as_published(grid=4, rows=2, levels=2)
    *_, last = method.steps(MODEL, torch.rand(3, 16, 16), 2)
    frame = decode(attribution_frame(last, "run", 1))
    assert frame.header["profile"]["shapley"] == [None] * 7
    assert np.isnan(frame.sections["slope"]).all()
    assert frame.header["target"]["label"] == "logit of </script>"
