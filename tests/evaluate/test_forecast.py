"""Forecasts of flips: the expected change is right where the score is linear, and chances are calibrated."""

import re

import numpy as np
import pytest
import torch
from scipy import special, stats
from torch import nn

from wcam_widget import Derivative, WaveletGradient, Wcam, expected_change
from wcam_widget.evaluate import Forecast, Skill
from wcam_widget.evaluate.forecast import correlation, relative_changes


def linear(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))


def explained(net, image):
    return Wcam(Derivative(rows=16), levels=2, grid=2)(net, image[None], 0)[0]


def test_a_lost_cell_moves_a_linear_score_by_its_weight():
    net, image = linear(), torch.rand(3, 32, 32)
    attribution = explained(net, image)
    probe = Wcam(levels=2, grid=2).probe(net, image, 0)
    for cell in (0, 9, 20):
        without = torch.ones(28)
        without[cell] = 0.0
        lost = probe.rebuild(without).clamp(0, 1)
        if not torch.equal(lost, probe.rebuild(without)):
            continue
        moved = abs(float(net(lost[None])[0, 0] - net(image[None])[0, 0]))
        # The variance of a score is an estimate; everything else is exact.
        assert expected_change(attribution, image, lost[None])[0] == pytest.approx(moved, rel=0.25)


def test_changes_are_relative_to_the_cell():
    image = torch.rand(3, 32, 32)
    attribution = explained(linear(), image)
    same, faded = relative_changes(
        attribution, image, torch.stack([image, image / 2 + image.mean((1, 2))[:, None, None] / 2])
    )
    np.testing.assert_allclose(same, 0, atol=1e-9)
    np.testing.assert_allclose(faded, 0.25, rtol=1e-3)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (((3, 16, 16), (1, 3, 32, 32)), "image: found (16, 16); the attribution is of (32, 32)"),
        (((3, 32, 32), (1, 3, 16, 16)), "corrupted: found (16, 16); the attribution is of (32, 32)"),
    ],
)
def test_sizes_must_agree(sizes, message):
    attribution = explained(linear(), torch.rand(3, 32, 32))
    with pytest.raises(ValueError, match=re.escape(message)):
        expected_change(attribution, torch.rand(sizes[0]), torch.rand(sizes[1]))


def test_values_must_be_shares():
    image = torch.rand(3, 32, 32)
    (attribution,) = WaveletGradient(levels=2)(linear(), image[None], 0)
    with pytest.raises(ValueError, match="attribution: found values in"):
        expected_change(attribution, image, image[None])


def test_the_calibration_is_that_of_the_likelihood():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20000, 2))
    chance = special.expit(features @ [1.5, -0.5] + 0.3)
    forecast = Forecast.fit(features, rng.random(20000) < chance)
    np.testing.assert_allclose(forecast(features), chance, atol=0.03)


def test_separated_and_constant_features_stay_finite():
    features = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]])
    for flipped in ([False, False, True, True], [True] * 4, [False] * 4):
        chance = Forecast.fit(features, np.array(flipped))(features)
        assert np.isfinite(chance).all()
        assert ((chance > 0.5) == flipped).all()
    with pytest.raises(ValueError, match="features: accepted are at least two rows of finite numbers"):
        Forecast.fit(np.array([[np.nan], [1.0]]), np.array([True, False]))


def test_skill_is_judged_over_images():
    rng = np.random.default_rng(0)
    chance = rng.random(900)
    flipped = rng.random(900) < chance
    skill = Skill.of(chance, flipped, np.repeat(np.arange(30), 30))
    assert skill.low < skill.spearman < skill.high
    assert skill.spearman == pytest.approx(stats.spearmanr(chance, flipped).statistic)
    expected = (
        stats.mannwhitneyu(chance[flipped], chance[~flipped]).statistic / flipped.sum() / (~flipped).sum()
    )
    assert skill.auc == pytest.approx(expected)
    assert skill.brier == pytest.approx(1 / 6, abs=0.02)
    assert skill.calibration_error < 0.06
    assert Skill.of(chance**3, flipped, np.repeat(np.arange(30), 30)).calibration_error > 0.2


def test_what_is_constant_has_no_correlation():
    assert np.isnan(correlation(np.ones(3), np.array([True, False, True])))
