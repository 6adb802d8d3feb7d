"""`corrupt`: any size and channel count, the same in every batch, and errors that name the argument."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wcam_widget import CORRUPTIONS, corrupt


def images(count=3, channels=3, height=40, width=56, seed=0):
    """Smooth random images, so that blurs and noise both change them."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, 7, 7, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear").clamp(0, 1)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_an_image_gets_the_same_in_every_batch(name):
    batch = images()
    together = corrupt(batch, name, 4, seed=3)
    apart = [corrupt(batch[i : i + 1], name, 4, seed=3, first=i) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(apart), rtol=0, atol=1e-5)
    torch.testing.assert_close(together, corrupt(batch, name, 4, seed=3), rtol=0, atol=0)
    torch.testing.assert_close(batch, images(), rtol=0, atol=0)  # they are left as they were


@pytest.mark.parametrize(
    "name", [name for name in CORRUPTIONS if "noise" in name or name in {"snow", "frost", "fog", "spatter"}]
)
def test_images_and_seeds_get_different_draws(name):
    same = images(1).expand(2, -1, -1, -1)
    one = corrupt(same, name, 4)
    assert not torch.equal(one[0], one[1])
    assert not torch.equal(one, corrupt(same, name, 4, seed=1))


@pytest.mark.parametrize("name", CORRUPTIONS)
@settings(max_examples=8)
@given(st.integers(16, 60), st.integers(16, 60), st.sampled_from([1, 2, 3, 5]), st.integers(1, 5))
def test_any_size_and_number_of_channels(name, height, width, channels, severity):
    batch = images(2, channels, height, width)
    made = corrupt(batch, name, severity)
    assert made.shape == batch.shape
    assert made.dtype == torch.float32
    assert bool(torch.isfinite(made).all())
    low, high = made.aminmax()
    assert float(low) >= 0.0
    assert float(high) <= 1.0


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severities_do_more_and_more(name):
    batch = images(4, 3, 96, 96)
    change = [float((corrupt(batch, name, severity) - batch).square().mean()) for severity in range(1, 6)]
    assert min(change) > 0 or name == "spatter"  # few drops may miss so small an image
    # Levels of some are published as other kinds of damage, not as more of it.
    if name not in {"elastic_transform", "frost", "saturate", "snow", "spatter", "glass_blur", "zoom_blur"}:
        assert change == sorted(change)


def test_blank_images_survive():
    for value in (0.0, 1.0):
        for name in CORRUPTIONS:
            made = corrupt(torch.full((1, 3, 32, 32), value), name, 5)
            assert bool(torch.isfinite(made).all()), name


def test_a_severity_looks_alike_at_every_size():
    small = images(1, 3, 112, 112)
    large = torch.nn.functional.interpolate(small, size=(224, 224), mode="bilinear")
    for name in ("gaussian_blur", "defocus_blur", "zoom_blur"):
        halved = torch.nn.functional.avg_pool2d(corrupt(large, name, 5), 2)
        torch.testing.assert_close(halved, corrupt(small, name, 5), rtol=0, atol=0.03)


def test_arrays_and_other_types_are_taken():
    pixels = np.random.default_rng(0).random((2, 20, 24, 3)).astype(np.float32)
    first = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    torch.testing.assert_close(corrupt(first.numpy(), "contrast"), corrupt(first, "contrast"))
    eight = (pixels * 255).astype(np.uint8)
    assert corrupt(eight, "contrast").shape == (2, 3, 20, 24)
    assert corrupt(first.double(), "contrast").dtype == torch.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"name": "gausian_noise"},
            "name: found 'gausian_noise'; did you mean 'gaussian_noise'? accepted are",
        ),
        ({"name": 3}, "name: found 3; accepted are gaussian_noise, shot_noise"),
        ({"severity": 0}, "severity: found 0; accepted are the integers 1 to 5"),
        ({"severity": 6}, "severity: found 6; accepted are the integers 1 to 5"),
        ({"severity": 2.0}, "severity: found 2.0; accepted are the integers 1 to 5"),
        ({"severity": True}, "severity: found True; accepted are the integers 1 to 5"),
        ({"seed": -1}, "seed: found -1; accepted is an integer of at least 0"),
        ({"first": 0.5}, "first: found 0.5; accepted is an integer of at least 0"),
        ({"images": torch.rand(3, 32, 32)}, "images: found shape (3, 32, 32) (one image: add a batch axis"),
        ({"images": torch.rand(0, 3, 32, 32)}, "images: found shape (0, 3, 32, 32); accepted is"),
        (
            {"images": torch.rand(1, 3, 15, 32)},
            "images: found 15x32 pixels; accepted are sides of at least 16",
        ),
        ({"images": torch.full((1, 3, 32, 32), 255.0)}, "images: found values in [255, 255]; divide by 255"),
        ({"images": torch.full((1, 3, 32, 32), torch.nan)}, "images: found 3072 NaN or infinite pixels"),
    ],
)
def test_errors_name_the_argument(changes, message, unchecked):
    arguments = {"images": torch.rand(1, 3, 32, 32), "name": "fog", "severity": 3} | changes
    with pytest.raises(ValueError, match=re.escape(message)):
        corrupt(**arguments)


def test_another_type_is_named():
    with pytest.raises(TypeError, match=r"images: found builtins\.dict"):
        corrupt({}, "fog")
