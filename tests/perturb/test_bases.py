"""Perturbations in every kind of basis: identity, baseline, single cells, approximations of all parts."""

from __future__ import annotations

import pytest
import torch

from wcam_widget.basis import (
    AbstractBasis,
    Cells,
    ColourBasis,
    FourierBasis,
    PacketBasis,
    PixelBasis,
    WaveletBasis,
)
from wcam_widget.explain import Perturbation

SIZE = (40, 53)
BASES = [
    WaveletBasis(SIZE, "haar", 3, (5, 2)),
    WaveletBasis(SIZE, "db2", 2, (0, 3)),
    PacketBasis(SIZE, "haar", 2),
    PacketBasis(SIZE, "db3", 2),
    FourierBasis(SIZE, "rings"),
    FourierBasis(SIZE, "grid", 5),
    ColourBasis(WaveletBasis(SIZE, "haar", 2), "channels"),
    ColourBasis(WaveletBasis(SIZE, "db2", 2), "luma"),
    ColourBasis(PixelBasis(SIZE), "luma"),
    ColourBasis(FourierBasis(SIZE, "squares", 4), "channels"),
]
every_basis = pytest.mark.parametrize("basis", BASES, ids=repr)


def perturbation_of(basis: AbstractBasis, cells: Cells) -> Perturbation:
    image = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(0))
    return Perturbation.from_image(image, basis, cells)


@every_basis
def test_all_ones_give_the_image_and_all_zeros_the_mean_colour(basis: AbstractBasis) -> None:
    perturbation = perturbation_of(basis, Cells.whole(basis))
    image = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(0))
    count = len(perturbation.cells)
    assert (perturbation.rebuild(torch.ones(count)) - image).abs().max() < 1e-5
    mean = image.mean((1, 2), keepdim=True).expand_as(image)
    torch.testing.assert_close(perturbation.rebuild(torch.zeros(count)), mean, atol=1e-5, rtol=0)


@every_basis
@pytest.mark.parametrize("cut", ["whole", "regular", "dyadic"])
def test_one_cell_changes_as_a_whole_inverse_would(basis: AbstractBasis, cut: str) -> None:
    grid = 1 if max(band.scale for band in basis.bands) >= max(SIZE) else 3
    cells = {
        "whole": lambda: Cells.whole(basis),
        "regular": lambda: Cells.regular(basis, grid),
        "dyadic": lambda: Cells.dyadic(basis, 7),
    }[cut]()
    perturbation = perturbation_of(basis, cells)
    base, other = torch.rand(2, len(cells), generator=torch.Generator().manual_seed(1))
    which = torch.randperm(len(cells), generator=torch.Generator().manual_seed(2))[:40].numpy()
    images = perturbation.images_one_at_a_time(base, other, which)(0, len(which))
    expected = base.repeat(len(which), 1)
    expected[range(len(which)), which] = other[which]
    torch.testing.assert_close(images, perturbation.images(expected), atol=5e-6, rtol=0)
