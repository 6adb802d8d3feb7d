"""SISE against the paper's phases carried out mask by mask, and on nets that are hard to look into."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from skimage.filters import threshold_otsu
from torch import Tensor, nn
from torch.nn.functional import interpolate
from transformers import SwinConfig, SwinForImageClassification

from tests.explain.toys import PICTURE, linear
from wcam_widget import BlackBox, Logit, Margin, Probability, load_demo
from wcam_widget.explain.cam.gradcam import GradCam
from wcam_widget.explain.cam.sise import Sise
from wcam_widget.model import Custom, ModelError

LAYERS = ("conv1", "conv2", "conv3")


def by_hand(net: nn.Module, image: Tensor, target: int, hidden: Tensor, share: float = 0.0) -> np.ndarray:
    """The four phases in float64 on whole stacks of masks, the gradient that of the probability itself."""
    net, image, hidden = copy.deepcopy(net).double(), image.double(), hidden.double()
    answers: list[Tensor] = []
    handles = [
        getattr(net, name).register_forward_hook(lambda _m, _g, answer: answers.append(answer))
        for name in LAYERS
    ]
    probability = net(image[None]).softmax(1)[0, target]
    for handle in handles:
        handle.remove()
    whole = None
    for answer, slope in zip(answers, torch.autograd.grad(probability, answers), strict=True):
        gains = slope[0].mean((1, 2))
        kept = answer[0, (gains > share * gains.max()) & (gains > 0)].detach()
        masks = interpolate(kept[None], image.shape[1:], mode="bilinear", align_corners=False)[0]
        low, high = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
        masks = (masks - low) / (high - low)
        with torch.no_grad():
            scores = net(masks[:, None] * image + (1 - masks[:, None]) * hidden).softmax(1)[:, target]
        heat = (scores[:, None, None] * masks / masks.sum((1, 2), keepdim=True)).mean(0)
        heat = (heat - heat.min()) / (heat.max() - heat.min())
        whole = heat if whole is None else (whole + heat) * (heat > threshold_otsu(heat.numpy()))
    return whole.numpy()


@pytest.mark.parametrize("target", [1, 3])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_equals_the_phases_carried_out_mask_by_mask(tiny, image, target, share):
    (found,) = Sise(LAYERS, threshold=share)(tiny, image[None], [target])
    mean = image.mean((1, 2), keepdim=True)
    expected = by_hand(tiny, image, target, mean, share)
    close = np.isclose(found.spatial(), expected, atol=1e-4)
    assert close.mean() > 0.999  # a pixel at a threshold may fall on either side of it
    assert expected.max() > 1
    (black,) = Sise(LAYERS, threshold=share, baseline="black")(tiny, image[None], [target])
    expected = by_hand(tiny, image, target, torch.zeros_like(mean), share)
    assert np.isclose(black.spatial(), expected, atol=1e-4).mean() > 0.999


def test_a_linear_model_in_closed_form():
    red, green = PICTURE[0], PICTURE[1]
    expected = 0
    for channel in (red, green):
        mask = (channel - channel.min()) / (channel.max() - channel.min())
        score = 1.0 * (red * mask).mean() + 2.0 * (green * mask).mean()
        expected = expected + score * mask / mask.sum()
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    (found,) = Sise("0", baseline="black")(linear(), PICTURE[None], [Logit(0)])
    np.testing.assert_allclose(found.spatial(), expected.numpy(), atol=1e-5)
    assert found.score == pytest.approx(float(red.mean() + 2 * green.mean()))
    assert found.target == "score"
    assert found.unit == "Sise: sum of the layers' maps, each in [0, 1]"


def counts(found) -> dict[str, int]:
    parts = found.stop.split("maps scored: ")[1].split(";")[0].split(", ")
    return {part.split(" ")[0]: int(part.split(" ")[1]) for part in parts}


def test_ada_sise_scores_fewer_masks(tiny, image):
    (every,), (fewer,) = Sise(LAYERS)(tiny, image[None]), Sise.adaptive(LAYERS)(tiny, image[None])
    assert all(counts(fewer)[name] <= counts(every)[name] for name in LAYERS)
    assert all(counts(fewer).values())
    assert fewer.evaluations < every.evaluations
    assert fewer.method.startswith("AdaSise · 3 layers, conv1 (32x32) to conv3 (8x8)")


@pytest.mark.parametrize("fusion", ["hard", "soft"])
def test_chunks_and_batches_change_nothing(tiny, image, fusion):
    (whole,) = Sise(LAYERS, fusion=fusion)(tiny, image[None], [2])
    for chunk, batch_size in ((1, 32), (3, 2), (5, 3)):
        model = BlackBox(tiny, batch_size=batch_size)
        (found,) = Sise(LAYERS, fusion=fusion, chunk=chunk)(model, image[None], [2])
        assert np.isclose(found.spatial(), whole.spatial(), atol=1e-3).mean() > 0.999
        assert found.stop == whole.stop


def test_it_streams_from_the_deepest_block_to_the_shallowest(tiny, image):
    steps = list(Sise(LAYERS, chunk=4).steps(tiny, image, 1))
    assert len(steps) > 4
    assert len({step.planned for step in steps}) == 1
    assert [step.complete for step in steps] == [False] * (len(steps) - 1) + [True]
    assert [step.stop for step in steps[:-1]] == [""] * (len(steps) - 1)
    assert [step.done for step in steps] == sorted({step.done for step in steps})
    assert steps[-1].done == steps[-1].planned
    assert steps[0].evaluations == 2 + 4
    deepest = [step for step in steps if step.values.max() == 1]  # one block alone is not more than 1
    assert deepest == steps[: len(deepest)]
    *_, alone = Sise("conv3", chunk=4).steps(tiny, image, 1)
    np.testing.assert_allclose(deepest[-1].values, alone.values, atol=1e-6)


def test_a_class_is_explained_by_its_probability_and_a_target_as_it_is(model, image):
    images = image[None]
    (top,), (named,), (logit,) = (Sise("conv3")(model, images, [t]) for t in (None, "dog", Logit("dog")))
    probabilities = model.logits(images)[0].softmax(0)
    assert top.score == pytest.approx(float(probabilities.max()), abs=1e-6)
    assert (named.target, logit.target) == ("probability of dog", "logit of dog")
    (same,) = Sise("conv3")(model, images, [Probability(3)])
    np.testing.assert_array_equal(same.values, named.values)
    (margin,) = Sise("conv3")(model, images, [Margin(0, 3)])
    assert margin.target == "margin of ant over dog"


def test_a_single_score_is_a_probability_where_the_sigmoid_is_named():
    net = linear(((1.0, 2.0),))
    (label,) = Sise("0")(BlackBox(net, activation="sigmoid"), PICTURE[None])
    (score,) = Sise("0")(net, PICTURE[None])
    logit = net(PICTURE[None])
    assert label.score == pytest.approx(float(logit.sigmoid()))
    assert score.score == pytest.approx(float(logit))
    assert counts(label) == counts(score) == {"0": 2}


def test_logits_choose_by_their_own_gradient():
    net = linear(((1.0, 3.0), (2.0, 1.0)))  # of the first class both channels raise the logit
    both, one = (Sise("0", select_on=on)(net, PICTURE[None], [0])[0] for on in ("logit", "score"))
    assert (counts(both), counts(one)) == ({"0": 2}, {"0": 1})
    with pytest.raises(ValueError, match="select_on='logit' needs a class; 'evidence' has none"):
        Sise("0", select_on="logit")(net, PICTURE[None], [Custom(lambda logits: logits.sum(1), "evidence")])


def test_certainty_does_not_take_the_gradients_away():
    net = linear(((3000.0, 1.0), (1.0, 3000.0)))
    for target in (0, 1):
        assert float(net(PICTURE[None]).softmax(1)[0, target]) in {0.0, 1.0}
        (found,) = Sise("0")(net, PICTURE[None], [target])
        assert counts(found) == {"0": 1}


def test_layers_without_a_positive_map_are_left_out_and_told():
    net = nn.Sequential(linear()[0], nn.Conv2d(2, 1, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([-1.0, -2.0]).reshape(1, 2, 1, 1))
    (both,), (deep,) = (Sise(layers)(net, PICTURE[None], [Logit(0)]) for layers in (["0", "1"], "1"))
    np.testing.assert_array_equal(both.values, deep.values)
    assert both.values.max() == 1
    assert both.stop == "1 of 3 maps scored: 0 0 of 2, 1 1 of 1; no place in 0"


@pytest.mark.parametrize("threshold", [0.0, 0.3, "otsu"])
def test_empty_selections_and_constant_maps_give_zeros_and_say_so(threshold):
    negative, constant = linear(((-1.0, -2.0),)), torch.full((3, 6, 8), 0.5)
    for net, picture in ((negative, PICTURE), (linear(), constant)):
        (step,) = Sise("0", threshold)(net, picture[None], [Logit(0)])
        assert not step.values.any()
        assert step.stop == "the map is zero everywhere; 0 of 2 maps scored: 0 0 of 2; no place in 0"
        assert step.complete
        assert step.done == step.planned == 4


def test_scores_of_nothing_give_zeros_and_say_so():
    net = linear(((0.0, 1.0), (1.0, 0.0)))
    (found,) = Sise("0")(
        net, PICTURE[None], [Custom(lambda logits: 0 * logits[:, 0] ** 2 + 0 * logits[:, 1], "0")]
    )
    assert found.stop.startswith("the map is zero everywhere")
    (found,) = Sise("0")(
        net, PICTURE[None], [Custom(lambda logits: (logits[:, 0] - 9).relu() + 0 * logits[:, 0], "0")]
    )
    assert np.array_equal(found.values, np.zeros(48))


class Fussy(nn.Module):
    """In-place ReLUs after its layers, dropout, and frozen parameters."""

    def __init__(self, inplace: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 8, 3, 2, 1)
        self.act, self.drop, self.head = nn.ReLU(inplace), nn.Dropout(), nn.Linear(8, 3)
        self.requires_grad_(requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        features = self.act(self.last(self.act(self.first(images))))
        return self.head(self.drop(features.mean((2, 3))))


def test_the_network_may_be_frozen_and_work_in_place_and_is_left_as_found():
    net, clean = Fussy().train(), Fussy(inplace=False)
    found, expected = (Sise(["first", "last"])(each, PICTURE[None], [1])[0] for each in (net, clean))
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.values.any()
    assert all(module.training for module in net.modules())
    assert not any(module._forward_hooks for module in net.modules())
    assert all(each.grad is None and not each.requires_grad for each in net.parameters())


def test_nothing_stays_where_the_network_raises():
    class Failing(Fussy):
        asked = 0

        def forward(self, images: Tensor) -> Tensor:
            self.asked += 1
            if self.asked > 4:
                raise RuntimeError("out of order")
            return super().forward(images)

    net = Failing().train()
    with pytest.raises(ModelError, match="out of order"):
        Sise(["first", "last"], chunk=1)(net, PICTURE[None])
    assert net.asked == 5
    assert all(module.training for module in net.modules())
    assert not any(module._forward_hooks for module in net.modules())


def test_maps_of_the_demo_lie_on_the_shapes():
    model, images, labels, _ = load_demo()
    images, targets = images[3:6], labels[3:6].tolist()
    for found, seen in zip(Sise()(model, images, targets), GradCam()(model, images, targets), strict=True):
        heat, coarse = found.spatial(), seen.spatial()
        assert coarse.flat[heat.argmax()] > 0.5 * coarse.max()
        assert heat.flat[coarse.argmax()] > 0.5 * heat.max()
        assert (heat == 0).mean() > 0.5
        assert 1 < heat.max() <= 4
        assert found.method == "Sise · 4 layers, stem_norm (64x64) to blocks (8x8)"


def test_maps_of_tokens_are_masks_too():
    torch.manual_seed(0)
    config = SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4, num_labels=3
    )  # fmt: skip
    images = torch.rand(1, 3, 64, 64)
    (found,) = Sise.adaptive(fusion="soft")(SwinForImageClassification(config), images)
    assert all(counts(found).values())
    assert [part.split(" of ")[1] for part in found.stop.split("maps scored: ")[1].split(", ")] == ["8", "16"]
    assert np.isfinite(found.values).all()
    assert 0 < found.values.max() <= 2 + 1e-5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layers": ()}, "layers is empty; accepted are 'auto'"),
        ({"threshold": 1.0}, r"threshold=1.0 must be 'otsu' or a share in \[0, 1\)"),
        ({"threshold": float("nan")}, "threshold=nan must be"),
        ({"threshold": "auto"}, "threshold='auto' is unknown; a number or 'otsu'"),
        ({"fusion": "simple"}, "fusion='simple' is unknown; hard, soft are known"),
        ({"select_on": "loss"}, "select_on='loss' is unknown; score, logit are known"),
        ({"chunk": 0}, "chunk=0 must be a positive number of masks"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        Sise(**parameters)


def test_layers_that_do_not_serve_are_refused_with_the_candidates(tiny, image):
    with pytest.raises(
        ValueError, match=r"^layers: 'conv4' is no module that net runs; did you mean .*conv3 \(8x8\)"
    ):
        Sise(["conv1", "conv4"])(tiny, image[None])
    with pytest.raises(ValueError, match=r"^layers: 'head' answers with shape \(1, 5\), which is no map"):
        Sise("head")(tiny, image[None])
    with pytest.raises(ValueError, match="layers: 'conv1' is given twice"):
        Sise([tiny.conv1, "conv1"])(tiny, image[None])
    with pytest.raises(TypeError, match="layers"):
        Sise(3)
    with pytest.raises(ModelError, match="a plain callable has no layers"):
        Sise()(lambda images: images.mean((2, 3)), image[None])
    with pytest.raises(ValueError, match="baseline='grey' is unknown"):
        Sise("conv1", baseline="grey")(tiny, image[None])


def test_a_default_of_double_precision_changes_nothing(tiny, image):
    for method in (Sise(), Sise(baseline="blurred"), Sise.adaptive()):
        (single,) = method(tiny, image[None], [1])
        torch.set_default_dtype(torch.float64)
        try:
            (double,) = method(BlackBox(tiny, lambda b: b[..., 2:-2, 2:-2]), image[None], [1])
            (same,) = method(tiny, image[None], [1])
        finally:
            torch.set_default_dtype(torch.float32)
        np.testing.assert_allclose(same.values, single.values, rtol=1e-4, atol=1e-5)
        assert np.isfinite(double.values).all()
