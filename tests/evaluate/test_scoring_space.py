"""How a map of one domain scores the cells of another."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wcam_widget import Sobol, Wcam
from wcam_widget.basis import Cells, PixelBasis, WaveletBasis
from wcam_widget.evaluate import deletion, insertion, mu_fidelity
from wcam_widget.evaluate.carried import carried, over_support
from wcam_widget.evaluate.scoring_space import Domain

heats = arrays(np.float64, (12, 20), elements=st.floats(-1, 1, width=16))
HAAR = WaveletBasis((12, 20), levels=2)


def score(images):
    return images[:, :, :5].square().mean((2, 3))


@pytest.fixture(scope="module")
def wcam_map():
    image = torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(0))
    (found,) = Wcam(Sobol(rows=4), levels=2, grid=3)(score, image)
    return found


def counted(heat, cells):
    """The mean of a map over each support, pixel by pixel."""
    means = []
    for top, left, bottom, right in cells.support:
        shares = np.array(
            [
                [
                    max(0.0, min(bottom, row + 1) - max(top, row))
                    * max(0.0, min(right, column + 1) - max(left, column))
                    for column in range(heat.shape[1])
                ]
                for row in range(heat.shape[0])
            ]
        )
        means.append((shares * heat).sum() / shares.sum())
    return np.array(means)


@given(heats)
@settings(deadline=None, max_examples=20)
def test_a_map_scores_a_cell_by_its_mean_over_the_support(heat):
    cells = Cells.regular(HAAR, 3)
    np.testing.assert_allclose(over_support(heat, cells, density=True), counted(heat, cells), atol=1e-12)


@given(heats)
@settings(deadline=None, max_examples=20)
def test_supports_between_pixels_take_their_share(heat):
    cells = Cells.regular(WaveletBasis((12, 20), "db2", levels=1), 2)
    np.testing.assert_allclose(over_support(heat, cells, density=True), counted(heat, cells), atol=1e-12)


@given(heats)
@settings(deadline=None, max_examples=20)
def test_pixels_keep_a_map_and_large_cells_gain_nothing(heat):
    pixels = Cells.dyadic(PixelBasis((12, 20)), 1)
    assert np.array_equal(carried(heat, PixelBasis((12, 20)), pixels), heat.flatten())
    even = carried(np.full((12, 20), 2.0), HAAR, Cells.dyadic(HAAR, 2))
    np.testing.assert_allclose(even, 2.0)


def test_cells_over_one_place_are_equal_and_go_from_coarse_to_fine():
    basis = WaveletBasis((12, 24), levels=2)
    heat = np.random.default_rng(0).random((12, 24))
    by_band = carried(heat, basis, Cells.regular(basis, 3)).reshape(7, 9)
    assert (by_band == by_band[0]).all()


def test_own_cells_keep_their_values_and_pixels_take_the_spatial_map(wcam_map):
    assert carried(wcam_map, wcam_map.basis, wcam_map.cells) is wcam_map.values
    pixels = Cells.dyadic(PixelBasis((12, 20)), 1)
    found = carried(wcam_map, PixelBasis((12, 20)), pixels)
    np.testing.assert_allclose(found, wcam_map.spatial().flatten(), atol=1e-12)


@pytest.mark.parametrize("wavelet", ["haar", "db3"])
def test_the_same_bands_keep_what_each_band_holds(wcam_map, wavelet):
    basis = WaveletBasis((12, 20), wavelet, levels=2)
    cells = Cells.regular(basis, 1)
    found = carried(wcam_map, basis, cells)
    sums = [wcam_map.values[wcam_map.cells.groups == band].sum() for band in range(7)]
    np.testing.assert_allclose(found, sums, rtol=1e-9)


def test_other_bands_are_reached_through_the_image(wcam_map):
    basis = WaveletBasis((12, 20), levels=1)
    cells = Cells.regular(basis, 2)
    expected = over_support(wcam_map.spatial(), cells, density=True)
    assert np.array_equal(carried(wcam_map, basis, cells), expected)


@pytest.mark.parametrize(
    ("size", "cells"), [((128, 128), 640), ((64, 80), 640), ((32, 40), 160), ((8, 8), 10)]
)
def test_the_wavelet_domain_by_name_fits_every_image(size, cells):
    space = Domain("wavelet").scoring_space(size)
    assert len(space.cells(space.basis(size))) == cells


def test_maps_beside_are_scored_as_if_alone():
    images = torch.rand(2, 3, 18, 18, generator=torch.Generator().manual_seed(2))
    maps = {
        name: torch.rand(2, 18, 18, generator=torch.Generator().manual_seed(i))
        for i, name in enumerate("abc")
    }
    model = lambda batch: batch.square().mean((2, 3))  # noqa: E731 a model in one line
    for measure in (insertion, deletion, mu_fidelity):
        domain = Domain("pixels", beside={name: maps[name] for name in "bc"})
        together = measure(model, images, maps["a"], [0, 1], domain)
        assert list(together.null) == ["energy", "random", "centre", "b", "c"]
        for name in "bc":
            alone = measure(model, images, maps[name], [0, 1], "pixels")
            np.testing.assert_allclose(together.null[name].values, alone.values, rtol=1e-6)


def test_maps_beside_are_checked_by_their_name():
    images = torch.rand(2, 3, 18, 18)
    model = lambda batch: batch.mean((2, 3))  # noqa: E731
    with pytest.raises(ValueError, match="beside has 1 entries for 2 images"):
        insertion(model, images, images[:, 0], [0, 1], Domain("pixels", beside={"b": images[:1, 0]}))
    with pytest.raises(ValueError, match="beside: found 'energy', which names a null ranking"):
        Domain("pixels", beside={"energy": images[:, 0]})
