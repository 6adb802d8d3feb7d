"""Measures of faithfulness on models whose curves are known, in pixels and in wavelets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wcam_widget import BlackBox, Derivative, Logit, Probability, Sobol, Wcam, load_demo
from wcam_widget.evaluate.average_drop import average_drop, average_increase
from wcam_widget.evaluate.faithfulness import deletion, insertion, mu_fidelity
from wcam_widget.evaluate.scoring_space import Domain

BLACK = Domain("pixels", baseline="black")
SMALL = Domain(Wcam(levels=2, grid=2, baseline="black"))


def total(images):
    return images.sum((2, 3))


def corner(images):
    """Only the top left quarter matters."""
    return images[:, :, :4, :4].mean((2, 3))


def brightness(images):
    """The top left quarter's brightness, as the score of one of two classes."""
    return torch.cat([corner(images).mean(1, keepdim=True), torch.zeros(len(images), 1)], 1) * 4


@pytest.fixture(scope="module")
def ramp():
    return torch.arange(64).reshape(1, 1, 8, 8) / 63


@pytest.fixture(scope="module")
def photographs():
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_curves_of_a_sum_of_pixels_are_sums_of_sorted_pixels(ramp):
    found = insertion(total, ramp, ramp[:, 0], [Logit(0)], BLACK, steps=64)
    expected = np.concatenate([[0], np.cumsum(np.sort(ramp.flatten().double())[::-1])])
    np.testing.assert_allclose(found.curves[0], expected, rtol=1e-5)
    np.testing.assert_allclose(found.fractions[0], np.arange(65) / 64)
    assert found.areas == pytest.approx([np.trapezoid(expected, dx=1 / 64)], rel=1e-5)
    removed = deletion(total, ramp, ramp[:, 0], [Logit(0)], BLACK, steps=64)
    np.testing.assert_allclose(removed.curves[0], expected[-1] - expected, atol=1e-4)


def test_the_curve_and_its_area_are_those_of_rise(photographs):
    def score(images):
        return torch.cat([corner(images)[:, :1] * 9, total(images)[:, :1] / 50], 1)

    found = deletion(score, photographs, photographs[:, 1], [0, 1, 0], BLACK, steps=32)
    for number, (image, label) in enumerate(zip(photographs, (0, 1, 0), strict=True)):
        order = image[1].flatten().argsort(descending=True)
        left, curve = image.clone().reshape(3, 256), []
        for step in range(33):
            curve.append(float(score(left.reshape(1, 3, 16, 16)).softmax(1)[0, label]))
            left[:, order[8 * step : 8 * step + 8]] = 0.0
        np.testing.assert_allclose(found.curves[number], curve, atol=1e-6)
        expected = (sum(curve) - curve[0] / 2 - curve[-1] / 2) / 32
        assert found.areas[number] == pytest.approx(expected, abs=1e-6)


def test_removing_without_a_choice_of_baseline_leaves_the_mean_and_inserting_starts_from_a_blur(ramp):
    mean = deletion(corner, ramp, ramp[:, 0], [Logit(0)])
    blurred = insertion(corner, ramp, ramp[:, 0], [Logit(0)])
    assert mean.curves[0, -1] == pytest.approx(0.5, abs=1e-6)
    assert corner(ramp).item() < blurred.curves[0, 0] < 0.4


def test_in_wavelets_a_map_of_the_quarter_that_matters_wins(photographs):
    heat = np.zeros((3, 16, 16))
    heat[:, :8, :8] = 1.0
    quarter = BlackBox(lambda images: images[:, :, :8, :8].square().mean((2, 3)).mean(1, keepdim=True))
    for domain in (SMALL, BLACK):
        right, wrong = (
            insertion(quarter, photographs, each, [Logit(0)] * 3, domain) for each in (heat, 1 - heat)
        )
        assert (right.areas > wrong.areas).all()
        assert right.curves[:, [0, -1]] == pytest.approx(wrong.curves[:, [0, -1]], abs=1e-5)
        assert right.over("random")[0] > 0 > wrong.over("random")[0]


def test_an_orthogonal_wavelets_energy_is_what_an_energy_score_rests_on(photographs):
    # The squared norm of an image is the sum over cells, so that energy is the best of all rankings.
    norm = BlackBox(lambda images: images.square().sum((1, 2, 3))[:, None])
    found = insertion(norm, photographs, np.ones((3, 16, 16)), [Logit(0)] * 3, SMALL)
    assert (found.null["energy"].areas >= found.areas).all()
    assert (found.null["energy"].areas > found.null["random"].areas).all()
    fidelity = mu_fidelity(norm, photographs, np.ones((3, 16, 16)), [Logit(0)] * 3, SMALL)
    np.testing.assert_allclose(fidelity.null["energy"].values, 1.0, atol=1e-3)


