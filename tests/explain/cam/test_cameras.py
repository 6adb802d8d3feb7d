"""CAMERAS against the recorded maps of its published code, and on what that code does not bear."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from transformers import SwinConfig, SwinForImageClassification, ViTConfig, ViTForImageClassification

from wcam_widget import BlackBox
from wcam_widget.explain.cam import cameras
from wcam_widget.explain.cam.cameras import Cameras
from wcam_widget.model import ModelError
from wcam_widget.model.field_of_view import FieldOfView

SIZES = (64, 96, 128, 160)


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).parents[2] / "reference" / "cameras.npz", allow_pickle=False) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def clouds() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(64, 3, 6, 6, generator=generator)
    return interpolate(coarse, (64, 64), mode="bilinear") * torch.rand(64, 3, 1, 1, generator=generator)


@pytest.fixture(scope="module")
def undecided(tiny, clouds) -> nn.Module:
    """The tiny network with its classes level on average, so that little decides between them."""
    net = copy.deepcopy(tiny)
    with torch.no_grad():
        net.head.bias -= torch.cat([tiny(resized(clouds, side)) for side in SIZES]).mean(0)
    return net


@pytest.fixture(scope="module")
def wavering(undecided, clouds) -> Tensor:
    """Images whose top class changes with the input size, each at sizes of its own."""
    with torch.no_grad():
        tops = torch.stack([undecided(resized(clouds, side)).argmax(1) for side in SIZES], 1)
    same = tops == tops[:, :1]
    places = {tuple(row): place for place, row in enumerate(same.tolist())}
    assert {sum(row) for row in places} >= {1, 2, 3, 4}
    return clouds[list(places.values())]


def resized(images: Tensor, side: int) -> Tensor:
    if side == images.shape[2]:
        return images
    return interpolate(images, (side, side), mode="bicubic", align_corners=False)


def by_hand(net: nn.Module, layer: str, image: Tensor, target: int | None) -> np.ndarray:
    """The paper's equations on whole stacks, one size after another."""
    stacks, first = [[], []], None
    for side in SIZES:
        held = []
        handle = getattr(net, layer).register_forward_hook(
            lambda _m, _i, answer, held=held: held.append(answer)
        )
        logits = net(resized(image[None], side))[0]
        handle.remove()
        top = int(logits.argmax())
        first = top if first is None else first
        if target is None and top != first:
            continue
        (slope,) = torch.autograd.grad(logits[first if target is None else target], held[0])
        for stack, part in zip(stacks, (held[0].detach(), slope), strict=True):
            stack.append(interpolate(part, (64, 64), mode="bilinear", align_corners=False)[0])
    heat = (torch.stack(stacks[0]).mean(0) * torch.stack(stacks[1]).mean(0)).sum(0).relu()
    return ((heat - heat.min()) / (heat.max() - heat.min())).numpy()


@pytest.mark.parametrize("layer", ["conv2", "conv3"])
@pytest.mark.parametrize(("name", "target"), [("none", None), ("c0", 0), ("c3", 3)])
def test_equals_the_published_code_in_every_recorded_case(model, image, reference, layer, name, target):
    (found,) = Cameras(layer, sizes=tuple(reference["sizes"].tolist()))(model, image[None], [target])
    np.testing.assert_allclose(found.spatial(), reference[f"{layer}.{name}"], atol=1e-5, rtol=0)
    assert found.values.max() == pytest.approx(1.0)


@pytest.mark.parametrize("target", [None, 1])
def test_equals_the_equations_where_sizes_disagree(undecided, wavering, target):
    found = Cameras("conv3", SIZES)(undecided, wavering, None if target is None else [target] * len(wavering))
    counted = [one.stop for one in found]
    for one, picture in zip(found, wavering, strict=True):
        expected = by_hand(undecided, "conv3", picture, target)
        np.testing.assert_allclose(one.spatial(), np.nan_to_num(expected), atol=1e-5)
        assert one.stop.startswith("the map is zero") == bool(np.isnan(expected).any())
    assert (len(set(counted)) > 1) == (target is None)


