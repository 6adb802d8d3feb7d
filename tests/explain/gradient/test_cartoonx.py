"""CartoonX on networks: what a mask keeps, tells and leaves behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wcam_widget import Attribution, BlackBox, Logit, Margin, Probability, load_demo
from wcam_widget.explain.gradient.cartoonx import STATISTIC, UNIT, CartoonX
from wcam_widget.explain.gradient.distortion import Distortion, Noise
from wcam_widget.explain.gradient.wavelet_gradient import WaveletGradient
from wcam_widget.model import ModelError


def explained(method: CartoonX, net: Any, image: Tensor, target: Any) -> Attribution:
    (attribution,) = method(net, image[None], [target])
    assert attribution.complete
    assert attribution.done == attribution.planned
    assert 0 <= attribution.values.min() <= attribution.values.max() <= 1
    return attribution


@pytest.mark.usefixtures("unchecked")
def test_the_spatial_term_empties_the_image(model: BlackBox, image: Tensor) -> None:
    kept = []
    for spatial in (0.0, 0.1):
        method = CartoonX(1e-3, spatial, 60)
        found = explained(method, model, image, Logit(2))
        probe = method.probe(model, image, Logit(2))
        masked = probe.rebuild(torch.from_numpy(found.values)) - probe.rebuild(torch.zeros(len(found.values)))
        kept.append(float(masked.abs().mean()))
    assert 0 < kept[1] < 0.7 * kept[0]


def test_a_class_stands_for_its_probability_and_a_target_for_itself(model: BlackBox, image: Tensor) -> None:
    method = CartoonX(iterations=1, noise=None)
    assert method.probe(model, image, "cat").target == Probability(2)
    assert method.probe(model, image, 2).target == Probability(2)
    top = int(model.logits(image[None])[0].argmax())
    assert method.probe(model, image).target == Probability(top)
    for target in (Logit(2), Margin(2)):
        assert method.probe(model, image, target).target == target
    assert explained(method, model, image, "cat").target == "probability of cat"


def test_masks_stream_repeat_and_do_not_depend_on_batches(model: BlackBox, image: Tensor) -> None:
    method = CartoonX(1e-3, 1e-3, 12, Noise(3, seed=5))
    steps = list(method.steps(model, image, Logit(2)))
    assert [step.gradients for step in steps] == [20, 40, 48]
    assert [step.complete for step in steps] == [False, False, True]
    assert [bool(step.stop) for step in steps] == [False, False, True]
    assert steps[-1].evaluations == 49
    assert (steps[-1].unit, steps[-1].statistic) == (UNIT, STATISTIC)
    # An earlier map is not changed by later steps.
    assert np.abs(steps[0].values - steps[1].values).max() > 0.1
    # Five steps of 3 / 60 do not take a mask from 1 to 0.
    first = next(CartoonX(1e-3, iterations=60).steps(model, image, Logit(2)))
    assert first.values.min() == pytest.approx(0.75, abs=0.01)
    (again,) = method(model, image[None], [Logit(2)])
    np.testing.assert_array_equal(again.values, steps[-1].values)
    *_, halved = method.steps(BlackBox(model.net, batch_size=2), image, Logit(2))
    assert np.abs(halved.values - again.values).mean() < 0.01
    *_, other = method.steps(model, image, Logit(2), stream=1)
    assert np.abs(other.values - again.values).max() > 0.01
    (seeded,) = CartoonX(1e-3, 1e-3, 12, Noise(3, seed=6))(model, image[None], [Logit(2)])
    assert np.abs(seeded.values - again.values).max() > 0.01


@pytest.mark.usefixtures("unchecked")
def test_what_the_mask_keeps_is_told(model: BlackBox, image: Tensor) -> None:
    method = CartoonX(1e-4, 1e-3, 40)
    found = explained(method, model, image, Logit(2))
    probe = method.probe(model, image, Logit(2))
    norm = probe.picture.abs().sum(0).double().numpy()
    kept = float(probe(torch.from_numpy(found.values)[None].float())[0])
    assert found.stop == (
        f"the mask keeps {100 * (found.packed() * norm).sum() / norm.sum():.3g} % of the l1 norm of the "
        f"coefficients, {100 * found.values.mean():.3g} % of their number, and a logit of {kept:.3g}, "
        f"where the image has {probe.score:.3g}"
    )
    bands = found.cells.bands
    shares = [(found.packed() * norm)[band.slices].sum() / norm[band.slices].sum() for band in bands]
    np.testing.assert_allclose(found.profile().total, shares, rtol=1e-5)


@pytest.mark.usefixtures("unchecked")
def test_masks_made_under_noise_keep_the_class_under_other_noise() -> None:
    model, photographs, *_ = load_demo()
    scores = []
    for noise in (Noise(3), None):
        method = CartoonX(iterations=40, noise=noise)
        found = explained(method, model, photographs[0], None)
        probe = method.probe(model, photographs[0])
        masked = float(probe(torch.from_numpy(found.values)[None].float())[0])
        assert masked > 0.75 * probe.score  # of the masked image itself both keep it
        assert found.values.mean() < 0.2
        fresh, gone = Distortion(probe, Noise(16, seed=9)), 1 - torch.from_numpy(found.packed()).float()
        rows = torch.stack([fresh._replacement(1, row) - probe.picture for row in range(1, 17)])
        images = probe.basis.unpack(probe.baseline + probe.picture + gone * rows)
        scores.append(float(model.scores(images, probe.target).mean()) / probe.score)
    assert scores[1] < 0.2
    assert scores[0] > 0.6


def test_any_size_wavelet_and_setting_of_torch_will_do(model: BlackBox, image: Tensor) -> None:
    odd = image[:, :45, :50]
    for wavelet, levels in (("db3", 2), ("bior4.4", 1), ("fourier", 1), ("pixels", 1)):
        found = explained(CartoonX(iterations=3, wavelet=wavelet, levels=levels), model, odd, 2)
        assert found.spatial().shape == (45, 50)
    for mode in (torch.inference_mode, torch.no_grad):
        with mode():
            inside = explained(CartoonX(iterations=3), model, image, 2)
        np.testing.assert_array_equal(
            inside.values, explained(CartoonX(iterations=3), model, image, 2).values
        )


def test_the_model_is_left_as_it_was(image: Tensor) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(3)).train()
    with torch.no_grad():
        net(image[None])
    net[1].reset_running_stats()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    explained(CartoonX(iterations=2), net, image, 1)
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])


def test_what_does_not_fit_is_named(image: Tensor) -> None:
    for wrong, said in (
        ({"sparsity": -1.0}, r"sparsity=-1\.0 must be a finite number"),
        ({"spatial": float("nan")}, "spatial=nan must be a finite number"),
        ({"iterations": 0}, "iterations=0 must be a whole number of at least 1"),
    ):
        with pytest.raises(ValueError, match=said):
            CartoonX(**wrong)
    for wrong, said in (
        ({"draws": 0}, "draws=0 must be a whole number of at least 1"),
        ({"law": "pink"}, "law='pink' is unknown; uniform and normal are accepted"),
        ({"seed": -1}, "seed=-1 must be a whole number of at least 0"),
    ):
        with pytest.raises(ValueError, match=said):
            Noise(**wrong)
    with pytest.raises(ModelError, match="a plain callable has no gradients"):
        CartoonX(iterations=1)(lambda images: images.mean((2, 3)), image[None])


def test_published_settings_and_names() -> None:
    published = CartoonX.as_published()
    assert (published.wavelet, published.levels, published.baseline) == ("db3", 5, "black")
    assert (published.iterations, published.noise) == (300, Noise(draws=16))
    cells = CartoonX(levels=1).space.cells(CartoonX(levels=1).space.basis((8, 8)))
    assert CartoonX(levels=1).describe(cells) == "CartoonX · sparsity 1 · haar, 1 levels, every coefficient"
    gridded = CartoonX(grid=2).space
    coarse = gridded.cells(gridded.basis((16, 16)))
    assert CartoonX(grid=2).describe(coarse) == "CartoonX · sparsity 1 · haar, 3 levels, 40 cells"
    other = WaveletGradient("product", wavelet="pixels").describe(cells)
    assert other == "WaveletGradient · product · pixels, every coefficient"


@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_batch_size_changes_no_bit_of_a_whole_descent(batch_size: int) -> None:
    demo = load_demo()
    method, net = CartoonX(iterations=12), demo.model
    (large,) = method(BlackBox(net.net, net.preprocess, batch_size=32), demo.images[:1], [0])
    (small,) = method(BlackBox(net.net, net.preprocess, batch_size=batch_size), demo.images[:1], [0])
    np.testing.assert_array_equal(small.values, large.values)
