"""Photographs of every mode and depth become the same RGB."""

import os
import re
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from wcam_widget.model.photograph import PhotographWarning, photograph_pixels, read_photograph

RAMP = np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)


def png16(path, values, colour, extra=b""):
    """A PNG of 16 bits per channel, which PIL cannot write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = values.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    body = chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def near(found, expected, atol=1e-6):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("suffix", ["png", "tif", "jp2", "pgm"])
def test_sixteen_bit_grey_is_divided_by_its_full_range(tmp_path, suffix):
    Image.fromarray(RAMP).save(tmp_path / f"r.{suffix}")
    pixels = photograph_pixels(tmp_path / f"r.{suffix}")
    assert pixels.shape == (3, 64, 64)
    near(pixels, np.broadcast_to(RAMP / 65535, (3, 64, 64)))
    near(np.asarray(read_photograph(tmp_path / f"r.{suffix}"))[..., 1], RAMP / 257, atol=0.5001)


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B", "I;16N"])
def test_either_order_of_bytes_means_the_same(mode):
    order = ">u2" if mode == "I;16B" else "<u2"
    image = Image.frombytes(mode, (64, 64), RAMP.astype(order).tobytes())
    near(photograph_pixels(image)[0], RAMP / 65535)


def test_sixteen_bit_colours_keep_their_lower_halves(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, 3))
    found = photograph_pixels(png16(tmp_path / "c.png", values, colour=2))
    near(found.permute(1, 2, 0), values / 65535)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bit_colours_of_tiff_too(tmp_path, compression, order):
    tifffile = pytest.importorskip("tifffile")
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, 3), np.uint16)
    tifffile.imwrite(tmp_path / "c.tif", values, photometric="rgb", byteorder=order, compression=compression)
    near(photograph_pixels(tmp_path / "c.tif").permute(1, 2, 0), values / 65535)


def test_sixteen_bit_transparency_is_laid_over_the_background(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, 4))
    with pytest.warns(PhotographWarning, match=r"c\.png: has transparent parts; they are laid over #000000"):
        found = photograph_pixels(png16(tmp_path / "c.png", values, colour=6), background="black")
    near(found.permute(1, 2, 0), values[..., :3] / 65535 * values[..., 3:] / 65535)


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3)])
def test_the_one_transparent_value_of_a_deep_png_is_transparent(tmp_path, colour, channels):
    values = np.full((2, 2, channels), 300)
    values[0, 0] = 301
    data = struct.pack(">" + "H" * channels, *[301] * channels)
    key = struct.pack(">I", len(data)) + b"tRNS" + data + struct.pack(">I", zlib.crc32(b"tRNS" + data))
    with pytest.warns(PhotographWarning, match="transparent"):
        found = photograph_pixels(png16(tmp_path / "k.png", values, colour, key))
    near(found[:, 0, 0], 1.0)
    near(found[:, 1, 1], 300 / 65535)


def test_floats_in_the_unit_interval_are_taken_as_they_are(tmp_path):
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    Image.fromarray(values).save(tmp_path / "f.tif")
    near(photograph_pixels(tmp_path / "f.tif"), np.broadcast_to(values, (3, 3, 4)))
    near(
        photograph_pixels(Image.fromarray(values * np.float32(1.00005))),
        np.broadcast_to(values, (3, 3, 4)),
        1e-4,
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.full((2, 2), 200.0, np.float32),
            "found values in [200, 200]; divide by 255; accepted is 8 and 16",
        ),
        (np.full((2, 2), -0.5, np.float32), "found values in [-0.5, -0.5]; accepted"),
        (np.full((2, 2), np.nan, np.float32), "found 4 NaN or infinite pixels"),
        (np.full((2, 2), 7, np.int32), "found 32-bit integers, whose full range no photograph fills"),
    ],
)
def test_other_depths_are_refused_by_name(tmp_path, values, message):
    Image.fromarray(values).save(tmp_path / "deep.tif")
    with pytest.raises(ValueError, match=r"deep\.tif: " + re.escape(message)):
        photograph_pixels(tmp_path / "deep.tif")
    with pytest.raises(ValueError, match="photo: " + re.escape(message)):
        read_photograph(Image.fromarray(values), argument="photo")


RED = (200, 30, 10)
OPAQUE = ["RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "P", "LAB"]


@pytest.mark.parametrize("mode", OPAQUE)
def test_every_mode_of_colour_shows_the_same_colour(mode):
    image = Image.new("RGB", (4, 3), RED)
    if mode == "RGBa":
        image = image.convert("RGBA")
    if mode == "LAB":
        profiles = [ImageCms.createProfile(space) for space in ("sRGB", "LAB")]
        image = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
    elif mode != "RGB":
        image = image.convert(mode, palette=Image.Palette.ADAPTIVE)
    found = read_photograph(image)
    assert (found.mode, found.size) == ("RGB", (4, 3))
    near(found.getpixel((2, 1)), RED, atol=9)


@pytest.mark.parametrize(("mode", "value", "expected"), [("1", 1, 255), ("L", 77, 77)])
def test_grey_modes(mode, value, expected):
    assert read_photograph(Image.new(mode, (2, 2), value)).getpixel((0, 0)) == (expected,) * 3


def transparent(mode):
    """An image that is black under full transparency but for one pixel, in several spellings."""
    image = Image.new("RGBA", (4, 3), (0, 0, 0, 0))
    image.putpixel((1, 1), (0, 0, 255, 255))
    if mode == "P":
        flat = Image.new("P", (4, 3), 0)
        flat.putpalette([0, 0, 0, 0, 0, 255])
        flat.putpixel((1, 1), 1)
        flat.info["transparency"] = 0
        return flat
    if mode in ("key", "L key"):
        flat = Image.new("RGB" if mode == "key" else "L", (4, 3))
        flat.putpixel((1, 1), (0, 0, 255) if mode == "key" else 29)
        flat.info["transparency"] = (0, 0, 0) if mode == "key" else 0
        return flat
    if mode == "La":
        return image.convert("LA").convert("La")
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA", "La", "PA", "P", "key", "L key"])
def test_colour_under_transparency_never_shows_and_it_is_said(mode):
    with pytest.warns(PhotographWarning, match="photo: has transparent parts; they are laid over #ffffff"):
        found = read_photograph(transparent(mode), argument="photo")
    assert found.getpixel((0, 0)) == (255, 255, 255)
    blue = found.getpixel((1, 1))
    assert blue in ((0, 0, 255), (29, 29, 29), (28, 28, 28))
    with pytest.warns(PhotographWarning):
        assert read_photograph(transparent(mode), background=(9, 8, 7)).getpixel((0, 0)) == (9, 8, 7)


@pytest.mark.parametrize("background", ["nocolour", (1, 2), (1, 2, 300), None, "#ff000080"])
def test_a_background_that_is_no_colour_is_refused(background):
    with pytest.raises(ValueError, match="background: found"):
        read_photograph(Image.new("RGB", (2, 2)), background=background)


def test_only_the_first_frame_is_read_and_it_is_said(tmp_path):
    frames = [Image.new("RGB", (4, 4), (value, 0, 0)) for value in (255, 0, 0)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    for name, count in (("a.gif", 2), ("a.tif", 3)):
        with pytest.warns(PhotographWarning, match=f"{name}: holds {count} frames; the first is read"):
            assert read_photograph(tmp_path / name).getpixel((0, 0)) == (255, 0, 0)


def test_it_stands_upright_and_the_callers_image_is_not_changed(tmp_path):
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "t.png", exif=exif)
    with Image.open(tmp_path / "t.png") as held:
        for source in (tmp_path / "t.png", held):
            found = read_photograph(source)
            assert found.size == (2, 4)
            assert found.getpixel((1, 0)) == (255, 255, 255)
        assert held.size == (4, 2)
        assert held.getexif()[0x0112] == 6


def test_damaged_exif_data_are_said_and_the_pixels_kept(tmp_path):
    Image.new("RGB", (4, 2), RED).save(tmp_path / "e.png", exif=b"Exif\0\0MM\0*\0\0\xff\xff")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert read_photograph(tmp_path / "e.png").getpixel((0, 0)) == RED


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "run.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for suffix in ("jpg", "png", "gif", "tif", "webp", "bmp"):
        Image.fromarray(noise).save(tmp_path / f"whole.{suffix}")
        data = (tmp_path / f"whole.{suffix}").read_bytes()
        (tmp_path / f"cut.{suffix}").write_bytes(data[: len(data) // 2])
    for path in [
        *tmp_path.glob("cut.*"),
        *(tmp_path / name for name in ("text.png", "empty.png", "run.eps")),
    ]:
        with pytest.raises(ValueError, match=re.escape(f"{path}: not an image that can be read: ")):
            read_photograph(path)
    with pytest.raises(ValueError, match="not a file"):
        read_photograph(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"missing\.png: there is no such file; accepted is"):
        read_photograph(tmp_path / "missing.png")
    with Image.open(tmp_path / "cut.jpg") as held, pytest.raises(ValueError, match="photo: not an image"):
        read_photograph(held, argument="photo")


def test_no_damaged_file_raises_anything_else(tmp_path):
    generator, path = np.random.default_rng(0), tmp_path / "x.png"
    values = generator.integers(0, 256, (16, 16, 3), np.uint8)
    for suffix in ("jpg", "png", "gif", "tif", "webp", "bmp", "jp2", "ico", "tga"):
        whole = tmp_path / f"whole.{suffix}"
        Image.fromarray(values).save(whole)
        for _ in range(30):
            data = bytearray(whole.read_bytes())
            for place in generator.integers(0, len(data), 8):
                data[place] = generator.integers(0, 256)
            path.write_bytes(data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    said = str(photograph_pixels(path).shape[0])
                except ValueError as error:
                    said = str(error)
            assert said == "3" or said.startswith(f"{path}: ")


def test_a_decompression_bomb_is_refused_before_it_goes_off(tmp_path):
    image = Image.new("1", (14000, 14000))
    image.save(tmp_path / "bomb.png")
    with pytest.raises(ValueError, match=r"bomb\.png: not an image that can be read: .*decompression bomb"):
        read_photograph(tmp_path / "bomb.png")


@pytest.mark.parametrize("size", [(0, 4), (4, 0)])
def test_an_image_without_pixels_is_refused(size):
    with pytest.raises(ValueError, match=f"image: found {size[0]}x{size[1]}, which holds no pixels"):
        photograph_pixels(Image.new("RGB", size))


def test_a_file_name_that_is_not_utf8_is_named_with_an_escape(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"caf\\xe9\.png: not an image") as caught:
        read_photograph(path)
    str(caught.value).encode("utf-8")


def test_eight_bits_stay_what_they_are():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = Image.fromarray(np.stack([values, values.T, values[::-1]], axis=2))
    assert read_photograph(image).tobytes() == image.tobytes()
    assert torch.equal(photograph_pixels(image)[0], torch.from_numpy(values) / 255)


def test_other_things_are_refused():
    with pytest.raises(TypeError, match="photo: found ndarray; accepted are a path and an image of PIL"):
        read_photograph(np.zeros((2, 2, 3)), argument="photo")
