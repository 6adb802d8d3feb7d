"""Blocks of networks, found by resolution alone, against what is published of which layers there are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    MobileNetV2Config,
    MobileNetV2ForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

from wcam_widget import BlackBox, load_demo
from wcam_widget.model import ModelError
from wcam_widget.model.blocks import block_layers
from wcam_widget.model.layers import LayerCapture, capture, capture_all, find_layer


def found(net: nn.Module, side: int) -> list[tuple[str, int, int]]:
    """Name, channels and side of each block's layer."""
    model, image, captured = BlackBox(net), torch.rand(3, side, side), list[LayerCapture]()
    layers = block_layers(model, image)
    capture_all(model, layers, image[None], [None], captured.extend)
    assert all(
        each.activations.shape[2:] == layer.layout.grid for each, layer in zip(captured, layers, strict=True)
    )
    return [
        (layer.name, each.activations.shape[1], layer.layout.grid[0])
        for layer, each in zip(layers, captured, strict=True)
    ]


class Bottleneck(nn.Module):
    def __init__(self, into: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, width, 1)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1)
        self.conv3 = nn.Conv2d(width, 4 * width, 1)
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(count) for count in (width, width, 4 * width))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Conv2d(into, 4 * width, 1, stride) if into != 4 * width else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        inner = self.relu(self.bn1(self.conv1(features)))
        inner = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(inner)))))
        return self.relu(inner + self.downsample(features))


class ResNet(nn.Module):
    """The layout of a ResNet with bottlenecks, as He et al. (2016) publish it."""

    def __init__(self, depths=(3, 4, 6, 3)) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3)
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        into = 64
        for number, (depth, width) in enumerate(zip(depths, (64, 128, 256, 512), strict=True), 1):
            first = Bottleneck(into, width, 1 if number == 1 else 2)
            into = 4 * width
            rest = (Bottleneck(into, width, 1) for _ in range(depth - 1))
            self.add_module(f"layer{number}", nn.Sequential(first, *rest))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(into, 5)

    def forward(self, images: Tensor) -> Tensor:
        features = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for number in range(1, 5):
            features = self.get_submodule(f"layer{number}")(features)
        return self.fc(self.avgpool(features).flatten(1))


def vgg16() -> nn.Module:
    torch.manual_seed(0)
    steps, into = [], 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            steps += [nn.Conv2d(into, width, 3, padding=1), nn.ReLU(inplace=True)]
            into = width
        steps.append(nn.MaxPool2d(2))
    return nn.Sequential(nn.Sequential(*steps), nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(25088, 5))


@pytest.mark.parametrize("depths", [(3, 4, 6, 3), (1, 1, 1, 1)])
def test_bottlenecks_that_halve_keep_their_first_convolution_to_themselves(depths):
    stages = [("layer1", 256, 16), ("layer2", 512, 8), ("layer3", 1024, 4), ("layer4", 2048, 2)]
    assert found(ResNet(depths), 64) == [("relu", 64, 32), *stages]  # 3904 maps, as the paper says


def test_vgg_gives_the_layers_before_pooling():
    layers = found(vgg16(), 64)
    assert [name for name, _, _ in layers] == ["0.3", "0.8", "0.15", "0.22", "0.29"]
    assert [(channels, side) for _, channels, side in layers] == [
        (64, 64), (128, 32), (256, 16), (512, 8), (512, 4),
    ]  # fmt: skip
    assert sum(channels for _, channels, _ in layers) == 1472


class DenseLayer(nn.Module):
    def __init__(self, into: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(into, 16, 1), nn.Conv2d(16, 4, 3, padding=1)

    def forward(self, features: list[Tensor]) -> Tensor:
        return self.conv2(self.conv1(torch.cat(features, 1)).relu())


class DenseBlock(nn.ModuleList):
    def forward(self, features: Tensor) -> Tensor:
        parts = [features]
        for layer in self:
            parts.append(layer(parts))
        return torch.cat(parts, 1)


def test_dense_blocks_end_before_their_transition():
    torch.manual_seed(0)
    stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    transition = nn.Sequential(nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 8, 1), nn.AvgPool2d(2))
    blocks = [DenseBlock([DenseLayer(8), DenseLayer(12)]) for _ in range(2)]
    features = nn.Sequential(*stem, blocks[0], transition, blocks[1], nn.BatchNorm2d(16))
    net = nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert found(net, 64) == [("0.2", 8, 32), ("0.4", 16, 16), ("0", 16, 8)]


def test_pooling_inside_of_a_module_does_not_hide_its_block():
    torch.manual_seed(0)
    steps = [
        nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)) for i, o in ((3, 8), (8, 4))
    ]
    assert found(nn.Sequential(nn.Sequential(*steps), nn.Flatten()), 32) == [
        ("0.0.1", 8, 32),
        ("0.1.1", 4, 16),
    ]


