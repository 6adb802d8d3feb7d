"""Retention curves of scores whose shares are known, in pixels and in wavelets."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy
from torch import nn

from wcam_widget import BlackBox, Logit, Probability, Wcam
from wcam_widget.evaluate.average_drop import average_drop
from wcam_widget.evaluate.retention import retention
from wcam_widget.evaluate.scoring_space import Domain
from wcam_widget.explain.gradient.cartoonx import CartoonX
from wcam_widget.perturb.space import coefficients

BLACK = Domain("pixels", baseline="black")
SMALL = Domain(Wcam(levels=2, grid=2, baseline="black"))
ENERGY = [Logit(0)] * 2


def total(images):
    return images.sum((2, 3))


def energy(images):
    return images.square().sum((1, 2, 3))[:, None]


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def ramp():
    return torch.arange(64).reshape(1, 1, 8, 8) / 63


def squares(image, levels=2):
    """Squared Haar coefficients of every channel, as PyWavelets has them."""
    parts = [pywt.coeffs_to_array(pywt.wavedec2(c, "haar", level=levels))[0] for c in image.double().numpy()]
    return np.stack(parts) ** 2


def test_a_sum_of_pixels_retains_what_it_has_of_the_l1_norm(ramp):
    # The score is the l1 norm itself: the curve is the diagonal, whatever is ranked.
    for heat in (ramp[:, 0], -ramp[:, 0]):
        found = retention(total, ramp, heat, [Logit(0)], BLACK, steps=7)
        np.testing.assert_allclose(found.retained, found.information, atol=1e-6)
        assert found.area.mean == pytest.approx(0.5, abs=1e-6)
        np.testing.assert_allclose(found.information[0], np.arange(8) / 7, atol=1 / 32)
        assert found.score(0.5).values == pytest.approx([4 / 7], abs=1 / 32)


def test_the_points_are_the_fewest_cells_that_reach_a_level(ramp):
    found = retention(total, ramp, ramp[:, 0], [Logit(0)], BLACK, steps=4)
    sums = np.cumsum(np.sort(ramp.flatten().double().numpy())[::-1]) / ramp.sum().item()
    expected = [0.0, *(sums[np.argmax(sums >= level)] for level in (0.25, 0.5, 0.75)), 1.0]
    np.testing.assert_allclose(found.information[0], expected, atol=1e-6)


def test_the_last_point_keeps_also_what_has_next_to_no_information(ramp):
    faint = ramp.clone()
    faint[..., 0, 0] = 1e-9
    found = retention(
        lambda images: total(images) + 1e10 * images[..., 0, 0], faint, faint[:, 0], [Logit(0)], BLACK, 8
    )
    assert found.information[0, -1] == 1.0
    assert found.retained[0, -2:] == pytest.approx([0.66, 1.0], abs=0.15)


def test_of_an_energy_the_curve_is_that_of_sorted_squares_of_coefficients(images):
    # An orthogonal wavelet keeps the energy, and removed cells take theirs with them.
    single = Domain(Wcam(levels=2, grid=coefficients, baseline="black"))
    found = retention(energy, images, images[:, 0], ENERGY, single, steps=5)
    for number, image in enumerate(images):
        square = squares(image)
        weight, norm = square.sum(0).ravel(), np.sqrt(square).sum(0).ravel()
        order = np.argsort(-weight, kind="stable")
        curve = np.cumsum(norm[order]) / norm.sum()
        null = found.null["energy"]
        counts = [np.argmin(np.abs(curve - share)) for share in null.information[number, 1:]]
        np.testing.assert_allclose(curve[counts], null.information[number, 1:], atol=1e-5)
        np.testing.assert_allclose(
            null.retained[number, 1:], np.cumsum(weight[order])[counts] / weight.sum(), atol=1e-4
        )
    assert found.area.over("energy")[0] < 0


def test_entropy_is_scipys_and_shares_of_it_add_up(images):
    # Two cells of one value each: the approximation of each image against all its details.
    bands = Domain(Wcam(levels=1, grid=1, baseline="black"))
    found = retention(energy, images, np.ones((2, 16, 16)), ENERGY, bands, steps=100)
    by_entropy = found.against("entropy")
    for number, image in enumerate(images):
        square = squares(image, levels=1)
        share = square / square.sum()
        approximation = -(share * np.log(share))[:, :8, :8].sum() / entropy(square.ravel())
        # Cells of equal value go in their own order, coarse to fine: that of the approximation is first.
        first = np.argmax(by_entropy.information[number] > 0)
        assert by_entropy.information[number, first] == pytest.approx(approximation, rel=1e-4)
    np.testing.assert_array_equal(by_entropy.retained, found.retained)
    assert by_entropy.area.measure == "retention against entropy"
    assert by_entropy.null["random"].measure == "entropy"
    with pytest.raises(ValueError, match=r"measure: found 'l2'; accepted are l1, entropy"):
        found.against("l2")


@given(st.integers(0, 2**16), st.integers(1, 12), st.sampled_from([BLACK, SMALL, Domain("wavelet")]))
def test_information_and_curves_end_where_they_must(seed, steps, domain):
    rng = np.random.default_rng(seed)
    image = torch.from_numpy(rng.random((1, 3, 8, 8), dtype=np.float32))
    heat = rng.normal(size=(1, 8, 8))
    found = retention(lambda images: 1 + total(images), image, heat, [Logit(1)], domain, steps=steps)
    for one in (found, *found.null.values()):
        assert one.retained.shape == (1, steps + 1)
        for measure in ("l1", "entropy"):
            shares = one.against(measure).information
            assert (np.diff(shares) >= 0).all()
            assert shares[:, [0, -1]].tolist() == [[0.0, 1.0]]
        np.testing.assert_allclose(one.retained[:, -1], 1.0, atol=1e-5)
        assert one.decided[:, -1].all()
        assert 0 <= one.score().mean <= 1


def test_the_decision_is_kept_from_where_the_top_class_is_back(ramp):
    # Bright once more than half of the sum is there; black is the other class.
    half = float(ramp.sum()) / 2
    net = BlackBox(lambda images: torch.cat([total(images) - half, torch.zeros(len(images), 1)], 1))
    found = retention(net, ramp, ramp[:, 0], [0], BLACK, steps=40)
    expected = found.information[0] > 0.5 + 1e-6
    np.testing.assert_array_equal(found.decided[0], expected)
    assert found.decision.mean == pytest.approx(found.information[0][expected][0])
    assert 0.5 < found.decision.mean < 0.56
    # A network of one score decides by its sign.
    single = retention(lambda images: total(images) - half, ramp, ramp[:, 0], [Logit(0)], BLACK, steps=40)
    np.testing.assert_array_equal(single.decided[0], expected)
    assert set(found.decision.null) == {"energy", "random", "centre"}


def test_the_map_of_what_matters_keeps_more_with_less(images):
    quarter = BlackBox(lambda images: images[:, :, :8, :8].square().sum((1, 2, 3))[:, None])
    heat = np.zeros((2, 16, 16))
    heat[:, :8, :8] = 1.0
    for domain in (BLACK, SMALL):
        right, wrong = (retention(quarter, images, each, ENERGY, domain) for each in (heat, 1 - heat))
        assert (right.area.values > wrong.area.values).all()
        assert right.area.over("random")[0] > 0 > wrong.area.over("random")[0]
        assert (right.score().values < wrong.score().values).all()
        assert right.score(0.5).mean <= right.score(1.0).mean


def test_a_mask_is_judged_as_it_is(images):
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 3))
    masks = CartoonX(iterations=12, levels=2, sparsity=1e-4, spatial=0.0)(net, images)
    found = retention(net, images, masks, steps=10)
    assert found.soft is not None
    for number, mask in enumerate(masks):
        probe = CartoonX(levels=2).probe(net, images[number])
        share = float(probe(torch.from_numpy(mask.values)[None].float())[0]) / mask.score
        norm = probe.picture.abs().sum(0).numpy().ravel()
        kept = float(mask.packed().ravel() @ norm) / norm.sum()
        assert 0.05 < kept < 1
        assert found.soft.information[number, 0] == pytest.approx(kept, rel=1e-4)
        assert found.conciseness.values[number] == pytest.approx(share / kept, rel=1e-4)
    # Beside it stands what a ranking retains with as much information, by its curve.
    curve = found.null["random"]
    beside = np.interp(found.soft.information[0], curve.information[0], curve.retained[0])
    expected = beside / found.soft.information[0]
    assert found.conciseness.null["random"].values[:1] == pytest.approx(expected)
    by_entropy = found.against("entropy").conciseness
    assert by_entropy.values != pytest.approx(found.conciseness.values)


def test_only_masks_in_their_own_cells_have_a_conciseness(images):
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 3))
    masks = CartoonX(iterations=2, levels=2)(net, images)
    for maps, domain in ((masks, "pixels"), (images[:, 0], "own")):
        found = retention(net, images, maps, None, domain, steps=2)
        assert found.soft is None
        with pytest.raises(ValueError, match="conciseness belongs to masks"):
            _ = found.conciseness


def test_a_mask_of_nothing_and_an_image_of_nothing_are_finite():
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2))
    nn.init.zeros_(net[1].weight)  # the score does not care: the mask goes to 0
    grey = torch.full((1, 3, 8, 8), 0.5)
    for image in (grey, torch.rand(1, 3, 8, 8)):
        masks = CartoonX(iterations=10, noise=None, levels=1)(net, image)
        assert not masks[0].values.any()
        found = retention(net, image, masks, steps=4)
        assert found.flat.all()
        assert found.conciseness.mean == 0.0
        for one in (found, *found.null.values()):
            np.testing.assert_allclose(one.retained, 1.0, atol=1e-6)
            assert np.isfinite(one.information).all()
            assert one.information[0, -1] == 1.0


def test_a_loss_of_what_is_kept_is_the_drop(images):
    # Both keep the most valued cells: at one number of them they agree.
    heat = np.random.default_rng(0).random((2, 16, 16))
    found = retention(energy, images, heat, ENERGY, BLACK, steps=30)
    drop = average_drop(energy, images, heat, ENERGY, BLACK, keep=0.5)
    np.testing.assert_allclose(found.at(_half(images, heat)), 1 - drop.values, atol=0.02)


def _half(images, heat):
    """The share of the l1 norm in the half of the pixels valued most."""
    norm = images.sum(1).double().numpy()
    return np.array(
        [one[each >= np.median(each)].sum() / one.sum() for one, each in zip(norm, heat, strict=True)]
    )


def test_arguments_that_do_not_fit_are_named(ramp):
    with pytest.raises(ValueError, match=r"steps: found 0; accepted is an integer"):
        retention(total, ramp, ramp[:, 0], [Logit(0)], BLACK, steps=0)
    with pytest.raises(ValueError, match=r"targets: the score of images\[0\] is -32"):
        retention(lambda images: -total(images), ramp, ramp[:, 0], [Logit(0)], BLACK)
    label = BlackBox(total, activation="sigmoid")
    found = retention(label, ramp, ramp[:, 0], [Probability(0)], BLACK, steps=2)
    with pytest.raises(ValueError, match=r"share: found 0.0; accepted is a share of the score"):
        found.score(0.0)
    assert repr(found).startswith("<retention against l1, pixels: 64 cells, pixels, images: 1, area ")
