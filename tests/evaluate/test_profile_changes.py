"""Changes of profiles under corruptions of which it is known what they take: levels, tests, bad input."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget import Derivative, GradCam, Wcam, failures, profile_changes, profiles
from wcam_widget.basis import WaveletBasis

QUICK = Wcam(Derivative(rows=4), levels=2, grid=1)
SIDE, COUNT = 16, 8


class Energies(nn.Module):
    """The energy of HL1 and LH2 against a threshold, above which it is while the fine stripes are sharp."""

    def __init__(self):
        super().__init__()
        self.basis = WaveletBasis((SIDE, SIDE), levels=2)

    def forward(self, images):
        picture = self.basis.pack(images)
        parts = {band.name: picture[(..., *band.slices)].square().sum((1, 2, 3)) for band in self.basis.bands}
        energy = parts["HL1"] + parts["LH2"]
        return torch.stack([energy, torch.full_like(energy, 4.0)], 1)


energies = Energies()


@pytest.fixture(scope="module")
def images():
    """Fine stripes one way, broad ones the other, and some noise."""
    places = torch.arange(SIDE)
    fine, broad = (places % 2)[None, :], (places // 2 % 2)[:, None]
    noise = 0.05 * torch.rand(COUNT, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return 0.1 + 0.3 * fine + 0.1 * broad + noise


@pytest.fixture(scope="module")
def result(images):
    return failures(energies, images, corruptions=["pixelate", "brightness"], severities=[2])


@pytest.fixture(scope="module")
def changes(images, result):
    return profile_changes(energies, images, result, QUICK)


def test_pixels_of_two_take_the_finest_level_and_brightness_takes_nothing(changes):
    table = changes.table()
    assert table["corruption"].tolist() == ["pixelate"] * 3 + ["brightness"] * 3
    assert table["name"].tolist() == ["A2", "level 2", "level 1"] * 2
    np.testing.assert_allclose(table["clean"][:3], [0, 0, 1], atol=0.05)
    np.testing.assert_allclose(table["corrupted"], [0, 1, 0, *table["clean"][:3]], atol=1e-4)
    np.testing.assert_allclose(table["change"], table["corrupted"] - table["clean"], atol=1e-9)
    assert table["change"].between(table["low"], table["high"]).all()
    # The fewest signs of 8 images, by Holm over six changes.
    np.testing.assert_allclose(table["p"], [1, 12 / 2**COUNT, 12 / 2**COUNT, 1, 1, 1])
    assert table["accuracy"].tolist() == [0] * 3 + [1] * 3
    assert table["accuracy"].between(table["accuracy.low"], table["accuracy.high"]).all()


def test_changes_are_those_of_profiles_of_each_version(images, result, changes):
    flip = result.flips[0]
    again = profiles(energies, result.corrupted(images, flip)[None], QUICK, targets=int(flip.before))
    stored = changes.profiles.values()[changes.profiles.models.index("pixelate 2"), flip.image]
    assert flip.image == 0  # the one whose masks are those of a lone image
    np.testing.assert_allclose(stored, again.shapley[0, 0], atol=1e-6)


def test_what_moved_stands_beside_accuracy(changes):
    moved = changes.moved()
    assert moved["accuracy"].tolist() == [0, 1]
    np.testing.assert_allclose(moved["moved"], [1, 0], atol=0.05)
    assert moved["p"][0] < 0.05 < moved["p"][1]
    said = changes.summary()
    assert "pixelate 2 leaves an accuracy of 0% (0% to 32%); there 9" in said
    assert "2 of 6 changes of levels are certain over 8 images, most: pixelate 2: level " in said
    assert "8 images" in repr(changes)


def test_groups_are_levels_bands_or_filters(changes):
    assert changes.table("orientation")["name"].tolist()[:4] == ["A", "LH", "HL", "HH"]
    assert changes.values("band").shape == (2, COUNT, 7)
    with pytest.raises(ValueError, match="by: found 'scale'"):
        changes.table("scale")


def test_the_figure_has_a_row_for_each_version(changes):
    figure = changes.plot()
    accuracy, heat = figure.axes[:2]
    assert [label.get_text() for label in accuracy.get_yticklabels()] == list(changes.profiles.models[1:])
    bold = [text.get_text() for text in heat.texts if text.get_fontweight() == "bold"]
    assert len(heat.texts) == 6
    assert sorted(text[0] for text in bold) == ["+", "-"]


def test_one_image_has_no_limits_and_nothing_certain(images, result):
    one = profile_changes(energies, images[:1], result, QUICK)
    assert np.isinf(one.table()["low"]).all()
    assert one.plot().axes
    assert one.summary().endswith("No change of a level is certain, of 1 image.")


def test_images_of_a_stream_are_those_of_a_batch(images, result, changes):
    streamed = profile_changes(energies, iter(images[:2]), result, QUICK)
    np.testing.assert_allclose(streamed.values(), changes.values()[:, :2], atol=1e-6)


def test_bad_input_is_named(images, result):
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    too_many = "accepted are the 8 of result, or the first of them"
    with pytest.raises(ValueError, match=re.escape(f"images: found 9; {too_many}")):
        profile_changes(energies, torch.rand(9, 1, SIDE, SIDE), result, QUICK)
    with pytest.raises(ValueError, match=re.escape(f"images: found more; {too_many}")):
        profile_changes(energies, iter(torch.cat([images, images[:1]])), result, QUICK)
    with pytest.raises(ValueError, match=r"method: .* gives no Shapley effects"):
        profile_changes(net, images, result, GradCam())
    with pytest.raises(ValueError, match="repeats: found 0"):
        profile_changes(energies, images, result, repeats=0)
