"""Positions of a layer are read as places only where they follow the image."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from transformers import ConvNextConfig, ConvNextForImageClassification, ViTConfig, ViTForImageClassification

from wcam_widget import BlackBox, GradCam, Sise, load_model, load_photos
from wcam_widget.model.layers import find_layer

IMAGE = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(1))


class Attending(nn.Module):
    """Attention of tokens to others, as a module with an answer of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(width, 2, batch_first=True)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, others: Tensor) -> Tensor:
        return self.norm(tokens + self.attend(tokens, others, others, need_weights=False)[0])


class Latents(nn.Module):
    """A Perceiver: learned latents look at a convolutional stem, then at each other."""

    def __init__(self, count: int = 16, *, as_picture: bool = False) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.stem = nn.Conv2d(3, 16, 4, 4)
        self.latents = nn.Parameter(torch.randn(1, count, 16))
        self.read, self.mix = Attending(16), Attending(16)
        self.place = nn.Unflatten(2, (4, 4)) if as_picture else None
        self.last = nn.Conv2d(16, 16, 3, padding=1) if as_picture else None
        self.head = nn.Linear(16, 3)

    def forward(self, images: Tensor) -> Tensor:
        seen = self.stem(images).flatten(2).movedim(1, 2)
        latents = self.read(self.latents.expand(len(images), -1, -1), seen)
        latents = self.mix(latents, latents)
        if self.place is not None:
            return self.head(self.last(self.place(latents.movedim(1, 2))).mean((2, 3)))
        return self.head(latents.mean(1))


class Registers(nn.Module):
    """A vision transformer whose extra tokens stand before, behind or around those of the patches."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.stem = nn.Conv2d(3, 16, 8, 8)
        self.first, self.last = nn.Parameter(torch.randn(before, 16)), nn.Parameter(torch.randn(after, 16))
        self.block = Attending(16)
        self.head = nn.Linear(16, 3)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.stem(images).flatten(2).movedim(1, 2)
        extra = (part.expand(len(images), -1, -1) for part in (self.first, self.last))
        before, after = extra
        tokens = torch.cat([before, patches, after], 1)
        return self.head(self.block(tokens, tokens).mean(1))


class Shuffled(Registers):
    """The same with its patches in another order."""

    def forward(self, images: Tensor) -> Tensor:
        patches = self.stem(images).flatten(2).movedim(1, 2)
        order = torch.randperm(patches.shape[1], generator=torch.Generator().manual_seed(0))
        tokens = patches[:, order]
        return self.head(self.block(tokens, tokens).mean(1))


@pytest.mark.parametrize("name", ["read", "mix", "read.norm"])
def test_learned_latents_are_no_map(name):
    with pytest.raises(
        ValueError, match=f"layer: '{name}' answers with positions that do not follow.*use Wcam"
    ):
        GradCam(name)(Latents(), IMAGE[None], [0])


@pytest.mark.parametrize(
    "net", [Latents(), Latents(64), Latents(4), Shuffled(0, 0)], ids=lambda net: str(net)[:8]
)
def test_auto_goes_back_to_the_last_layer_of_places(net):
    assert find_layer(BlackBox(net), "auto", IMAGE).name == "stem"


def test_latents_that_are_laid_out_as_a_picture_are_no_map_either():
    net = Latents(as_picture=True)
    assert find_layer(BlackBox(net), "auto", IMAGE).name == "stem"
    with pytest.raises(ValueError, match="layer: 'last' answers with positions that do not follow the image"):
        find_layer(BlackBox(net), "last", IMAGE)
    with pytest.raises(ValueError, match="layers: 'last' answers with positions"):
        Sise(["stem", "last"])(net, IMAGE[None], [0])


class Pooled(nn.Module):
    """Nothing but latents: no module answers with places."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.stem = nn.Linear(192, 16)
        self.seeds = nn.Parameter(torch.randn(1, 16, 16))
        self.pool = Attending(16)
        self.head = nn.Linear(16, 3)

    def forward(self, images: Tensor) -> Tensor:
        parts = images.flatten(1).unflatten(1, (64, 192))[
            :, torch.randperm(64, generator=torch.manual_seed(0))
        ]
        return self.head(self.pool(self.seeds.expand(len(images), -1, -1), self.stem(parts)).mean(1))


