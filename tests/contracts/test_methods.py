"""The laws of ``AbstractMethod``, and what else every method keeps: one table over all of them."""

from __future__ import annotations

import contextlib
import copy
import itertools

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget import (
    Attribution,
    BlackBox,
    Cameras,
    CartoonX,
    GradCam,
    Logit,
    Screened,
    Sise,
    Sobol,
    WaveletGradient,
    Wcam,
)
from wcam_widget.explain import AbstractMethod
from wcam_widget.explain.gradient.modes import Integrated, Smooth
from wcam_widget.model import ModelError
from wcam_widget.sensitivity.analysis import CONSTANT_SCORE

SMALL = {"levels": 2, "grid": 2}
METHODS: dict[str, AbstractMethod] = {
    "Wcam": Wcam(Sobol(rows=2), **SMALL),
    "Wcam, derivatives": Wcam(Screened(rows=4, gradient_rows=4), **SMALL),
    "Wcam in pixels": Wcam(Sobol(rows=2), wavelet="pixels", grid=2),
    "Wcam, spun": Wcam(Sobol(rows=2), levels=1, grid=2).spun(2),
    "Wcam as published": Wcam.as_published(grid=4, rows=2, levels=2),
    "WaveletGradient, integrated": WaveletGradient(Integrated(rows=3), levels=2),
    "WaveletGradient, smooth": WaveletGradient(Smooth(rows=3), levels=2),
    "WaveletGradient, product": WaveletGradient("product", levels=2),
    "WaveletGradient, saliency": WaveletGradient("saliency", **SMALL),
    "WAM as published": WaveletGradient.as_published(rows=3, levels=2),
    "CartoonX": CartoonX(iterations=4, levels=2),
    "CartoonX, distortion alone": CartoonX(sparsity=0.0, spatial=0.0, iterations=4, levels=2),
    "Grad-CAM": GradCam(),
    "Grad-CAM++": GradCam(variant="gradcam++"),
    "HiResCAM": GradCam(variant="hirescam"),
    "LayerCAM": GradCam(variant="layercam"),
    "XGrad-CAM": GradCam(variant="xgradcam"),
    "Score-CAM": GradCam(variant="scorecam"),
    "CAMERAS": Cameras(sizes=(16, 24)),
    "SISE": Sise(),
    "SISE, soft": Sise(fusion="soft"),
    "Ada-SISE": Sise.adaptive(),
}
BLACK_BOX = ("Wcam", "Wcam in pixels", "Wcam, spun", "Wcam as published")  # need scores alone
SIDE = 16

each_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


