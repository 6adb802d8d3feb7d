"""The demo's images: what is drawn, and from where."""

import math

import pytest
import torch
from scipy.ndimage import gaussian_filter

from wcam_widget.demo.scenes import (
    CLASS_NAMES,
    HELD_OUT_COLUMNS,
    PHOTOGRAPH_SIZE,
    TRAIN_COLUMNS,
    _shape_masks,
    _texture_crops,
    add_noise,
    blur,
    draw_scenes,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_classes_are_every_texture_in_every_shape():
    assert len(set(CLASS_NAMES)) == 9
    assert CLASS_NAMES[0] == "brick-disc"
    assert CLASS_NAMES[5] == "grass-triangle"


@pytest.mark.parametrize("columns", [TRAIN_COLUMNS, HELD_OUT_COLUMNS])
def test_textures_are_cut_from_the_given_columns_only(columns):
    numbers = torch.arange(PHOTOGRAPH_SIZE).float().expand(3, PHOTOGRAPH_SIZE, PHOTOGRAPH_SIZE)
    used = _texture_crops(numbers, torch.zeros(200, dtype=torch.int64), columns, seeded()).unique()
    assert used.min() >= columns[0]
    assert used.max() < columns[1]
    assert len(used) > 0.9 * (columns[1] - columns[0])


def test_training_and_held_out_columns_do_not_meet():
    assert TRAIN_COLUMNS[1] <= HELD_OUT_COLUMNS[0]
    assert HELD_OUT_COLUMNS[1] <= PHOTOGRAPH_SIZE


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        # In units of the squared radius: pi r^2, a^2, and 3 sqrt(3) times the inradius squared.
        (0, math.pi * 0.85**2),
        (1, (2 * 0.76) ** 2),
        (2, 3 * math.sqrt(3) * 0.55**2),
    ],
)
def test_shapes_have_their_closed_form_areas_and_stay_inside(shape, area):
    masks = _shape_masks(torch.full((64,), shape), seeded())
    radius = 32.0 + 10.0 * torch.rand(64, generator=seeded())
    torch.testing.assert_close(masks.sum(dim=(1, 2, 3)), area * radius**2, rtol=0.02, atol=0)
    border = torch.cat((masks[..., 0, :], masks[..., -1, :], masks[..., 0], masks[..., -1]))
    assert float(border.max()) < 0.1  # the soft edge of a corner may reach it


def test_scenes_repeat_with_their_seed_and_differ_with_another():
    photographs = torch.rand(3, PHOTOGRAPH_SIZE, PHOTOGRAPH_SIZE, generator=seeded(9))
    labels = torch.tensor([0, 4, 8])
    first, again, other = (
        draw_scenes(photographs, labels, TRAIN_COLUMNS, seeded(seed)).images for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert float((first - other).abs().mean()) > 0.02
    assert 0 <= float(first.min()) < float(first.max()) <= 1


def test_blur_is_scipys():
    image = torch.rand(1, 3, 40, 50, generator=seeded())
    expected = gaussian_filter(image[0].double().numpy(), sigma=(0, 2.5, 2.5), mode="mirror", truncate=3.2)
    torch.testing.assert_close(blur(image, 2.5)[0].double(), torch.from_numpy(expected), atol=1e-5, rtol=0)


def test_noise_has_its_own_spread_for_each_image_and_is_clipped():
    grey = torch.full((2, 3, 64, 64), 0.5)
    noisy = add_noise(grey, torch.tensor([0.05, 0.1]), seeded())
    torch.testing.assert_close(noisy.std(dim=(1, 2, 3)), torch.tensor([0.05, 0.1]), rtol=0.03, atol=0)
    strong = add_noise(grey, 1.0, seeded())
    assert (float(strong.min()), float(strong.max())) == (0.0, 1.0)