def test_consistency_says_which_sizes_count(undecided, wavering):
    def counts(rule: str, target: int | None) -> set[int]:
        found = Cameras("conv3", SIZES, consistency=rule)(undecided, wavering, [target] * len(wavering))
        return {int(one.stop.split(" of ")[0].split("; ")[-1]) for one in found}

    assert counts("official", 1) == counts("all", None) == {4}
    assert counts("strict", 1) == counts("strict", None) == counts("official", None)
    assert min(counts("strict", 1)) < 4


def test_batches_equal_single_images(undecided, wavering, monkeypatch):
    monkeypatch.setattr(cameras, "GROUP", 2)
    images = torch.cat([wavering, wavering.flip(2)])
    targets = [None, 2, *[None] * (len(images) - 2)]
    together = Cameras("conv2", SIZES)(BlackBox(undecided, batch_size=3), images, targets)
    for one, picture, target in zip(together, images, targets, strict=True):
        *_, alone = Cameras("conv2", SIZES).steps(undecided, picture, target)
        np.testing.assert_allclose(one.values, alone.values, atol=2e-5)
        assert (one.target, one.stop) == (alone.target, alone.stop)


@pytest.mark.parametrize("chunk", [1, 5, 16, 1000])
def test_chunks_of_channels_change_nothing(tiny, image, chunk):
    (whole,) = Cameras("conv3", SIZES, chunk=24)(tiny, image[None], [0])
    (parts,) = Cameras("conv3", SIZES, chunk=chunk)(tiny, image[None], [0])
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-6)


def test_never_more_than_a_chunk_is_stretched_over_the_image(tiny, image, monkeypatch):
    stretched, over = [], FieldOfView.over

    def watched(view: FieldOfView, stack: Tensor) -> Tensor:
        stretched.append(len(stack))
        return over(view, stack)

    monkeypatch.setattr(FieldOfView, "over", watched)
    Cameras("conv3", (64,), chunk=10)(tiny, image[None], [0])
    assert stretched == [10, 10, 10, 10, 4, 4]  # activations, then gradients


def test_steps_give_the_map_of_the_sizes_so_far(tiny, image):
    steps = list(Cameras("conv3", SIZES).steps(tiny, image, 0))
    assert [one.done for one in steps] == [3, 6, 9, 12]
    assert [one.complete for one in steps] == [False, False, False, True]
    assert {one.planned for one in steps} == {12}
    assert [one.stop for one in steps] == ["", "", "", "4 of 4 input sizes count"]
    for number, one in enumerate(steps, 1):
        (alone,) = Cameras("conv3", SIZES[:number])(tiny, image[None], [0])
        np.testing.assert_allclose(one.values, alone.values, atol=1e-6)


def test_rectangular_images_keep_their_aspect(tiny):
    image = torch.rand(3, 48, 72, generator=torch.Generator().manual_seed(2))
    asked = []
    net = nn.Sequential(tiny)
    net.register_forward_pre_hook(lambda _m, given: asked.append(tuple(given[0].shape[2:])))
    (found,) = Cameras("0.conv3", (48, 64))(net, image[None], [0])
    assert asked == [(48, 72), (48, 72), (64, 96)]  # the first looks for the layer
    assert found.spatial().shape == (48, 72)


def test_default_sizes_are_the_published_ones():
    assert Cameras().input_sizes((224, 224)) == [(side, side) for side in range(224, 1000, 100)]
    assert Cameras().input_sizes((64, 64))[:2] == [(64, 64), (93, 93)]


def test_inputs_are_resized_as_asked(tiny, image):
    seen = []
    net = nn.Sequential(tiny)
    net.register_forward_pre_hook(lambda _m, given: seen.append(given[0].detach()))
    Cameras("0.conv3", (64, 96), interpolation="bilinear")(net, image[None], [0])
    expected = interpolate(image[None], (96, 96), mode="bilinear", align_corners=False)
    torch.testing.assert_close(seen[-1], expected)


@pytest.mark.parametrize("image", [torch.zeros(3, 8, 8), torch.full((3, 8, 8), 0.5)])
def test_maps_without_a_difference_are_zero_and_say_so(image):
    conv = nn.Conv2d(3, 2, 1, bias=False)
    nn.init.ones_(conv.weight)
    net = nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    (found,) = Cameras("0", (8, 16))(net, image[None], [0])
    assert np.array_equal(found.values, np.zeros(64))
    assert found.stop == "the map is zero everywhere; 2 of 2 input sizes count"


