"""A space by itself, and that all methods mean the same by one."""

import numpy as np
import pytest
import torch

from wcam_widget import BlackBox, CartoonX, GradCam, PixelBasis, Sobol, WaveletBasis, WaveletGradient, Wcam
from wcam_widget.basis import Cells
from wcam_widget.perturb.space import Space, coefficients

SIZE = (12, 16)
IMAGE = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(4))


def means(images: torch.Tensor) -> torch.Tensor:
    return images.mean((2, 3))


@pytest.mark.parametrize(
    ("space", "count"),
    [
        (Space(levels=2, grid=2), 7 * 2 * 2),
        (Space("pixels", grid=3), 3 * 3),
        (Space("fourier"), 8),
        (Space(lambda size: WaveletBasis(size, levels=1), grid=lambda basis: Cells.dyadic(basis, 3)), 24),
        (Space.per_coefficient(levels=1), 12 * 16),
        (Space.per_coefficient("pixels"), 12 * 16),
    ],
)
def test_weights_of_one_give_the_image_and_of_zero_the_baseline(space, count):
    probe = space.probe(means, IMAGE, 1)
    if count != 8:  # how many rings there are is the basis's own business
        assert len(probe.cells) == count
    every = torch.stack([torch.ones(len(probe.cells)), torch.zeros(len(probe.cells))])
    full, empty = probe.images(every)
    torch.testing.assert_close(full, IMAGE, atol=1e-5, rtol=0)
    assert float(probe(every)[0]) == pytest.approx(float(IMAGE[1].mean()), abs=1e-5)
    torch.testing.assert_close(empty.mean((1, 2)), IMAGE.mean((1, 2)), atol=1e-4, rtol=0)


def test_clipping_and_baseline_reach_the_images():
    space = Space(levels=1, grid=2, baseline="black", clip=True)
    images = space.probe(means, IMAGE).images(torch.rand(4, 16))
    assert 0.0 <= float(images.min()) <= float(images.max()) <= 1.0
    assert not space.probe(means, IMAGE).images(torch.zeros(1, 16)).any()


def test_methods_have_the_space_of_their_arguments_or_none():
    wcam = Wcam(Sobol(rows=2), "db2", 1, 2, "black", clip=True).space
    assert (wcam.wavelet, wcam.levels, wcam.grid, wcam.baseline, wcam.clip) == ("db2", 1, 2, "black", True)
    for method in (WaveletGradient(levels=2), CartoonX(levels=2)):
        assert method.space.grid is coefficients
        assert len(method.space.cells(method.space.basis(SIZE))) == 12 * 16
    assert WaveletGradient.as_published(levels=2).space.baseline == "black"
    assert Wcam().spun(2).space.grid is None
    assert GradCam().space is None
    assert Wcam.as_published().space is None  # its cells straddle bands


@pytest.mark.parametrize("method", [GradCam(), Wcam.as_published()])
def test_a_map_over_the_image_is_taken_apart_in_the_cells_of_the_default_space(method):
    probe, space = method.probe(BlackBox(means), IMAGE), Space()
    np.testing.assert_array_equal(probe.cells.rectangles, space.cells(space.basis(SIZE)).rectangles)


def test_bases_are_of_the_size_that_is_given():
    assert Space("pixels").basis(SIZE) == PixelBasis(SIZE)
    assert Space("db2", 1).basis(SIZE) == WaveletBasis(SIZE, "db2", 1)
    with pytest.raises(ValueError, match="levels=9 does not fit"):
        Space(levels=9).basis(SIZE)
    with pytest.raises(ValueError, match="grid=9 cells per side do not fit"):
        Space(levels=1, grid=9).probe(means, IMAGE)
