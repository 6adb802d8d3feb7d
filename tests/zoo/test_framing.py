"""`fit` of loaded models is the geometry of their source's own transform, for every source."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn
from transformers import (
    BeitConfig,
    BeitForImageClassification,
    BeitImageProcessorPil,
    ConvNextConfig,
    ConvNextForImageClassification,
    ConvNextImageProcessorPil,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessorPil,
)

from wcam_widget import load_model
from wcam_widget.model import ModelError
from wcam_widget.zoo.efficientnet import CentreCrop
from wcam_widget.zoo.preprocessing import read_transform

WIDE = Image.fromarray(data.chelsea())
TALL = WIDE.transpose(Image.Transpose.ROTATE_90)
PHOTOS = pytest.mark.parametrize("photo", [WIDE, TALL], ids=["451x300", "300x451"])


def vit():
    config = ViTConfig(
        image_size=64, patch_size=16, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2,
    )  # fmt: skip
    return ViTForImageClassification(config), ViTImageProcessorPil(size={"height": 64, "width": 64})


def beit():
    config = BeitConfig(
        image_size=64, patch_size=16, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, vocab_size=16,
    )  # fmt: skip
    sizes = {"size": {"height": 64, "width": 64}, "do_center_crop": False}
    return BeitForImageClassification(config), BeitImageProcessorPil(**sizes)


def convnext(side, crop_pct):
    net = ConvNextForImageClassification(ConvNextConfig(hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1]))
    colours = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    return net, ConvNextImageProcessorPil(size={"shortest_edge": side}, crop_pct=crop_pct, **colours)


@pytest.mark.parametrize(
    "make",
    [vit, beit, lambda: convnext(64, 0.875), lambda: convnext(384, 0.95)],
    ids=["ViT squashes", "BEiT squashes", "ConvNeXt crops", "ConvNeXt from 384 squashes"],
)
@PHOTOS
def test_transformers_processors(make, photo, tmp_path):
    net, processor = make()
    net.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    model = load_model(f"hf:{tmp_path}", device="cpu")
    expected = processor(images=photo, return_tensors="pt")["pixel_values"][0]
    image = model.fit(photo)
    assert image.shape[1:] == model.input_size == expected.shape[1:]
    assert 0 <= float(image.min()) < float(image.max()) <= 1
    torch.testing.assert_close(model.preprocess(image[None])[0], expected, rtol=0, atol=2e-5)


def preset(short, side, interpolation):
    """What torchvision's presets and timm's transforms do: the short side, the middle, the colours."""

    def transform(photo):
        width, height = photo.size
        scale = short / min(width, height)
        seen = photo.resize((round(width * scale), round(height * scale)), interpolation)
        left, top = (seen.width - side) // 2, (seen.height - side) // 2
        pixels = np.array(seen.crop((left, top, left + side, top + side)), np.float32) / 255
        mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
        return torch.from_numpy((pixels - mean) / std).permute(2, 0, 1)

    return transform


class Plain(nn.Module):
    """A network whose scores are the mean colours it is given."""

    def forward(self, images):
        return images.mean(dim=(2, 3))


@pytest.fixture
def libraries(monkeypatch):
    """The parts of torchvision and timm that are called; their transform is set by the test."""
    chosen = SimpleNamespace(transform=None)
    weights = SimpleNamespace(DEFAULT=SimpleNamespace(transforms=lambda: chosen.transform, meta={}))
    torchvision, timm = ModuleType("torchvision"), ModuleType("timm")
    torchvision.models = SimpleNamespace(
        get_model_weights=lambda name: weights, get_model=lambda name, weights: Plain()
    )
    timm.create_model = lambda name, pretrained: Plain()
    timm.data = SimpleNamespace(
        resolve_model_data_config=lambda net: {},
        create_transform=lambda is_training: chosen.transform,
        infer_imagenet_subset=lambda net: None,
    )
    monkeypatch.setitem(sys.modules, "torchvision", torchvision)
    monkeypatch.setitem(sys.modules, "timm", timm)
    return chosen


@pytest.mark.parametrize("source", ["torchvision", "timm"])
@pytest.mark.parametrize(
    "transform",
    [preset(256, 224, Image.Resampling.BILINEAR), preset(235, 224, Image.Resampling.BICUBIC)],
    ids=["short side 256, bilinear", "short side 235, bicubic"],
)
@PHOTOS
def test_torchvision_presets_and_timm_transforms(libraries, source, transform, photo):
    libraries.transform = transform
    model = load_model(f"{source}:plain", device="cpu")
    assert model.input_size == (224, 224)
    expected = transform(photo)
    torch.testing.assert_close(model.preprocess(model.fit(photo)[None])[0], expected, rtol=0, atol=2e-5)


@PHOTOS
def test_efficientnet(photo):
    model = load_model("efficientnet-lite0", device="cpu")
    expected = CentreCrop(224)(photo)
    torch.testing.assert_close(model.preprocess(model.fit(photo)[None])[0], expected, rtol=0, atol=2e-5)


@PHOTOS
def test_the_demo_sees_the_middle(photo):
    image = load_model("demo", device="cpu").fit(photo)
    assert image.shape == (3, 128, 128)
    side = min(photo.size)
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    middle = np.array(photo.crop((left, top, left + side, top + side)), float) / 255
    np.testing.assert_allclose(image.mean(dim=(1, 2)), middle.mean(axis=(0, 1)), atol=0.01)


def grey(photo):
    pixels = torch.from_numpy(np.array(photo.resize((32, 32)), np.float32)).permute(2, 0, 1) / 255
    return pixels.mean(dim=0, keepdim=True) * 2 - 1


def test_a_network_of_one_channel_sees_grey(libraries):
    libraries.transform = grey
    model = load_model("timm:plain", device="cpu")
    image = model.fit(WIDE)
    assert image.shape == (3, 32, 32)
    torch.testing.assert_close(image[0], image[2])
    torch.testing.assert_close(model.preprocess(image[None])[0], grey(WIDE), rtol=0, atol=2e-5)


def test_a_size_that_depends_on_the_photograph_is_left_open(libraries):
    def short_side(photo):
        scale = 64 / min(photo.size)
        seen = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        return torch.from_numpy(np.array(seen, np.float32)).permute(2, 0, 1) / 255

    libraries.transform = short_side
    model = load_model("timm:plain", device="cpu")
    assert model.input_size is None
    assert model.fit(WIDE).shape == (3, 64, 96)


def standardised(photo):
    pixels = torch.from_numpy(np.array(photo.resize((32, 32)), np.float32)).permute(2, 0, 1)
    return (pixels - pixels.mean()) / (pixels.std() + 1e-6)


def stretched(photo):
    pixels = torch.from_numpy(np.array(photo.resize((32, 32)), np.float32)).permute(2, 0, 1) / 255
    low, high = float(pixels.min()), float(pixels.max())
    return (pixels - low) / (high - low) if high > low else pixels


@pytest.mark.parametrize("transform", [standardised, stretched])
def test_colours_that_depend_on_the_whole_photograph_are_refused(transform):
    with pytest.raises(ValueError, match="name: the preprocessing of 'timm:odd' does more than resize"):
        read_transform(transform, "timm:odd")


def test_the_hint_at_a_wrong_size_names_fit(tmp_path):
    net, processor = vit()
    net.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    model = load_model(f"hf:{tmp_path}", device="cpu")
    with pytest.raises(
        ModelError, match=r"image: found 100x100 pixels, but the model takes 64x64; model\.fit"
    ):
        model.logits(torch.zeros(1, 3, 100, 100))
