"""Images at the door."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wcam_widget.model import ensure_image, ensure_images


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_float_arrays_come_back_as_float32_with_the_same_values(dtype, channels):
    found = np.random.default_rng(0).random((channels, 5, 7)).astype(dtype)
    image = ensure_image(found)
    assert image.dtype == torch.float32
    np.testing.assert_array_equal(image.numpy(), found.astype(np.float32))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_float_tensors_come_back_detached_in_float32(dtype):
    found = torch.rand(2, 3, 4, 4).to(dtype).requires_grad_()
    images = ensure_images(found)
    assert images.dtype == torch.float32
    assert not images.requires_grad
    assert torch.equal(images, found.detach().float())


def test_a_view_with_negative_strides_and_a_read_only_array_are_taken():
    flipped = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 3, 4)[:, ::-1, ::-1]
    assert torch.equal(ensure_image(flipped), torch.from_numpy(flipped.copy()))
    locked = np.full((1, 2, 2), 0.25, dtype=np.float32)
    locked.flags.writeable = False
    assert float(ensure_image(locked).sum()) == 1.0


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy], ids=["array", "tensor"])
@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (bool, 1)])
def test_whole_numbers_are_divided_by_their_full_range(kind, dtype, full):
    values = np.random.default_rng(0).integers(0, full + 1, (3, 5, 7)).astype(dtype)
    for found in (kind(values), kind(values)[None], kind(np.ascontiguousarray(values.transpose(1, 2, 0)))):
        np.testing.assert_allclose(ensure_image(found), values.astype(float) / full, atol=1e-7)
    np.testing.assert_allclose(
        ensure_images(kind(values[None])), values[None].astype(float) / full, atol=1e-7
    )


def test_channels_may_be_last_where_that_is_clear():
    values = np.random.default_rng(0).random((2, 5, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(ensure_images(values), values.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(ensure_image(torch.from_numpy(values[0])), values[0].transpose(2, 0, 1))
    assert ensure_image(np.zeros((3, 9, 3))).shape == (3, 9, 3)  # floats are (C, H, W) as documented


def test_rounding_is_clamped():
    found = ensure_image(np.array([[[1.0000001, 1.0001, -1e-4, 0.25]]]))
    assert found.flatten().tolist() == [1.0, 1.0, 0.0, 0.25]


def test_photographs_and_lists_of_them(tmp_path):
    image = Image.new("RGB", (5, 4), (255, 51, 0))
    image.save(tmp_path / "p.png")
    for source in (image, tmp_path / "p.png", str(tmp_path / "p.png")):
        found = ensure_image(source)
        assert found.shape == (3, 4, 5)
        assert found[:, 0, 0].tolist() == pytest.approx([1.0, 0.2, 0.0])
        assert torch.equal(ensure_images(source), found[None])
    mixed = ensure_images([image, np.asarray(image), torch.zeros(3, 4, 5)])
    assert torch.equal(mixed[0], mixed[1])
    assert ensure_image(image, fit=lambda photo: torch.zeros(3, *photo.size)).shape == (3, 5, 4)


@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_every_value_in_the_unit_interval_is_accepted_and_kept(low, high):
    kept = ensure_image(np.array([[[low, high]]]))
    assert kept.flatten().tolist() == np.array([low, high], dtype=np.float32).tolist()


NAN = np.full((3, 4, 4), 0.5)
NAN[1, 2, 3] = np.nan
BAD_IMAGES = {
    "int64": (torch.zeros(3, 4, 4, dtype=torch.int64), "photo: found dtype int64; accepted"),
    "int8": (np.zeros((3, 4, 4), np.int8), "photo: found dtype int8; accepted"),
    "uint32": (torch.zeros(3, 4, 4, dtype=torch.uint32), "photo: found dtype uint32; accepted"),
    "complex": (np.zeros((3, 4, 4), complex), "photo: found dtype complex128; accepted"),
    "batch": (np.zeros((2, 3, 4, 4)), "found shape (2, 3, 4, 4) (a batch: give one image, e.g. images[0])"),
    "grey without channels": (
        np.zeros((4, 4)),
        "found shape (4, 4) (no channel axis: add one, e.g. image[None])",
    ),
    "channels at either end": (
        np.zeros((3, 9, 3), np.uint8),
        "found shape (3, 9, 3), of which either end may be the channels",
    ),
    "transparency": (np.zeros((8, 9, 4), np.uint8), "(transparency: Image.fromarray makes an image of PIL"),
    "five channels": (np.zeros((5, 4, 4)), "photo: found 5 channels in shape (5, 4, 4)"),
    "no pixels": (np.zeros((3, 0, 4)), "found shape (3, 0, 4), which holds no pixels"),
    "0 to 65535": (np.full((3, 4, 4), 4e4), "photo: found values in [4e+04, 4e+04]; divide by 65535"),
    "just above 1": (np.full((3, 4, 4), 1.0002), "photo: found values in [1.0002, 1.0002]; accepted"),
    "just below 0": (np.full((3, 4, 4), -2e-4), "photo: found values in [-0.0002, -0.0002]; accepted"),
    "0 to 255": (np.full((3, 4, 4), 200.0), "photo: found values in [200, 200]; divide by 255"),
    "-1 to 1": (np.linspace(-1, 1, 48).reshape(3, 4, 4), "photo: found values in [-1, 1]; accepted"),
    "NaN": (NAN, "photo: found 1 NaN or infinite pixels, the first at index (1, 2, 3)"),
    "infinite": (
        torch.full((1, 1, 2), torch.inf),
        "found 2 NaN or infinite pixels, the first at index (0, 0, 0)",
    ),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_a_bad_image_is_named_with_what_was_found_and_what_is_accepted(case):
    image, message = BAD_IMAGES[case]
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        ensure_image(image, "photo")
    assert re.search(
        r"a float tensor or array \(C, H, W\) with C = 1|give floats \(C, H, W\)", str(caught.value)
    )


def test_what_is_no_batch_is_refused():
    with pytest.raises(
        ValueError, match=re.escape("images: found shape (3, 4, 4) (one image: add a batch axis")
    ):
        ensure_images(np.zeros((3, 4, 4)))
    with pytest.raises(ValueError, match="images: found an empty list"):
        ensure_images([])
    with pytest.raises(ValueError, match=re.escape("found shape (3, 4, 4) first and (3, 4, 5) at 1")):
        ensure_images([np.zeros((3, 4, 4)), np.zeros((3, 4, 5))])
    with pytest.raises(TypeError, match=re.escape("images[1]: found builtins.int")):
        ensure_images([np.zeros((3, 4, 4)), 3])
    with pytest.raises(TypeError, match=re.escape("image: found builtins.list; accepted is a float tensor")):
        ensure_image([[0.0]])
