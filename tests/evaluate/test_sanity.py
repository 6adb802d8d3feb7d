"""Sanity checks: methods that read the network, methods that do not, and what is said of each."""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from skimage.metrics import structural_similarity
from torch import nn

from wcam_widget import Cameras, Derivative, GradCam, Logit, WaveletGradient, Wcam, load_demo
from wcam_widget.evaluate.sanity import Sanity, _by_names, sanity
from wcam_widget.explain.cam.pixel_maps import map_attribution, pixel_info
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import BlackBox, ModelError
from wcam_widget.model.randomise import Randomisation


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 6, 5),
        nn.SELU(),
        nn.Conv2d(6, 6, 5),
        nn.SELU(),
        nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten()),
        nn.Linear(24, 3),
    )


def images_of(count=2, side=20):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


@dataclass(frozen=True, eq=False)
class Made(AbstractMethod):
    """Maps made by any function of the network and the image; notes which targets were asked for."""

    make: Any
    asked: list
    layer: Any = None

    def steps(self, model, image, target=None, stream=0):
        self.asked.append(target)
        heat = self.make(model, image)
        info = pixel_info(tuple(heat.shape), "Made", "target", 0.0, 1, "unit")
        yield map_attribution(heat, info, (1, 0), 0.0, "done")


def edges(model, image):
    """What no network is needed for."""
    return image.diff(dim=1, append=image[:, -1:]).abs().sum(0)


def weights(model, image):
    """Noise that the head's weights seed."""
    seed = int(model.net[5].weight.detach().abs().sum() * 1e4)
    return torch.randn(image.shape[1:], generator=torch.Generator().manual_seed(seed))


def test_a_map_that_reads_no_network_fails_and_is_kept_by_every_layer():
    for order in ("cascading", "independent"):
        found = sanity(network(), Made(edges, []), images_of(), None, Randomisation(order))
        assert (found.spearman == 1).all()
        assert (found.ssim == 1).all()
        assert found.verdicts == ("kept",) * 3
        assert found.since is None
        expected = "fails: Spearman" if order == "cascading" else "changed by 0 of 3 layers"
        assert found.verdict.startswith(expected)


def test_a_map_that_reads_the_head_alone_passes_from_the_head_on_and_rests_on_no_other_layer():
    images = images_of(4)
    found = sanity(network(), Made(weights, []), images)
    assert found.layers == ("5", "2", "0")
    assert found.since == "5"
    assert found.verdict.startswith("passes: Spearman signed")
    assert found.verdict.endswith("after 3 layers, changed from 5 on")
    alone = sanity(network(), Made(weights, []), images, None, Randomisation("independent"))
    assert alone.verdicts == ("changed", "kept", "kept")
    assert alone.verdict == "changed by 1 of 3 layers, one at a time; kept: 2, 0"
    assert (alone.spearman[:, 1:] == 1).all()


def test_only_the_sign_forgotten_is_found_in_absolute_values():
    def flipped(model, image):
        return edges(model, image) * model.net[5].bias[0].detach().sign()

    net = network()
    with torch.no_grad():
        net[5].bias[0] = 1.0
    seed = next(
        seed
        for seed in range(20)
        for _, made in Randomisation(layers=("5",), seed=seed).copies(BlackBox(net))
        if made.net[5].bias[0] < 0
    )
    found = sanity(net, Made(flipped, []), images_of(), None, Randomisation(layers=("5",), seed=seed))
    np.testing.assert_allclose(found.spearman[0], -1)
    np.testing.assert_allclose(found.spearman[1], 1)
    assert found.verdicts == ("kept",)


