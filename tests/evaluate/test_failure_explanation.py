"""Clean against corrupted under the same masks: nothing differs from itself, and what was planted is seen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from wcam_widget import Derivative, Margin, Sobol, WaveletBasis, Wcam, explain_failure
from wcam_widget.sensitivity.statistics.jackknife import replicated
from wcam_widget.sensitivity.statistics.multiple_tests import p_differing


class Bands(nn.Module):
    """Scores of two classes: the energy of fine vertical stripes, and of coarse structure."""

    def __init__(self):
        super().__init__()
        self.basis = WaveletBasis((32, 32), levels=2)

    def forward(self, images):
        picture = self.basis.pack(images)
        energies = {
            band.name: picture[(..., *band.slices)].square().mean((1, 2, 3)) for band in self.basis.bands
        }
        return torch.stack([energies["HL1"], 0.005 + 5.0 * energies["HL2"]], 1)


def stripes(fine, seed=0):
    """Noise with fine vertical stripes of this strength."""
    noise = 0.1 * torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(seed))
    columns = torch.arange(32) % 2
    return (0.4 + fine * columns + noise).clamp(0, 1)


METHOD = Wcam(Derivative(rows=64), levels=2, grid=2)


@pytest.fixture(scope="module")
def explained():
    """Fine stripes that a corruption takes away."""
    return explain_failure(Bands(), stripes(0.3), stripes(0.0), METHOD)


def test_an_image_does_not_differ_from_itself():
    explained = explain_failure(Bands(), stripes(0.3), stripes(0.3), METHOD, Margin(0, 1))
    assert not explained.flipped
    np.testing.assert_array_equal(explained.difference.cells.value, 0)
    assert not explained.bands_changed.any()
    assert not explained.cells_changed.any()
    assert "Of levels and orientations none changed for certain. " in explained.summary()
    assert "No single band changed for certain. No single cell changed for certain." in explained.summary()


def test_the_band_that_lost_is_named(explained):
    assert explained.classes == (0, 1)
    assert explained.clean.target == "margin of class 0 over class 1"
    bands = explained.bands()
    assert isinstance(bands, pd.DataFrame)
    stripe = bands.set_index("band").loc["HL1"]
    assert stripe["changed"]
    assert stripe["high"] < 0
    assert "HL1 lost" in explained.summary()
    assert explained.spatial().shape == (32, 32)
    assert explained.spatial().sum() == pytest.approx(explained.difference.cells.value.sum())


def test_the_level_and_the_orientation_that_lost_are_named_before_bands(explained):
    levels = explained.groups().set_index("name")
    assert list(levels.index) == ["A2", "level 2", "level 1"]
    assert levels.loc["level 1", "difference"] < -0.5
    assert levels.loc["level 1", "high"] < 0
    assert levels.loc["level 1", "p"] < 0.05
    np.testing.assert_allclose(levels["difference"], levels["corrupted"] - levels["clean"], atol=1e-9)
    np.testing.assert_allclose(levels[["clean", "corrupted"]].sum(), 1)
    assert list(explained.groups("orientation")["name"]) == ["A", "LH", "HL", "HH"]
    said = explained.summary()
    assert said.index("Of levels and orientations level 2 gained") < said.index("Shares of bands: ")
    assert "level 1 lost" in said
    with pytest.raises(ValueError, match="by: found 'scale'"):
        explained.groups("scale")


def test_of_effects_without_replicates_nothing_is_said(explained):
    groups = replace(explained.clean.estimate.groups, shapley_left_out=None)
    clean = replace(explained.clean, estimate=replace(explained.clean.estimate, groups=groups))
    silent = replace(explained, clean=clean)
    assert "levels" not in silent.summary()
    with pytest.raises(ValueError, match="gave no Shapley effects of bands with replicates"):
        silent.groups()


def test_tables_hold_bands_places_and_tests(explained):
    cells = explained.cells()
    assert list(cells) == [
        "band", "level", "orientation", "clean", "corrupted", "difference", "low", "high", "p", "changed",
        "top", "left", "bottom", "right",
    ]  # fmt: skip
    assert len(cells) == 28
    np.testing.assert_allclose(cells["difference"], cells["corrupted"] - cells["clean"])
    assert cells["p"].between(0, 1).all()


def test_other_analyses_and_targets_are_taken():
    method = Wcam(Sobol(rows=16), levels=2, grid=2)
    explained = explain_failure(Bands(), stripes(0.3), stripes(0.0), method, 0)
    assert explained.clean.target == explained.corrupted.target == "logit of class 0"
    assert explained.bands()["changed"].dtype == bool


def test_sizes_must_agree():
    with pytest.raises(ValueError, match=r"corrupted: found \(3, 16, 16\); image has \(3, 32, 32\)"):
        explain_failure(Bands(), stripes(0.3), torch.rand(3, 16, 16), METHOD)


def test_two_sided_tests_are_right_as_often_as_they_say():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(16, 4000))
    null = replicated(lambda kept: rows[kept].mean(0), 16)
    p = p_differing(null)
    assert 0.035 < (p < 0.05).mean() < 0.065
    moved = replicated(lambda kept: rows[kept].mean(0) - 2.0, 16)
    assert (p_differing(moved) < 0.05).mean() > 0.99
