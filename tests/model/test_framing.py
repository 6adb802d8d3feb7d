"""`BlackBox.fit` without a source that says how, and what is said of images of the wrong size."""

import copy
import re

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import nn

from wcam_widget.model import BlackBox, ModelError
from wcam_widget.model.randomise import replica

PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))


def test_without_a_size_a_photograph_keeps_its_own_and_its_depth(tmp_path):
    model = BlackBox(nn.Flatten())
    torch.testing.assert_close(model.fit(PHOTO), torch.from_numpy(np.array(PHOTO)).permute(2, 0, 1) / 255)
    deep = np.linspace(0, 65535, 12).astype(np.uint16).reshape(3, 4)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    torch.testing.assert_close(model.fit(tmp_path / "deep.png")[0], torch.from_numpy(deep / 65535).float())


def test_with_a_size_the_middle_is_seen():
    model = BlackBox(nn.Flatten())
    model.input_size = (12, 16)
    expected = np.array(ImageOps.fit(PHOTO, (16, 12), Image.Resampling.BICUBIC))
    torch.testing.assert_close(model.fit(PHOTO), torch.from_numpy(expected).permute(2, 0, 1) / 255)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, replica, lambda model: BlackBox.ensure(model, "model", ("a", "b"))],
    ids=["copy", "replica", "names"],
)
def test_copies_see_photographs_the_same_way(copied):
    model = BlackBox(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)))
    model.input_size, model.framing = (2, 2), lambda photo: torch.full((3, 2, 2), 0.25)
    made = copied(model)
    assert made.input_size == (2, 2)
    assert float(made.fit(PHOTO).mean()) == 0.25


def test_a_network_is_asked_about_photographs_as_it_sees_them(tmp_path):
    model = BlackBox(lambda images: images.flatten(2)[..., :2].mean(2), class_names=("r", "g", "b"))
    model.input_size = (8, 12)
    PHOTO.save(tmp_path / "photo.png")
    expected = model(model.fit(PHOTO))
    for photo in (PHOTO, tmp_path / "photo.png", [PHOTO]):
        assert torch.equal(model(photo), expected)
    assert dict(model.top(PHOTO, 3)) == dict(zip(model.class_names, expected[0].tolist(), strict=True))


def test_what_is_no_photograph_is_refused_by_name():
    with pytest.raises(TypeError, match="photo: found Tensor; accepted are a path and an image of PIL"):
        BlackBox(nn.Flatten()).fit(torch.zeros(3, 4, 4))


class Fixed(nn.Module):
    """A network that takes 224x224 and nothing else."""

    def forward(self, images):
        if images.shape[-2:] != (224, 224):
            raise ValueError("wrong size")
        return images.mean(dim=(2, 3))


@pytest.mark.parametrize("size", [(100, 100), (300, 451)])
def test_an_image_of_the_wrong_size_is_named_with_the_right_one(size):
    model = BlackBox(Fixed())
    model.input_size = (224, 224)
    said = f"image: found {size[0]}x{size[1]} pixels, but the model takes 224x224; model.fit(photo)"
    with pytest.raises(ModelError, match=re.escape(said)):
        model.logits(torch.zeros(1, 3, *size))
    model.input_size = None
    with pytest.raises(ModelError, match="wrong size") as caught:
        model.logits(torch.zeros(1, 3, *size))
    assert "image: found" not in str(caught.value)
