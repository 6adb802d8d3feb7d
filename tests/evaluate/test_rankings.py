"""Null rankings: energy, random, centre."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wcam_widget import Wcam
from wcam_widget.evaluate.rankings import at_random, centre, energy


def score(images):
    return images[:, :, :5].square().mean((2, 3))


def test_energy_is_the_squared_norm_that_goes_with_a_cell():
    image = torch.rand(3, 16, 16)
    probe = Wcam(levels=2, grid=2, baseline="black").probe(score, image)
    found = energy(probe)
    for cell in (0, 5, 27):
        row = torch.zeros(28)
        row[cell] = 1.0
        assert found[cell] == pytest.approx(float(probe.rebuild(row).square().sum()), rel=1e-4)
    assert found.sum() == pytest.approx(float(image.square().sum()), rel=1e-4)


def test_energy_passes_over_the_gaps_of_the_picture():
    probe = Wcam(wavelet="db3", levels=2, grid=2, baseline="black").probe(score, torch.rand(3, 18, 18))
    assert energy(probe).sum() == pytest.approx(float(probe.picture.square().sum()), rel=1e-5)


def test_the_centre_comes_first_and_the_corners_last():
    probe = Wcam(wavelet="pixels", grid=5).probe(score, torch.rand(3, 10, 10))
    found = centre(probe).reshape(5, 5)
    assert found.argmax() == 12
    assert found[2, 2] == 0.0
    assert np.allclose(found[[0, 0, 4, 4], [0, 4, 0, 4]], found.min())


def test_random_rankings_are_permutations_by_their_seed():
    probe = Wcam(wavelet="pixels", grid=4).probe(score, torch.rand(3, 8, 8))
    first, same, other = (at_random(probe, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert sorted(first) == list(range(16))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
