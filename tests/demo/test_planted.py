"""Planted cues: the network sees one place, at every position alike, and tells the image from its like."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from wcam_widget import load_demo
from wcam_widget.demo.planted import AMPLITUDE, PlantedCue, blurred, plant


@pytest.fixture(scope="module")
def planted() -> list[PlantedCue]:
    images = load_demo().images[:3]
    return [plant(image, np.random.default_rng(seed)) for seed, image in enumerate(images)]


def test_the_cue_is_seen_and_its_absence_too(planted):
    for one in planted:
        basis_cells = one.cells.rectangles[one.cell]
        assert basis_cells[0] == one.band
        assert one.image.min() >= 0
        assert one.image.max() <= 1
        cue, no_cue = one.model.logits(one.image[None])[0].tolist()
        assert cue > 0 > no_cue
        assert cue == pytest.approx(6 * np.tanh(1.0), abs=0.2)


def test_the_cue_is_faint(planted):
    demo = load_demo().images[:3]
    for one, image in zip(planted, demo, strict=True):
        if one.band == 0:
            continue  # an approximation is replaced by a pattern, so its mean goes with it
        faded = AMPLITUDE + (1 - 2 * AMPLITUDE) * image
        top, left, bottom, right = one.cells.support[one.cell].astype(int)
        change = (one.image - faded).abs()
        change[:, top:bottom, left:right] = 0.0
        assert float(change.max()) < 1e-5  # nothing happens outside of the cell's place


def test_agreement_is_the_template_against_the_image_over_its_contrast(planted):
    net = planted[0].model.net
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    grey = images.mean(1).double().numpy()
    kernel = net.match.weight[0, 0].detach().double().numpy()
    window = net.window.double().numpy()
    row, column = net.place
    top, left = row - kernel.shape[0] // 2, column - kernel.shape[1] // 2
    for image, found in zip(grey, net.agreement(images).tolist(), strict=True):
        response = (image[top : top + kernel.shape[0], left : left + kernel.shape[1]] * kernel).sum()
        contrast = np.sqrt((window * (image - (window * image).sum()) ** 2).sum())
        expected = response / (contrast + 0.02)
        assert found == pytest.approx(expected if expected > 0 else 0.2 * expected, rel=1e-4)


def test_an_image_without_contrast_has_gradients(planted):
    flat = torch.full((1, 3, 128, 128), 0.5, requires_grad=True)
    planted[0].model.net(flat)[0, 0].backward()
    assert torch.isfinite(flat.grad).all()


def test_the_cue_s_place_is_half_open(planted):
    one = planted[0]
    top, _, bottom, right = one.cells.support[one.cell].astype(int)
    heat = np.zeros((128, 128))
    heat[bottom - 1, right - 1] = 1.0
    assert one.on_cue(heat)
    heat[:] = 0.0
    heat[top, min(right, 127)] = 1.0
    assert one.on_cue(heat) == (right == 128)


def test_blurring_is_a_gaussian_s():
    picture = torch.zeros(31, 31)
    picture[15, 12] = 1.0
    expected = ndimage.gaussian_filter(picture.numpy(), 2.0, mode="constant", radius=6)
    np.testing.assert_allclose(blurred(picture, 2.0).numpy(), expected, atol=1e-6)