def test_mu_fidelity_of_an_additive_score_is_one_and_of_its_negative_minus_one(ramp):
    for sign in (1, -1):
        found = mu_fidelity(total, ramp, sign * ramp[:, 0], [Logit(0)], Domain("own", baseline="black"))
        assert found.mean == pytest.approx(sign, abs=0.01)
    assert "64 cells" in found.domain


def test_mu_fidelity_in_pixels_takes_nine_cells_a_side():
    images = torch.rand(1, 3, 36, 36)
    found = mu_fidelity(total, images, images[:, 0], [Logit(0)], "pixels", subsets=10)
    assert found.domain == "pixels: 81 cells, pixels"


def test_mu_fidelity_without_relation_stays_within_its_noise():
    images = torch.rand(6, 1, 9, 9, generator=torch.Generator().manual_seed(3))
    maps = torch.rand(6, 9, 9, generator=torch.Generator().manual_seed(4))
    found = mu_fidelity(total, images, maps, [Logit(0)] * 6, "pixels", subsets=400)
    # The map's own chance agreement with the image adds that of 81 cells to that of 400 subsets.
    assert np.abs(found.values).max() < 5 * np.hypot(1 / np.sqrt(80), 1 / np.sqrt(399))


def test_drops_and_increases_by_hand(ramp):
    heat = ramp[:, 0].double()
    soft = average_drop(total, ramp, heat, [Logit(0)], BLACK)
    assert soft.mean == pytest.approx(1 - float((heat**2).sum() / heat.sum()), abs=1e-5)
    half = average_drop(total, ramp, heat, [Logit(0)], BLACK, keep=0.5)
    assert half.mean == pytest.approx(float(heat.flatten()[:32].sum() / heat.sum()), abs=1e-5)
    assert average_increase(total, ramp, heat, [Logit(0)], BLACK).mean == 0.0
    assert average_increase(lambda x: -total(x), ramp, heat, [Logit(0)], BLACK, keep=0.15).mean == 1.0


def test_a_drop_is_never_negative(ramp):
    assert average_drop(lambda x: 99 - total(x), ramp, ramp[:, 0], [Logit(0)], BLACK).mean == 0.0


def test_a_map_without_contrast_is_flagged_and_never_nan(ramp):
    flat = np.zeros((1, 8, 8))
    for measure in (insertion, deletion, mu_fidelity, average_drop, average_increase):
        found = measure(total, ramp, flat, [Logit(0)], BLACK)
        assert found.flat.tolist() == [True]
        assert np.isfinite(found.values).all()
    assert mu_fidelity(total, ramp, flat, [Logit(0)], BLACK).mean == 0.0
    assert average_drop(total, ramp, flat, [Logit(0)], BLACK).mean == 1.0
    assert insertion(total, ramp, ramp[:, 0], [Logit(0)], BLACK).flat.tolist() == [False]


def test_a_class_stands_for_its_probability_and_an_attribution_for_its_class():
    images = torch.full((1, 3, 8, 8), 0.5)
    model = BlackBox(brightness, class_names=["bright", "dark"])
    by_name = deletion(model, images, images[:, 0], ["bright"], "pixels", steps=2)
    expected = torch.softmax(torch.tensor([2.0, 0.0]), 0)[0].item()
    assert by_name.curves[0, 0] == pytest.approx(expected, abs=1e-6)
    (dark,) = Wcam(Sobol(rows=2), levels=1, grid=2)(model, images, ["dark"])
    assert deletion(model, images, [dark]).curves[0, 0] == pytest.approx(1 - expected, abs=1e-6)
    (margin,) = Wcam(Sobol(rows=2), levels=1, grid=2)(model, images, [Probability(0)])
    assert deletion(model, images, [margin]).curves[0, 0] == pytest.approx(expected, abs=1e-6)


def test_standard_errors_are_over_images_and_differences_are_paired(photographs):
    found = insertion(corner, photographs, photographs[:, 0], [Logit(0)] * 3, BLACK, steps=8)
    assert found.error == pytest.approx(found.areas.std(ddof=1) / np.sqrt(3))
    difference = found.areas - found.null["centre"].areas
    assert found.over("centre") == pytest.approx((difference.mean(), difference.std(ddof=1) / np.sqrt(3)))
    alone = insertion(corner, photographs[:1], photographs[:1, 0], [Logit(0)], BLACK, steps=8)
    assert np.isnan(alone.error)


def test_runs_repeat_and_null_rankings_do_not_depend_on_the_map(photographs):
    first, again, other = (
        mu_fidelity(corner, photographs, heat, [Logit(0)] * 3, BLACK, subsets=20)
        for heat in (photographs[:, 0], photographs[:, 0], photographs[:, 1])
    )
    assert np.array_equal(first.values, again.values)
    for name in ("energy", "random", "centre"):
        assert np.array_equal(first.null[name].values, other.null[name].values)
    seeded = Domain("pixels", baseline="black", nulls=("random",), seed=1)
    changed = mu_fidelity(corner, photographs, photographs[:, 0], [Logit(0)] * 3, seeded, subsets=20)
    assert list(changed.null) == ["random"]
    assert not np.array_equal(changed.values, first.values)


