"""What a perturbation may be: bounds, bands, and the set's own projection."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wcam_widget.basis import WaveletBasis
from wcam_widget.stress.threat import Threat

BANDS = [None, ("HH1",), ("LH2", "HL2"), ("A2",), ("A2", "HH2", "LH1")]


def images_of(count, seed=0, saturated=0.0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, 8, 12, generator=generator)
    bent = (images - 0.5) * (1 + saturated) + 0.5  # the larger, the more pixels at 0 and at 1
    return bent.clamp(0, 1)


def outside(change, threat):
    """The largest coefficient of a perturbation in the bands it may not touch."""
    basis = WaveletBasis(tuple(change.shape[-2:]), "haar", threat.levels)
    picture = basis.pack(change.double())
    return max(
        (
            float(picture[(..., *band.slices)].abs().max())
            for band in basis.bands
            if threat.bands is not None and band.name not in threat.bands
        ),
        default=0.0,
    )


@given(
    st.sampled_from(["linf", "l2"]),
    st.sampled_from(BANDS),
    st.sampled_from([0.0, 1e-4, 0.03, 0.5, 1.0]),
    st.floats(0, 2),
    st.integers(0, 99),
)
def test_no_perturbation_leaves_its_norm_its_range_or_its_bands(norm, bands, epsilon, saturated, seed):
    threat = Threat(norm, bands=bands, levels=2)
    images = images_of(3, seed, saturated)
    ball = threat.around(images, epsilon)
    wild = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
    attacked = ball.settled(ball.fit(wild))
    change = attacked.double() - images.double()
    size = change.abs().amax((1, 2, 3)) if norm == "linf" else change.flatten(1).norm(dim=1)
    assert float(size.max()) <= epsilon
    assert 0.0 <= float(attacked.min()) <= float(attacked.max()) <= 1.0
    assert outside(change, threat) < 1e-5


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_what_is_within_stays_as_it_is(norm, bands):
    ball = Threat(norm, bands=bands, levels=2).around(torch.full((2, 3, 8, 12), 0.5), 0.2)
    inside = 0.01 * ball.project(torch.randn(2, 3, 8, 12, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(ball.fit(inside), inside, rtol=0, atol=1e-7)


def test_saturated_pixels_silence_their_tile_and_no_other():
    images = torch.full((1, 1, 4, 4), 0.5)
    images[0, 0, :2, :2] = 1.0  # a tile that can only become darker holds no detail
    ball = Threat(bands=("HL1",), levels=1).around(images, 0.1)
    slope = torch.ones(1, 1, 4, 4)
    slope[..., ::2] = -1.0
    change = ball.fit(0.1 * ball.steepest(slope))
    assert float(change[0, 0, :2, :2].abs().max()) < 1e-6
    torch.testing.assert_close(change[0, 0, 2:], 0.1 * slope[0, 0, 2:])


@pytest.mark.parametrize(("band", "level"), [("HH1", 1), ("LH1", 1), ("HL2", 2)])
def test_in_one_band_every_tile_takes_the_whole_epsilon(band, level):
    """In one band all pixels of a tile change alike, so the best change is epsilon times a sign."""
    ball = Threat(bands=(band,), levels=2).around(torch.full((1, 1, 8, 8), 0.5), 0.1)
    slope = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    change = ball.fit(0.1 * ball.steepest(slope))
    torch.testing.assert_close(change.abs(), torch.full_like(change, 0.1))
    basis = WaveletBasis((8, 8), "haar", 2)
    (found,) = (each for each in basis.bands if each.name == band)
    gain = float((change * slope).sum())
    best = 0.1 * 2**level * float(basis.pack(slope)[(..., *found.slices)].abs().sum())
    assert gain == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("bands", BANDS)
def test_the_steepest_direction_has_norm_one_and_climbs(bands):
    slope = torch.randn(2, 3, 8, 12, generator=torch.Generator().manual_seed(3))
    for norm, order in (("linf", math.inf), ("l2", 2)):
        ball = Threat(norm, bands=bands, levels=2).around(images_of(2), 0.1)
        direction = ball.steepest(slope)
        size = torch.linalg.vector_norm(direction.flatten(1), order, dim=1)
        torch.testing.assert_close(size, torch.ones(2))
        assert ((direction * slope).sum((1, 2, 3)) > 0).all()
    along = ball.project(slope)
    torch.testing.assert_close(direction, along / along.flatten(1).norm(dim=1)[:, None, None, None])
    torch.testing.assert_close(ball.steepest(1e-30 * slope), direction)
    assert not ball.steepest(torch.zeros_like(slope)).any()


def test_random_starts_stay_inside_and_repeat_with_their_seed():
    images = images_of(2)
    for norm in ("linf", "l2"):
        ball = Threat(norm).around(images, 0.2)
        first, again = (ball.random(torch.Generator().manual_seed(4)) for _ in range(2))
        assert torch.equal(first, again)
        assert first.abs().max() > 0
        torch.testing.assert_close(ball.fit(first), first)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"norm": "l1"}, "norm: found 'l1'; accepted are linf, l2"),
        ({"levels": 0}, "levels: found 0;"),
        ({"bands": ()}, "bands: found none;"),
        ({"bands": ("LH4",)}, "bands: found 'LH4'; with levels=3 accepted are A3, LH3"),
        ({"bands": ("A2",), "levels": 1}, "bands: found 'A2'; with levels=1 accepted are A1, LH1, HL1, HH1"),
    ],
)
def test_settings_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Threat(**settings)


def test_one_band_may_be_given_by_its_name_alone():
    assert Threat(bands="HH2") == Threat(bands=("HH2",))


@pytest.mark.parametrize(
    ("norm", "epsilon", "message"),
    [
        ("linf", 8, "epsilon: found 8; divide by 255; accepted for linf is a number from 0 to 1,"),
        ("linf", -0.1, "epsilon: found -0.1; accepted"),
        ("l2", 17.0, "epsilon: found 17.0; accepted for l2 is a number from 0 to 16.97"),
        ("linf", math.nan, "epsilon: found nan; accepted"),
        ("linf", True, "epsilon: found True; accepted"),
        ("linf", "0.1", "epsilon: found '0.1'; accepted"),
    ],
)
def test_an_epsilon_outside_its_range_is_refused(norm, epsilon, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Threat(norm).ensure_epsilon(epsilon, images_of(1))


def test_a_numpy_number_is_an_epsilon():
    assert Threat().ensure_epsilon(np.float64(0.25), images_of(1)) == 0.25


def test_sides_that_tiles_do_not_fill_are_refused_only_with_bands():
    images = torch.full((1, 1, 6, 8), 0.5)
    with pytest.raises(
        ValueError, match="levels=2 with bands needs sides that 4 divides; found images of 6x8"
    ):
        Threat(bands=("HH1",), levels=2).around(images, 0.1)
    assert Threat(levels=2).around(images, 0.1).epsilon == 0.1
