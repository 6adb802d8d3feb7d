"""Images at the door."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

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


@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_every_value_in_the_unit_interval_is_accepted_and_kept(low, high):
    kept = ensure_image(np.array([[[low, high]]]))
    assert kept.flatten().tolist() == np.array([low, high], dtype=np.float32).tolist()


NAN = np.full((3, 4, 4), 0.5)
NAN[1, 2, 3] = np.nan
BAD_IMAGES = {
    "uint8": (np.zeros((3, 4, 4), np.uint8), "photo: found dtype uint8; divide by 255"),
    "int64": (torch.zeros(3, 4, 4, dtype=torch.int64), "photo: found dtype int64; accepted"),
    "bool": (np.zeros((3, 4, 4), bool), "photo: found dtype bool; accepted"),
    "complex": (np.zeros((3, 4, 4), complex), "photo: found dtype complex128; accepted"),
    "batch": (np.zeros((1, 3, 4, 4)), "found shape (1, 3, 4, 4) (a batch: give one image, e.g. images[0])"),
    "grey without channels": (
        np.zeros((4, 4)),
        "found shape (4, 4) (no channel axis: add one, e.g. image[None])",
    ),
    "channels last": (
        np.zeros((8, 9, 3)),
        "looks channels-last; move the channels first, e.g. image.transpose(2, 0, 1)",
    ),
    "five channels": (np.zeros((5, 4, 4)), "photo: found 5 channels in shape (5, 4, 4)"),
    "no pixels": (np.zeros((3, 0, 4)), "found shape (3, 0, 4), which holds no pixels"),
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
    assert "a float tensor or array (C, H, W) with C = 1 or 3 and values in [0, 1]" in str(caught.value)


def test_a_single_image_given_as_a_batch_and_a_list_are_refused():
    with pytest.raises(
        ValueError, match=re.escape("images: found shape (3, 4, 4) (one image: add a batch axis")
    ):
        ensure_images(np.zeros((3, 4, 4)))
    with pytest.raises(ValueError, match=re.escape("e.g. image.transpose(0, 3, 1, 2)")):
        ensure_images(np.zeros((2, 4, 4, 3)))
    with pytest.raises(TypeError, match=re.escape("image: found builtins.list; accepted is a float tensor")):
        ensure_image([[0.0]])
