"""Wcam.as_published against the recorded outputs of the published code."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from tests.explain.conftest import recorded
from wcam_widget import BlackBox, WaveletBasis, Wcam
from wcam_widget.explain.wcam.published import exchanged, published_jansen, straddling_cells

CASES = [(8, 8, 3), (8, 16, 3), (4, 32, 2)]


def published_order(grid: int, rows: int, levels: int) -> np.ndarray:
    """The whole design in the recorded order: A, B, then all rows of C_0, C_1, …"""
    design = Wcam.as_published(grid, rows, levels).design()
    masks = np.stack([exchanged(row) for row in design])
    return np.concatenate([masks[:, 0], masks[:, 1], masks[:, 2:].transpose(1, 0, 2).reshape(-1, grid**2)])


@pytest.mark.parametrize(("grid", "rows", "levels"), CASES)
def test_the_design_is_the_recorded_one_exactly(grid: int, rows: int, levels: int) -> None:
    reference, name = recorded("wcam_reference.npz"), f"g{grid}_n{rows}_j{levels}"
    masks = published_order(grid, rows, levels)
    np.testing.assert_array_equal(masks[:4], reference[f"{name}.masks_head"])
    assert hashlib.sha256(masks.tobytes()).digest() == reference[f"{name}.masks_sha256"].tobytes()


def test_perturbed_images_are_within_one_grey_level(image: torch.Tensor) -> None:
    detail = recorded("wcam_reference_detail.npz")
    method, basis = Wcam.as_published(8, 8, 3, approximation=False), WaveletBasis((64, 64), "haar", 3)
    picture = basis.pack(image)
    np.testing.assert_allclose(picture.permute(1, 2, 0), detail["mallat"], atol=1e-5)
    images = method.images(picture, basis, torch.from_numpy(detail["masks"][:6]))
    grey = (images * 255).round().permute(0, 2, 3, 1).numpy()
    assert np.abs(grey - detail["perturbed_uint8"]).max() <= 1


def test_scores_are_the_recorded_ones(image: torch.Tensor, published_model: BlackBox) -> None:
    detail = recorded("wcam_reference_detail.npz")
    method, basis = Wcam.as_published(8, 8, 3, approximation=False), WaveletBasis((64, 64), "haar", 3)
    images = method.images(basis.pack(image), basis, torch.from_numpy(detail["masks"]))
    np.testing.assert_allclose(published_model.logits(images)[:, 2], detail["scores"], atol=1e-2)


def test_indices_from_the_recorded_scores() -> None:
    detail = recorded("wcam_reference_detail.npz")
    scores = detail["scores"].astype(float).reshape(66, 8).T
    np.testing.assert_allclose(published_jansen(scores).reshape(8, 8), detail["total_index"], atol=1e-5)
    np.testing.assert_allclose(published_jansen(scores), detail["estimator.jansen"], atol=1e-5)


@pytest.mark.parametrize(("grid", "rows", "levels"), CASES)
def test_whole_runs_give_the_recorded_indices(
    grid: int, rows: int, levels: int, image: torch.Tensor, published_model: BlackBox
) -> None:
    method = Wcam.as_published(grid, rows, levels, approximation=False)
    (attribution,) = method(published_model, image[None], [2])
    expected = recorded("wcam_reference.npz")[f"g{grid}_n{rows}_j{levels}.total_index"]
    side = 64 // grid
    np.testing.assert_allclose(attribution.packed()[::side, ::side], expected, atol=1e-3)
    assert attribution.evaluations == rows * (grid**2 + 2) == attribution.planned


def test_cells_that_straddle_bands_are_cut_but_keep_one_value() -> None:
    cells, owner = straddling_cells(WaveletBasis((224, 224), "haar", 3), 28)
    assert len(np.unique(owner)) == 784
    assert len(cells) > 784
    straddling = np.flatnonzero(owner == 3)
    assert {cells.bands[band].name for band in cells.groups[straddling]} == {"A3", "HL3"}


def test_a_grid_that_does_not_divide_takes_the_nearest_cell() -> None:
    # Nearest-neighbour scaling: pixel i of 128 lies in cell floor(28 i / 128).
    basis, method = WaveletBasis((128, 128), "haar", 3), Wcam.as_published(28, 2, 3)
    cells, owner = straddling_cells(basis, 28)
    row = np.arange(128) * 28 // 128
    np.testing.assert_array_equal(cells.packed(owner.astype(float)), row[:, None] * 28 + row)
    mask = torch.zeros(1, 784)
    mask[0, 27] = 1.0
    image = method.images(torch.ones(1, 128, 128), basis, mask)
    kept = torch.zeros(1, 128, 128)
    kept[:, row[:, None] * 28 + row == 27] = 1.0
    expected = basis.unpack(kept)
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    assert (image[0] - expected).abs().max() <= 1 / 255 + 1e-6


@pytest.mark.parametrize(
    ("size", "arguments", "message"),
    [
        ((64, 48), {}, "image of 64x48 pixels does not suit"),
        ((60, 60), {"grid": 6, "levels": 3}, r"2\*\*levels=8 divides"),
        ((16, 16), {"grid": 28}, "at least grid=28 pixels"),
    ],
)
def test_images_that_do_not_divide_are_refused(size: tuple, arguments: dict, message: str) -> None:
    method = Wcam.as_published(**{"grid": 8, "rows": 2, **arguments})
    with pytest.raises(ValueError, match=message):
        method(lambda images: images.mean((2, 3)), torch.rand(1, 3, *size))
