"""Grad-CAM and its kin against captum, closed forms, and nets that are hard to look into."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import nn

from wcam_widget import Attribution, BlackBox, Margin
from wcam_widget.explain.cam.gradcam import TITLES, GradCam
from wcam_widget.model import ModelError


def toy(slopes=((1.0, -2.0),), *, bias: float = 0.0) -> nn.Module:
    """Two channels, the image's red and green, and scores linear in their means."""
    conv = nn.Conv2d(3, 2, 1)
    head = nn.Linear(2, len(slopes))
    with torch.no_grad():
        conv.weight.copy_(torch.eye(3)[:2, :, None, None])
        conv.bias.zero_()
        head.weight.copy_(torch.tensor(slopes))
        head.bias.fill_(bias)
    return nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


PICTURES = torch.rand(4, 3, 6, 8, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("layer", "target"), [("conv1", 2), ("conv2", 0), ("conv2", 4), ("conv3", 1), ("conv3", 3)]
)
def test_agrees_with_captum(tiny, image, layer, target):
    images = torch.stack([image, image.flip(2), 1 - image])
    found = GradCam(layer)(tiny, images, [target] * 3)
    raw = LayerGradCam(tiny, getattr(tiny, layer)).attribute(images, target=target, relu_attributions=True)
    expected = LayerAttribution.interpolate(raw, (64, 64), "bilinear").detach().numpy()[:, 0]
    assert expected.max() > 0
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine.spatial(), theirs, atol=1e-6, rtol=0)


def test_each_variant_in_closed_form():
    red, green = PICTURES[0, 0], PICTURES[0, 1]
    positions, a, b = red.numel(), 1.0, 2.0  # slopes of the score by the means
    net, expected = toy(((a, b),)), {}
    expected["gradcam"] = (a * red + b * green) / positions
    expected["hirescam"] = expected["layercam"] = expected["gradcam"]
    # Constant gradients g: alpha = 1 / (2 + g * sum of activations), the weight is alpha * g * positions.
    expected["gradcam++"] = sum(
        slope * channel / (2 + slope / positions * channel.sum()) for slope, channel in ((a, red), (b, green))
    )
    expected["xgradcam"] = expected["gradcam"]
    for variant, heat in expected.items():
        (found,) = GradCam("0", variant)(net, PICTURES[:1], [0])
        np.testing.assert_allclose(found.spatial(), heat.numpy(), rtol=1e-5, err_msg=variant)


def test_negative_gradients_tell_the_variants_apart():
    red, green = PICTURES[0, 0], PICTURES[0, 1]
    (plain,) = GradCam("0")(toy(), PICTURES[:1], [0])
    np.testing.assert_allclose(plain.spatial(), (red - 2 * green).relu().numpy() / 48, atol=1e-7)
    (layer,) = GradCam("0", "layercam")(toy(), PICTURES[:1], [0])
    np.testing.assert_allclose(layer.spatial(), red.numpy() / 48, atol=1e-7)


def test_mean_and_pointwise_gradients_differ_where_the_head_knows_places(image):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 5, 4), nn.Flatten(), nn.Linear(4 * 15 * 15, 2))
    maps = {name: GradCam("0", name)(net, image[None], [1])[0].spatial() for name in TITLES}
    answers = net[0](image[None]).detach()[0]
    gradients = net[2].weight[1].detach().reshape(4, 15, 15)
    by_hand = (answers * gradients).sum(0).relu()[None, None]
    by_hand = nn.functional.interpolate(by_hand, (64, 64), mode="bilinear")[0, 0]
    np.testing.assert_allclose(maps["hirescam"], by_hand.numpy(), atol=1e-6)
    assert all(not np.allclose(maps["hirescam"], maps[name]) for name in TITLES if name != "hirescam")


