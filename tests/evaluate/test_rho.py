"""Rho metrics by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wcam_widget import Logit, Wcam
from wcam_widget.evaluate.rho import rho_minus, rho_plus
from wcam_widget.evaluate.scoring_space import Domain

BLACK = Domain("pixels", baseline="black")


def quarter(images):
    return images[:, :, :4, :4].mean((2, 3))


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_scores_are_divided_by_the_mean_weight(images):
    heat = np.random.default_rng(0).normal(size=(2, 8, 8))
    kept = (heat - heat.min((1, 2), keepdims=True)) / np.ptp(heat, (1, 2))[:, None, None]
    plus, minus = (each(quarter, images, heat, [Logit(0)] * 2, BLACK) for each in (rho_plus, rho_minus))
    for found, part in ((plus, kept), (minus, 1 - kept)):
        expected = (part * images[:, 0].numpy())[:, :4, :4].mean((1, 2)) / part.mean((1, 2))
        np.testing.assert_allclose(found.values, expected, rtol=1e-5)


def test_weights_of_one_everywhere_give_the_plain_score(images):
    for measure in (rho_plus, rho_minus):
        for domain in (BLACK, Wcam(levels=2, grid=2)):
            found = measure(quarter, images, np.zeros((2, 8, 8)), [Logit(0)] * 2, domain)
            np.testing.assert_allclose(found.values, quarter(images)[:, 0].numpy(), rtol=1e-5)
            assert found.flat.all()


@pytest.mark.parametrize("domain", [BLACK, Domain(Wcam(levels=2, grid=2, baseline="black"))])
def test_the_map_of_what_matters_is_better_than_its_opposite_in_both_domains(domain, images):
    heat = np.zeros((2, 8, 8))
    heat[:, :4, :4] = 1.0
    right, wrong = (rho_plus(quarter, images, each, [Logit(0)] * 2, domain) for each in (heat, 1 - heat))
    np.testing.assert_allclose(right.values, 4 * quarter(images)[:, 0].numpy(), rtol=1e-4)
    np.testing.assert_allclose(wrong.values, 0.0, atol=1e-5)
    assert (right.values > right.null["random"].values).all()
    left = rho_minus(quarter, images, heat, [Logit(0)] * 2, domain)
    np.testing.assert_allclose(left.values, 0.0, atol=1e-5)
    assert list(left.null) == ["energy", "random", "centre"]