def test_numbers_are_those_of_scipy_and_scikit_image_on_the_maps_of_each_copy():
    net, images = network(), images_of()
    method = WaveletGradient(levels=2)
    found = sanity(net, method, images, [0, 2], Randomisation(layers=("5", "0"), seed=3))
    assert found.layers == ("5", "0")
    for place, (_, made) in enumerate(Randomisation(layers=("5", "0"), seed=3).copies(BlackBox(net))):
        for number, (image, target) in enumerate(zip(images, (0, 2), strict=True)):
            pair = [
                list(method.steps(box, image, target, number))[-1].spatial() for box in (BlackBox(net), made)
            ]
            for kind, maps in enumerate((pair, np.abs(pair))):
                expected = stats.spearmanr(maps[0].ravel(), maps[1].ravel()).statistic
                assert found.spearman[kind, place, number] == pytest.approx(expected, abs=1e-9)
                one, other = ((each - each.min()) / np.ptp(each) for each in maps)
                similar = structural_similarity(
                    one, other, gaussian_weights=True, use_sample_covariance=False, data_range=1.0
                )
                assert found.ssim[kind, place, number] == pytest.approx(similar, abs=1e-6)


@pytest.mark.parametrize(
    "method",
    [
        GradCam(),
        Cameras(layer="3", sizes=(20, 28)),
        WaveletGradient(levels=2),
        Wcam(Derivative(rows=4), levels=2, grid=4),
    ],
)
def test_every_method_is_checked(method):
    found = sanity(network(), method, images_of())
    assert found.spearman.shape == found.ssim.shape == (2, 3, 2)
    assert found.empty.shape == (2, 4, 2)
    assert np.isfinite(found.spearman).all()
    assert (found.spearman < 1).all()
    assert "\n" not in repr(found)
    assert repr(found).startswith(f"<Sanity of {found.method}, 2 images")


def test_without_a_target_the_class_of_the_network_itself_is_explained_throughout():
    net, images, asked = network(), images_of(3), []
    sanity(net, Made(edges, asked), images, [None, 1, None])
    tops = net.eval()(images).argmax(1).tolist()
    assert asked == [Logit(tops[0]), Logit(1), Logit(tops[2])] * 4


def test_the_layer_given_as_a_module_is_found_in_the_copies():
    net = network()
    by_module, by_name = (sanity(net, GradCam(layer), images_of(), [0, 1]) for layer in (net[2], "2"))
    assert np.array_equal(by_module.spearman, by_name.spearman)


def test_modules_among_the_parameters_of_a_method_become_names():
    net, method = network(), Made(edges, [], [network()])
    found = _by_names(replace(method, layer=[net[2], net[0]]), BlackBox(net))
    assert found.layer == ("2", "0")
    assert found.asked is method.asked
    assert _by_names(method, BlackBox(net)).layer == tuple(method.layer)


def test_constant_maps_are_counted_as_0_and_do_not_pass_for_changed_ones():
    def dead(model, image):
        flat = float(image.mean()) < 0.4 or not bool(model.net[5].weight.detach().flatten()[0] == first)
        return torch.full(image.shape[1:], 0.3) if flat else edges(model, image)

    net, images = network(), images_of(3)
    first = net[5].weight.detach().flatten()[0].clone()
    images[0] *= 0.5
    found = sanity(net, Made(dead, []), images)
    assert found.empty[:, 0].tolist() == [[True, False, False]] * 2
    assert found.empty[:, 1:].all()
    assert (found.spearman == 0).all()
    assert (found.ssim == 0).all()
    assert "10 of 12 maps constant" in repr(found)
    none = sanity(net, Made(dead, []), images[:1])
    assert none.verdicts == ("undecided",) * 3
    assert none.mean().value.tolist() == [0.0] * 3


def test_limits_are_students_over_images_and_one_image_limits_nothing():
    values = np.random.default_rng(0).uniform(-0.1, 0.1, size=(2, 1, 20))
    empty = np.zeros((2, 2, 20), bool)
    found = Sanity(("fc",), values, values / 2, empty, "Made", Randomisation())
    low, high = stats.t.interval(0.95, 19, values[0, 0].mean(), stats.sem(values[0, 0]))
    assert found.mean().low[0] == pytest.approx(low, abs=0.01)
    assert found.mean().high[0] == pytest.approx(high, abs=0.01)
    assert found.mean("ssim", "absolute").value[0] == pytest.approx(values[1].mean() / 2)
    assert found.verdicts == ("changed",)
    one = Sanity(("fc",), values[..., :1], values[..., :1], empty[..., :1], "Made", Randomisation())
    assert (one.mean().low[0], one.mean().high[0]) == (-1.0, 1.0)
    assert one.verdict.startswith("undecided")