def test_the_network_is_as_found(tiny, image):
    net = nn.Sequential(tiny).train()
    net.requires_grad_(requires_grad=False)
    try:
        (found,) = Cameras("0.conv3", (64, 96))(net, image[None], [0])
        assert found.values.any()
        assert all(module.training for module in net.modules())
        assert not any(module._forward_hooks for module in net.modules())
        assert all(parameter.grad is None for parameter in net.parameters())
    finally:
        net.requires_grad_()
        net.eval()


def test_networks_of_one_input_size_are_told():
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, image_size=32,
        patch_size=8, num_labels=3,
    )  # fmt: skip
    vit = ViTForImageClassification(config).eval()
    image = torch.rand(1, 3, 32, 32)
    with pytest.raises(ModelError, match="sizes: the network was shown 46x46 after 32x32, and does not take"):
        Cameras()(vit, image)
    (found,) = Cameras(sizes=(32,))(vit, image)
    assert found.spatial().shape == (32, 32)
    (larger,) = Cameras(sizes=(32, 48))(interpolating(vit), image, [1])
    assert larger.stop.endswith("2 of 2 input sizes count")


def interpolating(vit: nn.Module) -> nn.Module:
    class Interpolating(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vit = vit

        def forward(self, images: Tensor) -> Tensor:
            return self.vit(images, interpolate_pos_encoding=True).logits

    return Interpolating()


def test_a_preprocess_that_undoes_the_sizes_is_told(tiny, image):
    model = BlackBox(tiny, preprocess=lambda images: interpolate(images, (64, 64)))
    with pytest.raises(
        ModelError, match=r"shown 96x96 after 64x64.* preprocess brings both to the same size"
    ):
        Cameras("conv3", SIZES)(model, image[None])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"sizes": ()}, r"sizes=\(\) must be None or positive"),
        ({"sizes": (64, 0)}, r"sizes=\(64, 0\) must be None or positive"),
        ({"interpolation": "nearest"}, "interpolation='nearest' is unknown; bicubic, bilinear are known"),
        ({"consistency": "some"}, "consistency='some' is unknown; official, all, strict are known"),
        ({"chunk": 0}, "chunk=0 must be a positive number of channels"),
    ],
)
def test_bad_parameters_are_named(asked, message):
    with pytest.raises(ValueError, match=message):
        Cameras(**asked)


def test_bad_images_and_targets_are_named(tiny, image):
    with pytest.raises(ValueError, match="targets has 2 entries for 1 images"):
        Cameras("conv3", SIZES)(tiny, image[None], [0, 1])
    with pytest.raises(ValueError, match="target: class id 7 is out of range"):
        Cameras("conv3", SIZES)(tiny, image[None], [7])


def test_an_interrupt_returns_what_was_done(tiny, image, monkeypatch):
    monkeypatch.setattr(cameras, "GROUP", 1)
    passes = []

    def interrupt(_module, _given) -> None:
        passes.append(1)
        if len(passes) == 5:  # the layer is looked for, two sizes of the first image, one of the second
            raise KeyboardInterrupt

    net = nn.Sequential(tiny)
    net.register_forward_pre_hook(interrupt)
    with pytest.warns(UserWarning, match="interrupted: 2 of 3 images are returned"):
        first, second = Cameras("0.conv3", (64, 96))(net, torch.stack([image] * 3), [0] * 3)
    assert first.complete
    assert not second.complete
    assert second.stop.startswith("interrupted")


@pytest.mark.parametrize("size", [(50, 75), (64, 100)])
def test_networks_that_pad_their_last_patches_take_other_sizes(size):
    torch.manual_seed(0)
    config = SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1], num_heads=[1, 2, 4], window_size=4,
        num_labels=4,
    )  # fmt: skip
    sides = tuple(min(size) + more for more in (0, 7, 14, 21, 45))
    (found,) = Cameras(sizes=sides)(SwinForImageClassification(config).eval(), torch.rand(1, 3, *size), [1])
    assert found.stop.endswith("5 of 5 input sizes count")
    assert found.spatial().shape == size
