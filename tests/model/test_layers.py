"""Layers: found by module, name or itself, read as maps, and left as they were."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import SwinConfig, SwinForImageClassification, ViTConfig, ViTForImageClassification

from wcam_widget.model import BlackBox, ModelError
from wcam_widget.model.layers import LayerCapture, capture, find_layer
from wcam_widget.model.layout import layout_of


class Net(nn.Module):
    """A CNN whose in-place ReLU follows the layer the tests look at."""

    def __init__(self, inplace: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.last = nn.Conv2d(6, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=inplace)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(4, 3)
        self.unused = nn.Conv2d(3, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        features = self.pool(self.act(self.last(self.stem(images).tanh())))
        return self.head(features.mean((2, 3)))


def captured(net: nn.Module, name: str, images: Tensor, target: int = 0, **asked) -> list[LayerCapture]:
    model, found = BlackBox(net, **asked), []
    capture(model, find_layer(model, name, images[0]), images, [target] * len(images), found.append)
    return found


IMAGES = torch.rand(3, 3, 12, 8, generator=torch.Generator().manual_seed(1))


def test_in_place_operations_after_the_layer_change_nothing():
    (dirty,), (clean,) = captured(Net(), "last", IMAGES), captured(Net(inplace=False), "last", IMAGES)
    assert float(clean.activations.min()) < 0
    assert torch.equal(dirty.activations, clean.activations)
    assert torch.equal(dirty.slopes, clean.slopes)
    assert bool((dirty.slopes == 0).any())  # the ReLU's own gradient has been passed through


def test_gradients_are_those_of_each_image_by_hand():
    net = Net(inplace=False)
    (found,) = captured(net, "last", IMAGES, 2)
    answer = net.last(net.stem(IMAGES).tanh())
    answer.retain_grad()
    net.head(net.pool(net.act(answer)).mean((2, 3)))[:, 2].sum().backward()
    torch.testing.assert_close(found.activations, answer.detach())
    torch.testing.assert_close(found.slopes, answer.grad)


def test_batches_give_what_single_images_give():
    (whole,) = captured(Net(), "last", IMAGES)
    parts = captured(Net(), "last", IMAGES, batch_size=2)
    assert [part.start for part in parts] == [0, 2]
    torch.testing.assert_close(torch.cat([part.slopes for part in parts]), whole.slopes)


def test_frozen_parameters_work_and_the_network_is_as_found():
    net = Net().train()
    net.requires_grad_(requires_grad=False)
    frozen = {name: parameter.clone() for name, parameter in net.named_parameters()}
    (found,) = captured(net, "stem", IMAGES)
    assert bool(found.slopes.any())
    assert all(module.training for module in net.modules())
    assert not any(module._forward_hooks or module._backward_hooks for module in net.modules())
    for name, parameter in net.named_parameters():
        assert parameter.grad is None
        assert not parameter.requires_grad
        assert torch.equal(parameter, frozen[name])


def test_hooks_go_when_the_network_raises():
    class Failing(Net):
        def forward(self, images: Tensor) -> Tensor:
            self.stem(images)
            raise RuntimeError("out of order")

    net = Failing()
    with pytest.raises(ModelError, match="out of order"):
        find_layer(BlackBox(net), "stem", IMAGES[0])
    assert not any(module._forward_hooks for module in net.modules())


def test_hooks_go_when_the_caller_raises():
    net = Net()
    model = BlackBox(net)
    layer = find_layer(model, "last", IMAGES[0])

    def refuse(_found: LayerCapture) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        capture(model, layer, IMAGES, [None] * 3, refuse)
    assert not any(module._forward_hooks for module in net.modules())


def test_works_inside_of_inference_mode_and_no_grad():
    net = Net()
    (expected,) = captured(net, "last", IMAGES)
    for mode in (torch.inference_mode, torch.no_grad):
        with mode():
            (found,) = captured(net, "last", IMAGES.clone())
        torch.testing.assert_close(found.slopes, expected.slopes)


def test_networks_that_torch_compiled_are_looked_into():
    net = Net()
    compiled = torch.compile(net, backend="eager")
    BlackBox(compiled).logits(IMAGES)
    (found,), (expected,) = captured(compiled, "last", IMAGES), captured(net, "last", IMAGES)
    assert torch.equal(found.slopes, expected.slopes)


def test_layers_that_are_run_more_than_once_count_their_last_run():
    class Repeating(Net):
        def forward(self, images: Tensor) -> Tensor:
            features = self.act(self.last(self.act(self.stem(images))))
            return self.head(features.mean((2, 3)))

    net = Repeating(inplace=False)
    (found,) = captured(net, "act", IMAGES)
    assert torch.equal(found.activations, net.last(net.stem(IMAGES).relu()).relu())


def test_answers_inside_of_tuples_are_read():
    class Several(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, images: Tensor) -> tuple[Tensor, None]:
            return self.conv(images), None

    class Net2(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.stage = Several()

        def forward(self, images: Tensor) -> Tensor:
            return torch.relu_(self.stage(images)[0]).mean((2, 3))

    net = Net2()
    (inside,), (outside,) = captured(net, "stage.conv", IMAGES), captured(net, "stage", IMAGES)
    assert float(outside.activations.min()) < 0
    assert torch.equal(inside.activations, outside.activations)
    assert torch.equal(inside.slopes, outside.slopes)
    assert find_layer(BlackBox(net), "auto", IMAGES[0]).name == "stage.conv"


def test_auto_is_the_last_stage_before_pooling():
    net = Net()
    layer = find_layer(BlackBox(net), "auto", IMAGES[0])
    assert layer.name == "act"
    assert layer.layout.grid == (12, 8)
    assert find_layer(BlackBox(net), net.last, IMAGES[0]).name == "last"


def test_auto_passes_over_what_the_score_does_not_depend_on():
    class Branched(Net):
        def forward(self, images: Tensor) -> Tensor:
            scores = super().forward(images)
            self.unused(images)
            return scores

    assert find_layer(BlackBox(Branched()), "auto", IMAGES[0]).name == "act"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "lst",
            r"layer: 'lst' is no module that net runs; did you mean 'last'.* and stem \(12x8\), last",
        ),
        (
            "head",
            r"layer: 'head' answers with shape \(1, 3\), which is no map .*accepted are 'auto' and stem",
        ),
        ("unused", "layer: 'unused' is no module that net runs"),
        (nn.Conv2d(3, 3, 1), "layer: this Conv2d is not inside of net"),
    ],
)
def test_layers_that_do_not_serve_are_refused_with_the_candidates(asked, message):
    with pytest.raises(ValueError, match=message):
        find_layer(BlackBox(Net()), asked, IMAGES[0])


def test_wrong_kinds_of_layer_and_network_are_refused():
    with pytest.raises(TypeError, match="layer: found int"):
        find_layer(BlackBox(Net()), 4, IMAGES[0])
    with pytest.raises(ModelError, match="a plain callable has no layers"):
        find_layer(BlackBox(lambda images: images.mean((2, 3))), "auto", IMAGES[0])
    with pytest.raises(ValueError, match="'auto' finds no layer"):
        find_layer(BlackBox(nn.Sequential(nn.Flatten(), nn.Linear(288, 2))), "auto", IMAGES[0])


def test_a_score_without_a_path_to_the_layer_is_told():
    class Cut(Net):
        def forward(self, images: Tensor) -> Tensor:
            return self.head(self.last(self.stem(images)).detach().mean((2, 3)))

    with pytest.raises(ModelError, match="no gradient path to 'stem'"):
        captured(Cut(), "stem", IMAGES)


@pytest.mark.parametrize(
    ("shape", "size", "order", "grid", "extra"),
    [
        ((1, 2048, 7, 7), (224, 224), "channels first", (7, 7), 0),
        ((1, 7, 7, 768), (224, 224), "channels last", (7, 7), 0),
        ((1, 7, 7, 8), (224, 224), "channels last", (7, 7), 0),
        ((1, 64, 8, 10), (256, 320), "channels first", (8, 10), 0),
        ((1, 197, 192), (224, 224), "tokens", (14, 14), 1),
        ((1, 261, 192), (224, 224), "tokens", (16, 16), 5),
        ((1, 49, 768), (224, 224), "tokens", (7, 7), 0),
        ((1, 1 + 14 * 20, 192), (224, 320), "tokens", (14, 20), 1),
    ],
)
def test_shapes_tell_how_answers_lie(shape, size, order, grid, extra):
    layout = layout_of(shape, size)
    assert (layout.order, layout.grid, layout.extra) == (order, grid, extra)


@pytest.mark.parametrize("shape", [(1, 5), (1, 100, 256), (1, 64, 1, 30), (1, 3, 400, 400), (1, 64, 12, 3)])
def test_shapes_that_are_no_maps(shape):
    assert layout_of(shape, (224, 224)) is None


def test_known_grids_tell_tokens_that_whole_patches_would_not():
    assert layout_of((1, 15 * 20 + 1, 8), (250, 330)) is None
    assert layout_of((1, 15 * 20 + 1, 8), (250, 330), [(15, 20)]).grid == (15, 20)
    assert layout_of((1, 8 * 10, 8), (250, 330), [(15, 20)]).grid == (8, 10)


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 3))
def test_tokens_keep_their_places(rows, columns, extra):
    picture = torch.arange(rows * columns).float().reshape(1, 1, rows, columns)
    tokens = torch.cat([torch.full((1, extra, 1), -1.0), picture.flatten(2).movedim(1, 2)], 1)
    layout = layout_of(tokens.shape, (rows * 16, columns * 16), [(rows, columns)])
    if layout.extra == extra:
        assert torch.equal(layout.spatial(tokens, (rows * 16, columns * 16)), picture)
    larger = tokens.new_zeros(1, layout.extra + 4 * layout.positions, 1)
    assert layout.spatial(larger, (rows * 32, columns * 32)).shape[2:] == (
        2 * layout.grid[0],
        2 * layout.grid[1],
    )


def test_tokens_that_make_no_grid_are_told():
    layout = layout_of((1, 50, 8), (224, 224))
    with pytest.raises(ValueError, match="layer: 47 tokens make no grid over an input of 224x224"):
        layout.spatial(torch.zeros(1, 48, 8), (224, 224))


@pytest.fixture(scope="module")
def transformers_nets() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    vit = ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        image_size=64, patch_size=16, num_labels=4,
    )  # fmt: skip
    swin = SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1], num_heads=[1, 2, 4], window_size=4,
        num_labels=4,
    )  # fmt: skip
    return {"vit": ViTForImageClassification(vit), "swin": SwinForImageClassification(swin)}


@pytest.mark.parametrize(
    ("kind", "expected", "grid"), [("vit", "layernorm_before", (4, 4)), ("swin", "layernorm", (4, 4))]
)
def test_transformers_give_maps_on_which_the_score_depends(transformers_nets, kind, expected, grid):
    model, image = BlackBox(transformers_nets[kind]), torch.rand(1, 3, 64, 64)
    layer = find_layer(model, "auto", image[0])
    assert layer.name.endswith(expected)
    assert layer.layout.grid == grid
    found: list[LayerCapture] = []
    capture(model, layer, image, [1], found.append)
    assert found[0].slopes.shape[2:] == grid
    assert bool(found[0].slopes.any())