def test_convolutions_without_padding_are_one_block():
    torch.manual_seed(0)
    stem = nn.Conv2d(3, 4, 5), nn.ReLU(), nn.Conv2d(4, 6, 5), nn.ReLU(), nn.MaxPool2d(2)
    net = nn.Sequential(*stem, nn.Conv2d(6, 8, 3), nn.Conv2d(8, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert found(net, 40) == [("3", 6, 32), ("6", 8, 12)]


def test_modules_that_are_run_again_stand_for_their_last_run():
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, 2, 1)
            self.act = nn.ReLU()

        def forward(self, images: Tensor) -> Tensor:
            return self.act(self.second(self.act(self.first(images)))).mean((2, 3))

    assert found(Shared(), 32) == [("first", 4, 32), ("act", 8, 16)]


def test_parts_of_an_image_handed_on_as_a_batch_are_no_maps():
    class Windowed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.first, self.inner = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1)

        def forward(self, images: Tensor) -> Tensor:
            quarters = torch.cat(
                [part for half in self.first(images).chunk(2, 2) for part in half.chunk(2, 3)]
            )
            return self.inner(quarters).reshape(4, len(images), 4, -1).mean((0, 3))

    assert found(Windowed(), 16) == [("first", 4, 16)]
    with pytest.raises(ValueError, match=r"'inner' answers with shape \(4, 4, 8, 8\), which is no map"):
        find_layer(BlackBox(Windowed()), "inner", torch.rand(3, 16, 16))


def test_layers_without_a_say_are_passed_over():
    class Branched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.aside = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, images: Tensor) -> Tensor:
            features = self.first(images)
            self.aside(features)
            return features.mean((2, 3))

    assert found(Branched(), 16) == [("first", 4, 16)]


TRANSFORMERS = {
    "resnet-50": (
        lambda: ResNetForImageClassification(ResNetConfig(num_labels=5)),
        [("embedder.embedder", 64, 32)] + [(f"encoder.stages.{k}", 256 << k, 16 >> k) for k in range(4)],
    ),
    "resnet, basic": (
        lambda: ResNetForImageClassification(
            ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
        ),
        [("embedder.embedder", 8, 32)] + [(f"encoder.stages.{k}", 8 << k, 16 >> k) for k in range(2)],
    ),
    "mobilenet": (
        lambda: MobileNetV2ForImageClassification(MobileNetV2Config(num_labels=5)),
        [("conv_stem", 16, 32)]
        + [(f"layer.{k}", c, s) for k, c, s in ((1, 24, 16), (4, 32, 8), (11, 96, 4))]
        + [("conv_1x1", 1280, 2)],  # 1448 maps
    ),
    "convnext": (
        lambda: ConvNextForImageClassification(
            ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1], num_labels=5)
        ),
        [(f"encoder.stages.{k}", 8 + 8 * k, 16 >> k) for k in range(4)],
    ),
    "swin": (
        lambda: SwinForImageClassification(
            SwinConfig(image_size=64, embed_dim=8, depths=[1, 2, 1], num_heads=[1, 2, 4], window_size=4)
        ),
        [
            ("layernorm_after", 8, 16),
            ("layernorm_after", 16, 8),
            ("layernorm", 32, 4),
        ],
    ),
    "vit": (
        lambda: ViTForImageClassification(
            ViTConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=16,
                image_size=64,
            )
        ),
        [("layernorm_before", 16, 4)],
    ),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_networks_of_transformers(name):
    torch.manual_seed(0)
    make, expected = TRANSFORMERS[name]
    layers = found(make(), 64)
    assert [layer[1:] for layer in layers] == [layer[1:] for layer in expected]
    for (layer, *_), (ending, *_) in zip(layers, expected, strict=True):
        assert layer.endswith(ending)


def test_the_demo_has_four_blocks_and_is_left_as_found():
    model, images, _, _ = load_demo()
    layers = block_layers(model, images[0])
    assert [str(layer) for layer in layers] == [
        "stem_norm (64x64)", "blocks.0 (32x32)", "blocks.1 (16x16)", "blocks (8x8)",
    ]  # fmt: skip
    assert not any(module._forward_hooks for module in model.net.modules())


def test_layers_captured_together_are_those_captured_alone():
    model, images, _, _ = load_demo()
    layers, together, alone = block_layers(model, images[0]), list[LayerCapture](), list[LayerCapture]()
    capture_all(model, layers, images[:1], [2], together.extend)
    for layer in layers:
        capture(model, layer, images[:1], [2], alone.append)
    for one, other in zip(together, alone, strict=True):
        assert torch.equal(one.activations, other.activations)
        torch.testing.assert_close(one.slopes, other.slopes)
        assert bool(one.slopes.any())


def test_networks_without_blocks_are_told():
    with pytest.raises(ValueError, match="layers: 'auto' finds no layer"):
        block_layers(BlackBox(nn.Sequential(nn.Flatten(), nn.Linear(48, 2))), torch.rand(3, 4, 4))
    with pytest.raises(ModelError, match="a plain callable has no layers"):
        block_layers(BlackBox(lambda images: images.mean((2, 3))), torch.rand(3, 4, 4))
