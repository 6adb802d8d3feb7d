"""Preprocessing read by showing a transform plain colours."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from wcam_widget.zoo.preprocessing import read_transform


def pixels(image):
    return torch.from_numpy(np.array(image, dtype=np.float32) / 255).permute(2, 0, 1)


channel = st.floats(0.05, 2.0)


@given(mean=st.tuples(channel, channel, channel), std=st.tuples(channel, channel, channel))
def test_normalisation_is_read_whatever_mean_and_spread(mean, std):
    def transform(image):
        return (pixels(image.resize((24, 16))) - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[
            :, None, None
        ]

    colours, size = read_transform(transform, "here")
    photograph = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8))
    assert size == (16, 24)
    torch.testing.assert_close(
        colours(pixels(photograph)[None])[0], transform(photograph), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    ("transform", "name"),
    [
        (lambda image: pixels(image).flip(0) * 255, "swapped channels in 0 to 255"),
        (lambda image: pixels(image).mean(dim=0, keepdim=True) - 0.5, "one grey channel"),
    ],
)
def test_swapped_and_merged_channels_are_read_and_the_size_is_open(transform, name):
    colours, size = read_transform(transform, name)
    photograph = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8))
    assert size is None
    torch.testing.assert_close(
        colours(pixels(photograph)[None])[0], transform(photograph), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "transform",
    [
        lambda image: pixels(image) ** 2.2,
        lambda image: pixels(ImageOps.expand(image, 8)),
        lambda image: pixels(image)[None],
    ],
    ids=["gamma", "padding", "batch"],
)
def test_a_transform_that_does_more_is_refused(transform):
    with pytest.raises(
        ValueError, match=re.escape("name: the preprocessing of 'timm:odd' does more than resize")
    ):
        read_transform(transform, "timm:odd")