class Net(nn.Module):
    """A network with what is hard to leave alone: batch norm, dropout, ReLU in place, frozen weights."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 3))
        self.features[0].weight.requires_grad_(requires_grad=False)
        self.head[1].weight.grad = torch.full((3, 8), 7.0)
        self.breaks_after: int | None = None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.breaks_after is not None:
            self.breaks_after -= 1
            if self.breaks_after < 0:
                raise RuntimeError("no such kernel")
        return self.head(self.features(images).mean((2, 3)))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)  # of the seeds, one with which the features of every layer live
    made = Net()
    with torch.no_grad():
        made.head[1].weight.mul_(4.0)
    made.train()
    made.features[1].eval()  # modes that differ from module to module
    return made


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(6))


def condition(net: Net) -> dict[str, object]:
    """All that must be as it was: modes, hooks, gradients, which parameters learn, every value."""
    modules = dict(net.named_modules())
    return {
        "modes": {name: module.training for name, module in modules.items()},
        "hooks": {
            name: [len(module._forward_hooks), len(module._backward_hooks), len(module._forward_pre_hooks)]
            for name, module in modules.items()
        },
        "learning": {name: parameter.requires_grad for name, parameter in net.named_parameters()},
        "gradients": {
            name: None if parameter.grad is None else parameter.grad.tolist()
            for name, parameter in net.named_parameters()
        },
        "values": {name: value.tolist() for name, value in net.state_dict().items()},
    }


@each_method
def test_a_batch_gives_what_single_images_give(method, net, images):
    together = method(net, images, [0, 2])
    for place, (one, target) in enumerate(zip(together, (0, 2), strict=True)):
        *_, alone = method.steps(net, images[place], target, stream=place)
        assert one.target == alone.target
        assert (one.evaluations, one.gradients) == (alone.evaluations, alone.gradients)
        np.testing.assert_allclose(one.values, alone.values, rtol=1e-4, atol=1e-5 * np.abs(one.values).max())


@each_method
def test_results_are_finite_complete_and_priced(method, net, images):
    steps = list(method.steps(net, images[0], 1))
    last = steps[-1]
    assert last.complete
    assert last.stop
    assert not any(each.complete for each in steps[:-1])
    assert last.done <= last.planned  # a budget need not be used up
    assert all(each.planned == last.planned for each in steps)
    assert [each.done for each in steps] == sorted(each.done for each in steps)
    assert np.isfinite(last.values).all()
    assert last.spatial().shape == (SIDE, SIDE)
    assert last.unit
    assert last.method


@each_method
def test_runs_repeat(method, net, images):
    first, second = (method(net, images[:1], [1])[0] for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)


@each_method
def test_the_model_is_left_as_it_was(method, net, images):
    before = copy.deepcopy(condition(net))
    method(net, images[:1], [1])
    assert condition(net) == before


@each_method
@pytest.mark.parametrize("passes", [0, 1, 2])
def test_the_model_is_left_as_it_was_also_where_it_breaks(method, net, images, passes):
    before = copy.deepcopy(condition(net))
    net.breaks_after = passes
    steps = method.steps(net, images[0], 1)
    if passes == 0:
        with pytest.raises(ModelError, match="no such kernel"):
            list(steps)
    else:  # a method that asks no more often than that is done before anything breaks
        with contextlib.suppress(ModelError):
            list(steps)
    assert condition(net) == before


@each_method
def test_stopping_early_leaves_the_model_as_it_was_and_a_partial_map(method, net, images):
    before = copy.deepcopy(condition(net))
    steps = method.steps(net, images[0], 1)
    first = next(steps)
    steps.close()
    assert np.isfinite(first.values[first.values == first.values]).all()
    assert condition(net) == before


@each_method
def test_an_interrupt_keeps_the_images_that_are_finished(method, net, images):
    model, passes, last = BlackBox(net, batch_size=1), [], None

    def count(*_given: object) -> None:
        passes.append(1)
        if len(passes) == last:
            raise KeyboardInterrupt

    net.register_forward_pre_hook(count)
    (alone,) = method(model, images[:1], [1])
    last = 2 * len(passes) + 1
    with pytest.warns(UserWarning, match="interrupted: [12] of 3 images are returned"):
        finished, *partial = method(model, torch.cat([images, images[:1]]), [1, 0, 2])
    assert finished.complete
    np.testing.assert_array_equal(finished.values, alone.values)
    assert all(not one.complete and one.stop.startswith("interrupted") for one in partial)


@each_method
@pytest.mark.parametrize(
    ("batch_size", "precision", "tolerance"), [(1, torch.float64, 1e-6), (7, torch.float32, 1e-4)]
)
def test_the_batch_size_changes_nothing(method, net, images, batch_size, precision, tolerance):
    net.to(precision)  # in float32 the network itself rounds by the size of a batch
    together = method(BlackBox(net, batch_size=32), images, [0, 2])
    apart = method(BlackBox(net, batch_size=batch_size), images, [0, 2])
    for one, other in zip(together, apart, strict=True):
        assert (one.evaluations, one.gradients, one.target) == (
            other.evaluations,
            other.gradients,
            other.target,
        )
        largest = np.abs(one.values).max()
        np.testing.assert_allclose(other.values, one.values, rtol=tolerance, atol=tolerance * largest)


@each_method
def test_targets_must_be_as_many_as_images(method, net, images):
    with pytest.raises(ValueError, match="targets has 3 entries for 2 images; one each is needed"):
        method(net, images, [0, 1, 2])


@each_method
def test_targets_may_be_numbers_names_targets_or_none(method, net, images):
    model = BlackBox(net, class_names=("ant", "bee", "cat"))
    top = model.class_names[int(model.logits(images[:1]).argmax())]
    for target, word in ((1, "bee"), ("cat", "cat"), (Logit(0), "logit of ant"), (None, top)):
        (found,) = method(model, images[:1], [target])
        assert word in found.target
    for wrong, message in (("dog", "dog"), (3, "3")):
        with pytest.raises((ValueError, TypeError), match=message):
            method(model, images[:1], [wrong])


@each_method
def test_a_file_gives_the_result_back(method, net, images, tmp_path):
    (found,) = method(net, images[:1], [1])
    again = Attribution.load(found.save(tmp_path / "map"))
    np.testing.assert_array_equal(again.values, found.values)
    np.testing.assert_array_equal(again.spatial(), found.spatial())
    assert (again.method, again.target, again.stop, again.unit, again.signed) == (
        found.method,
        found.target,
        found.stop,
        found.unit,
        found.signed,
    )


class Blind(nn.Module):
    """A network whose features do not depend on the image, and scores that do not depend on its features."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        nn.init.zeros_(self.conv.weight)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 0.0 * self.conv(images).mean((2, 3))[:, :3] + torch.tensor([1.0, 2.0, 0.5])


@pytest.mark.parametrize("name", [name for name in METHODS if name != "CartoonX, distortion alone"])
def test_a_map_of_a_constant_score_is_zeros_with_the_reason(name, images):
    (attribution,) = METHODS[name](Blind(), images[:1], [0])
    assert not attribution.values.any()  # CartoonX takes all away, as long as keeping it has a price
    assert "zero" in attribution.stop or CONSTANT_SCORE in attribution.stop


@pytest.mark.parametrize("name", [name for name in METHODS if name != "CartoonX"])
def test_a_map_of_a_network_that_looks_is_not_zero(name, net, images):
    assert all(one.values.any() for one in METHODS[name](net, images, [0, 2]))


@pytest.mark.parametrize("name", METHODS)
def test_a_plain_callable_is_explained_or_refused_in_words(name, images):
    def mean(batch: torch.Tensor) -> torch.Tensor:
        return batch.mean((2, 3))

    method = METHODS[name]
    if name in BLACK_BOX:
        assert method(mean, images[:1], [0])[0].complete
    else:
        missing = r"needs gradients|plain callable has no (gradients|layers)"
        with pytest.raises((ModelError, ValueError), match=missing):
            method(mean, images[:1], [0])


def test_titles_tell_methods_apart():
    for (name, one), (other, two) in itertools.combinations(METHODS.items(), 2):
        family, another = (each.replace(",", " ").split()[0] for each in (name, other))
        assert one.title != two.title or family == another, (name, other)