def test_a_wcam_map_of_the_demo_beats_random_in_its_own_cells_and_in_pixels():
    model, images, labels, _ = load_demo()
    chosen = images[:4]
    maps = Wcam(Derivative(rows=8), grid=8)(model, chosen, labels[:4].tolist())
    own, wavelet = (insertion(model, chosen, maps, domain=domain, steps=20) for domain in ("own", "wavelet"))
    assert np.array_equal(own.areas, wavelet.areas)
    assert own.over("random")[0] > 0
    assert own.domain == "own: 640 cells, A3 … HH1"
    pixels = insertion(model, chosen, maps, domain="pixels", steps=20)
    assert pixels.domain == "pixels: 16384 cells, pixels"
    assert pixels.over("random")[0] > 0
    assert deletion(model, chosen, maps, steps=20).over("random")[0] < 0
    assert mu_fidelity(model, chosen, maps).over("random")[0] > 0


def test_the_model_is_left_as_it_was(photographs):
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.Linear(768, 4)).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    insertion(net, photographs, photographs[:, 0], steps=3)
    with pytest.raises(ValueError, match="keep"):
        average_drop(net, photographs, photographs[:, 0], keep=0.0)
    assert all(module.training for module in net.modules())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())


HEAT = np.zeros((1, 8, 8))
COARSE = Wcam(Sobol(rows=2), levels=1, grid=2)


@pytest.mark.parametrize(
    ("measure", "change", "said"),
    [
        (insertion, {"attributions": HEAT[0]}, "attributions has 8 entries for 1 images"),
        (insertion, {"attributions": [3]}, r"attributions\[0\]: found int"),
        (insertion, {"attributions": "cam"}, "attributions: found str"),
        (insertion, {"attributions": HEAT[:, :4]}, r"attributions\[0\]: found a map of size \(4, 8\)"),
        (insertion, {"attributions": HEAT * np.nan}, r"attributions\[0\]: found NaN"),
        (insertion, {"images": torch.full((1, 1, 8, 8), 2.0)}, "images: found values in"),
        (insertion, {"targets": [0, 0]}, "targets has 2 entries for 1 images"),
        (insertion, {"domain": "fourier"}, "domain: found 'fourier'; accepted are own, pixels, wavelet"),
        (insertion, {"steps": 0}, "steps: found 0"),
        (deletion, {"steps": 65}, "steps: found 65; accepted are None and 1 to 64"),
        (mu_fidelity, {"subsets": 2}, "subsets: found 2"),
        (average_drop, {"keep": 1.5}, "keep: found 1.5"),
        (average_increase, {"keep": 0.0}, "keep: found 0.0"),
        (average_drop, {"model": lambda x: -total(x)}, r"the score of images\[0\] is -32"),
    ],
)
def test_errors_name_the_argument_what_was_found_and_what_is_accepted(measure, change, said, ramp):
    asked = {"model": total, "images": ramp, "attributions": HEAT, "targets": [Logit(0)]} | change
    with pytest.raises((ValueError, TypeError), match=said):
        measure(**asked)


def test_errors_of_domains_and_results(ramp):
    with pytest.raises(TypeError, match="domain: found int; accepted are own, pixels, wavelet, Wcam"):
        Domain.ensure(3, "mean")
    with pytest.raises(ValueError, match="nulls: found 'size'; accepted are energy, random, centre"):
        Domain(nulls=("size",))
    found = mu_fidelity(total, ramp, HEAT, [Logit(0)], Domain(nulls=("centre",)))
    with pytest.raises(ValueError, match="null: found 'random'; scored were centre"):
        found.over("random")
    with pytest.raises(ValueError, match="mu-fidelity has none"):
        _ = found.areas


def test_an_attribution_of_no_class_needs_targets(ramp):
    (given_map,) = COARSE(brightness, ramp, [Logit(0)])
    other = BlackBox(brightness, class_names=["bright", "dark"])
    with pytest.raises(
        ValueError, match="targets: None does not do for an attribution of 'logit of class 0'"
    ):
        insertion(other, ramp, [given_map])


def test_curves_need_one_length(photographs):
    few, more = (
        Wcam(Sobol(rows=2), levels=levels, grid=1)(brightness, photographs[:1], [0])[0] for levels in (1, 2)
    )
    with pytest.raises(ValueError, match=r"steps: None gives curves of 5 to 8 points.*up to 4"):
        insertion(brightness, photographs[:2], [few, more])
    assert insertion(brightness, photographs[:2], [few, more], steps=4).curves.shape == (2, 5)


def test_a_result_says_in_a_line_what_it_is(ramp):
    found = insertion(total, ramp, ramp[:, 0], [Logit(0)], "pixels")
    line = repr(found)
    assert "\n" not in line
    assert f"{found.mean:.3f}" in line
    assert f"energy {found.null['energy'].mean:.3f}" in line