def test_a_network_of_nothing_else_is_refused_and_the_way_out_is_named():
    with pytest.raises(ValueError, match=r"layer: 'auto' finds no layer of places.* use Wcam"):
        GradCam()(Pooled(), IMAGE[None], [0])
    with pytest.raises(ValueError, match=r"layers: 'auto' finds no layer .* Wcam"):
        Sise()(Pooled(), IMAGE[None], [0])


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 1), (1, 4), (5, 0), (0, 5), (2, 2)])
def test_extra_tokens_are_told_from_places_wherever_they_stand(before, after):
    layer = find_layer(BlackBox(Registers(before, after)), "block", IMAGE)
    assert layer.layout.grid == (8, 8)
    assert (layer.layout.extra, layer.layout.after) == (before, after)


@pytest.mark.parametrize("batch_size", [1, 2, 32])
@pytest.mark.parametrize(
    "preprocess", [lambda b: b, lambda b: b.flip(-1), lambda b: b.transpose(2, 3), lambda b: b[..., 16:, 16:]]
)
def test_places_are_found_whatever_is_done_to_the_image(batch_size, preprocess):
    model = BlackBox(Registers(1, 0), preprocess, batch_size=batch_size)
    layer = find_layer(model, "block", IMAGE)
    assert (layer.layout.extra, layer.layout.after) == (1, 0)


def test_transformers_and_modern_convolutions_are_maps():
    torch.manual_seed(0)
    vit = ViTConfig(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=16,
        image_size=64, patch_size=8, num_labels=4,
    )  # fmt: skip
    convnext = ConvNextConfig(num_channels=3, depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_labels=4)
    for net in (ViTForImageClassification(vit), ConvNextForImageClassification(convnext)):
        layer = find_layer(BlackBox(net), "auto", IMAGE)
        assert layer.layout.grid in ((8, 8), (2, 2))


class Squeezing(nn.Module):
    """A convolutional network whose channels are scaled by means over the image: squeeze and excite."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Sigmoid())
        self.last = nn.Conv2d(8, 8, 3, 2, 1)
        self.head = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        stem = self.stem(images)
        return self.head(self.last(stem * self.squeeze(stem)).mean((2, 3)))


def test_means_over_the_image_on_the_way_do_no_harm():
    assert find_layer(BlackBox(Squeezing()), "auto", IMAGE).name == "last"


class Rectified(nn.Module):
    """A padded convolutional network with one rectifier, which lets little of a place through at its end."""

    def __init__(self, *, by_vector: bool) -> None:
        super().__init__()
        torch.manual_seed(6)
        self.pad = nn.ZeroPad2d(2)
        self.stem, self.last = nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 8, 3, 2)
        self.gate = nn.Linear(8, 8)
        self.rectify = nn.ReLU()
        self.by_vector = by_vector
        self.head = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        stem = self.rectify(self.stem(self.pad(images)))
        if self.by_vector:
            stem = stem * self.gate(stem.mean((2, 3)))[:, :, None, None]
        last = self.last(stem)
        return self.head(self.rectify(last.mean((2, 3), keepdim=True) + 0 * last).mean((2, 3)))


def test_a_padded_convolutional_network_needs_no_evidence():
    layer = find_layer(BlackBox(Rectified(by_vector=False)), "auto", IMAGE)
    assert (layer.name, layer.layout.grid, layer.sure) == ("rectify", (16, 16), True)


def test_auto_goes_back_past_a_module_that_is_run_at_several_sizes():
    assert find_layer(BlackBox(Rectified(by_vector=True)), "auto", IMAGE).name == "last"


@pytest.mark.parametrize("name", load_photos())
def test_the_last_stage_of_a_real_network_on_photographs(name):
    model = load_model("efficientnet-lite0")
    layer = find_layer(model, "auto", model.fit(load_photos()[name]))
    assert (layer.name, layer.layout.grid) == ("_swish", (7, 7))