def test_score_cam_weights_channels_by_the_score_of_what_they_show():
    net = toy(((4.0, -1.0),))
    (found,) = GradCam("0", "scorecam")(net, PICTURES[:1], [0])
    channels = PICTURES[0, :2]
    low, high = channels.amin((1, 2), keepdim=True), channels.amax((1, 2), keepdim=True)
    scores = net(PICTURES[:1] * ((channels - low) / (high - low))[:, None])[:, 0]
    expected = (scores.softmax(0)[:, None, None] * channels).sum(0).detach().numpy()
    np.testing.assert_allclose(found.spatial(), expected, atol=1e-6)
    assert (found.evaluations, found.gradients, found.planned) == (3, 0, 3)


def test_score_cam_leaves_constant_channels_out():
    constant = PICTURES[:1].clone()
    constant[:, 1] = 0.5
    (found,) = GradCam("0", "scorecam")(toy(), constant, [0])
    np.testing.assert_allclose(found.spatial(), constant[0, 0].numpy(), atol=1e-6)
    (empty,) = GradCam("0", "scorecam")(toy(), torch.full((1, 3, 6, 8), 0.5), [0])
    assert not empty.values.any()
    assert empty.stop.startswith("the map is zero everywhere")


@pytest.mark.parametrize("variant", list(TITLES))
def test_batches_equal_single_images_with_a_target_each(tiny, image, variant):
    images, targets = torch.stack([image, image.flip(1), image.flip(2)]), [0, "dog", None]
    model = BlackBox(tiny, class_names=["ant", "bee", "cat", "dog", "eel"], batch_size=2)
    together = GradCam("conv2", variant)(model, images, targets)
    assert len({one.values.tobytes() for one in together}) == 3
    for number, (one, picture, target) in enumerate(zip(together, images, targets, strict=True)):
        (alone,) = GradCam("conv2", variant).steps(model, picture, target)
        np.testing.assert_allclose(one.values, alone.values, rtol=1e-4, atol=1e-6, err_msg=str(number))
        assert one.target == alone.target
        assert one.score == pytest.approx(alone.score, abs=1e-5)
    assert together[1].target == "logit of dog"


def test_any_target(model, image):
    (margin,) = GradCam("conv3", "hirescam")(model, image[None], [Margin(0, 3)])
    logits = model.logits(image[None])[0]
    assert margin.score == pytest.approx(float(logits[0] - logits[3]), abs=1e-5)
    assert margin.target == "margin of ant over dog"


@pytest.mark.parametrize("variant", list(TITLES))
def test_all_zero_maps_are_zero_and_say_so(variant):
    black = torch.zeros(1, 3, 6, 8)
    (found,) = GradCam("0", variant)(toy(), black, [0])
    assert np.array_equal(found.values, np.zeros(48))
    assert found.stop == "the map is zero everywhere; the map is computed"
    assert found.complete


def test_the_attribution_tells_what_it_is(model, image, tmp_path):
    (found,) = GradCam()(model, image[None])
    assert found.method == "GradCam · conv3 (8x8)"
    assert (found.evaluations, found.gradients, found.done, found.planned) == (1, 1, 3, 3)
    np.testing.assert_array_equal(found.packed(), found.spatial())
    np.testing.assert_array_equal(found.low, found.values)
    assert np.isnan(found.slope).all()
    assert np.isnan(found.profile().total).all()
    with pytest.raises(ValueError, match="needs independent replicates"):
        found.intervals()
    again = Attribution.load(found.save(tmp_path / "map"))
    np.testing.assert_array_equal(again.values, found.values)
    assert (again.method, again.stop) == (found.method, found.stop)


def test_bad_arguments_are_named(model, image):
    with pytest.raises(ValueError, match=r"variant='eigencam' is unknown; gradcam, gradcam\+\+, hirescam"):
        GradCam(variant="eigencam")
    with pytest.raises(ValueError, match="targets has 1 entries for 2 images"):
        GradCam()(model, torch.stack([image, image]), [0])
    with pytest.raises(ValueError, match="target: class id 9 is out of range"):
        GradCam()(model, image[None], [9])
    with pytest.raises(ModelError, match="a plain callable has no layers"):
        GradCam()(lambda images: images.mean((2, 3)), image[None])
