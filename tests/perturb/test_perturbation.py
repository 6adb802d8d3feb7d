"""From weights to images: identity, baselines, and patches against whole inverse transforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from wcam_widget.basis import AbstractBasis, Cells, PixelBasis, WaveletBasis
from wcam_widget.explain import Perturbation

BASES = [
    PixelBasis((40, 52)),
    WaveletBasis((40, 52), "haar", 3),
    WaveletBasis((41, 53), "haar", 2),
    WaveletBasis((40, 53), "db4", 3),
    WaveletBasis((40, 52), "bior2.2", 2),
]


def photograph(basis: AbstractBasis, channels: int = 3) -> Tensor:
    return torch.rand(channels, *basis.size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("basis", BASES, ids=repr)
@pytest.mark.parametrize("channels", [1, 3])
def test_all_ones_give_the_image_and_all_zeros_the_baseline(basis: AbstractBasis, channels: int) -> None:
    image = photograph(basis, channels)
    cells = Cells.regular(basis, 4)
    perturbation = Perturbation.from_image(image, basis, cells)
    assert (perturbation.rebuild(torch.ones(len(cells))) - image).abs().max() < 1e-5
    mean = image.mean((1, 2), keepdim=True).expand_as(image)
    torch.testing.assert_close(perturbation.rebuild(torch.zeros(len(cells))), mean, atol=1e-5, rtol=0)


@pytest.mark.parametrize("basis", BASES, ids=repr)
@pytest.mark.parametrize("cut", ["regular", "dyadic"])
def test_patches_change_one_cell_as_a_whole_inverse_would(basis: AbstractBasis, cut: str) -> None:
    cells = Cells.regular(basis, 3) if cut == "regular" else Cells.dyadic(basis, 6)
    perturbation = Perturbation.from_image(photograph(basis), basis, cells)
    base, other = torch.rand(2, len(cells), generator=torch.Generator().manual_seed(1))
    make = perturbation.images_one_at_a_time(base, other)
    expected = base.repeat(len(cells), 1)
    expected[range(len(cells)), range(len(cells))] = other
    images = torch.cat([make(start, min(start + 7, len(cells))) for start in range(0, len(cells), 7)])
    torch.testing.assert_close(images, perturbation.images(expected), atol=3e-6, rtol=0)


def test_images_of_some_cells_are_those_of_all_in_the_order_asked() -> None:
    basis = WaveletBasis((40, 53), "db4", 3)
    cells = Cells.regular(basis, 4)
    perturbation = Perturbation.from_image(photograph(basis), basis, cells)
    base, other = torch.rand(2, len(cells), generator=torch.Generator().manual_seed(1))
    which = np.array([70, 3, 3, 159, 12, 71, 0])
    everything = perturbation.images_one_at_a_time(base, other)(0, len(cells))
    make = perturbation.images_one_at_a_time(base.double(), other.double(), which)
    torch.testing.assert_close(torch.cat([make(0, 4), make(4, 7)]), everything[which])
    torch.testing.assert_close(make(2, 5), everything[which[2:5]])


def test_rows_after_the_first_make_no_patches_and_move_no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    basis = WaveletBasis((40, 52), "db2", 2)
    cells = Cells.regular(basis, 4)
    perturbation = Perturbation.from_image(photograph(basis), basis, cells)
    base, other = torch.rand(2, len(cells), generator=torch.Generator().manual_seed(1))
    which = np.array([90, 3, 17])
    first = perturbation.images_one_at_a_time(base, other, which)(0, 3)
    monkeypatch.setattr(WaveletBasis, "patches", None)
    monkeypatch.setattr(Cells, "index", None)
    assert torch.equal(perturbation.images_one_at_a_time(base, other, which)(0, 3), first)
    torch.testing.assert_close(
        perturbation.images_one_at_a_time(other, base, which)(0, 3)
        + first,  # each sum exchanges one weight between two images
        (perturbation.rebuild(base) + perturbation.rebuild(other)).expand_as(first),
    )


def test_masks_are_those_the_cells_paint() -> None:
    basis = WaveletBasis((40, 53), "db4", 3)  # with gaps
    cells = Cells.regular(basis, 4)
    perturbation = Perturbation.from_image(photograph(basis), basis, cells)
    weights = torch.rand(3, len(cells), generator=torch.Generator().manual_seed(1))
    assert torch.equal(perturbation._masks(weights), cells.paint(weights))


@settings(max_examples=20)
@given(st.floats(0, 1), st.floats(0, 1))
def test_images_are_affine_in_the_weights(first: float, second: float) -> None:
    basis = BASES[1]
    cells = Cells.regular(basis, 2)
    perturbation = Perturbation.from_image(photograph(basis), basis, cells)
    a, b = torch.rand(2, len(cells), generator=torch.Generator().manual_seed(2))
    ends = perturbation.images(torch.stack([a, b]))
    between = perturbation.rebuild(first * a + (1 - first) * b)
    torch.testing.assert_close(between, first * ends[0] + (1 - first) * ends[1], atol=1e-5, rtol=0)


def test_baselines() -> None:
    basis = WaveletBasis((40, 52), "haar", 2)
    cells, image = Cells.regular(basis, 2), photograph(basis)
    nothing = torch.zeros(len(cells))
    assert Perturbation.from_image(image, basis, cells, "black").rebuild(nothing).abs().max() < 1e-6
    blurred = Perturbation.from_image(image, basis, cells, "blurred").rebuild(nothing)
    assert 0 < blurred.std() < image.std() / 4
    own = Perturbation.from_image(image, basis, cells, torch.full((3, 40, 52), 0.25)).rebuild(nothing)
    torch.testing.assert_close(own, torch.full((3, 40, 52), 0.25), atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="baseline='grey' is unknown; mean, black, blurred or an image"):
        Perturbation.from_image(image, basis, cells, "grey")
    with pytest.raises(ValueError, match=r"baseline has shape \(3, 8, 8\); the image .* \(3, 40, 52\)"):
        Perturbation.from_image(image, basis, cells, torch.zeros(3, 8, 8))


def test_clip_bounds_images_and_nothing_else_does() -> None:
    basis = WaveletBasis((40, 52), "haar", 2)
    cells, image = Cells.regular(basis, 2), photograph(basis).round()
    weights = torch.rand(len(cells), generator=torch.Generator().manual_seed(3))
    free = Perturbation.from_image(image, basis, cells)
    clipped = Perturbation.from_image(image, basis, cells, clip=True)
    assert free.rebuild(weights).max() > 1
    torch.testing.assert_close(clipped.rebuild(weights), free.rebuild(weights).clamp(0, 1))
    bounded = clipped.images_one_at_a_time(weights, 1 - weights)(0, 5)
    assert 0 <= bounded.min() <= bounded.max() <= 1