def test_images_whose_clean_map_is_constant_do_not_count():
    values = np.full((2, 1, 4), 0.9)
    values[..., 2:] = 0.0
    empty = np.zeros((2, 2, 4), bool)
    empty[:, 0, 2:] = True
    found = Sanity(("fc",), values, values, empty, "Made", Randomisation())
    assert found.mean().value[0] == pytest.approx(0.9)
    assert found.verdicts == ("kept",)
    nothing = replace(found, empty=np.ones((2, 2, 4), bool))
    assert nothing.verdicts == ("undecided",)


def test_maps_of_the_demo_change_when_its_head_forgets():
    model, images, labels, _ = load_demo()
    found = sanity(
        model, GradCam(), images[:6], labels[:6].tolist(), Randomisation(layers=("head", "blocks"))
    )
    assert (found.mean().value < 0.6).all()
    assert (found.mean().high < 1).all()


def test_an_interrupt_keeps_the_layers_that_are_done():
    def interrupted(model, image):
        if len(asked) > 6:
            raise KeyboardInterrupt
        return edges(model, image)

    asked: list[Any] = []
    with pytest.warns(UserWarning, match="interrupted: 2 of 3 layers are returned"):
        found = sanity(network(), Made(interrupted, asked), images_of())
    assert found.layers == ("5", "2")
    assert found.spearman.shape == (2, 2, 2)
    assert "interrupted" in repr(found)
    with pytest.raises(KeyboardInterrupt):
        sanity(network(), Made(interrupted, asked), images_of())


def test_the_network_is_left_as_it_was_also_when_it_raises():
    net = network().train()
    net[5].requires_grad_(requires_grad=False)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    sanity(net, GradCam("2"), images_of())

    def broken(model, image):
        raise ModelError("net: broken")

    with pytest.raises(ModelError, match="net: broken"):
        sanity(net, Made(broken, []), images_of())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training for module in net.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [each.requires_grad for each in net.parameters()] == [True] * 4 + [False] * 2
    assert all(each.grad is None for each in net.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in net.modules())


def test_a_network_that_fails_once_randomised_says_after_which_layer():
    def failing(model, image):
        if model.net is not net:
            raise ModelError("net: returned NaN scores")
        return edges(model, image)

    net = network()
    with pytest.raises(ModelError, match="with '5' randomised: net: returned NaN scores"):
        sanity(net, Made(failing, []), images_of())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"targets": [0]}, ValueError, "targets has 1 entries for 2 images"),
        ({"targets": [0, 7]}, ValueError, "targets[1]: class id 7 is out of range"),
        (
            {"images": images_of(2, 8)},
            ValueError,
            "images: found 8x8 pixels; with ssim of sigma",
        ),
        ({"randomisation": Randomisation(layers=("fc",))}, ValueError, "layers[0]: 'fc' is no module of net"),
        ({"model": lambda images: images.mean((2, 3))}, ModelError, "a plain callable has no layers"),
    ],
)
def test_arguments_that_do_not_fit_are_named(change, error, message):
    asked = {"model": network(), "method": Made(edges, []), "images": images_of()} | change
    with pytest.raises(error, match=re.escape(message)):
        sanity(**asked)


def test_other_means_are_refused():
    found = sanity(network(), Made(edges, []), images_of())
    with pytest.raises(ValueError, match="measure: found 'pearson'; accepted are spearman and ssim"):
        found.mean("pearson")
    with pytest.raises(ValueError, match="kind: found 'raw'; accepted are signed and absolute"):
        found.mean(kind="raw")
