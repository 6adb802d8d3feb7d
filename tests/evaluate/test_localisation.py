"""Localisation against masks: closed forms, edges, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wcam_widget import Sobol, Wcam
from wcam_widget.evaluate.localisation import energy_inside, mean_iou, pointing_game

heats = arrays(np.float64, (1, 6, 7), elements=st.floats(0, 1, width=16))
bits = arrays(bool, (1, 6, 7)).filter(np.any)


def peak(row, column, size=(40, 40)):
    heat = np.zeros((1, *size))
    heat[0, row, column] = 1.0
    return heat


@pytest.mark.parametrize(("tolerance", "hit"), [(15.0, 0.0), (15.01, 1.0), (14.9, 0.0)])
def test_the_distance_must_be_less_than_the_tolerance(tolerance, hit):
    # 9 rows and 12 columns apart: 15 pixels.
    found = pointing_game(peak(0, 0), peak(9, 12) > 0, tolerance)
    assert found.mean == hit


def test_chance_of_the_pointing_game_is_the_share_of_pixels_that_hit():
    mask = peak(20, 20) > 0
    hits = [pointing_game(peak(row, column), mask, 3.0).mean for row in range(40) for column in range(40)]
    assert pointing_game(peak(0, 0), mask, 3.0).chance[0] == pytest.approx(np.mean(hits))


@given(heats, bits)
@settings(deadline=None)
def test_energy_inside_and_outside_add_up_to_one(heat, mask):
    if mask.all() or heat.min() == heat.max():
        return
    inside, outside = energy_inside(heat, mask), energy_inside(heat, ~mask)
    assert inside.mean + outside.mean == pytest.approx(1.0)
    assert inside.chance[0] == pytest.approx(mask.mean())


@given(heats, bits)
@settings(deadline=None)
def test_intersection_over_union_is_that_of_sets(heat, mask):
    if heat.min() == heat.max():
        return
    first = set(np.argsort(-heat.ravel(), kind="stable")[:8].tolist())
    second = set(np.flatnonzero(mask).tolist())
    assert mean_iou(heat, mask, 8 / 42).mean == pytest.approx(len(first & second) / len(first | second))


def test_a_map_that_is_the_mask_is_perfect():
    mask = np.zeros((2, 10, 10), bool)
    mask[:, 2:6, 3:8] = True
    heat = torch.from_numpy(mask).double()
    assert pointing_game(heat, mask, 0.5).mean == energy_inside(heat, mask).mean == 1.0
    assert mean_iou(heat, torch.from_numpy(mask)).mean == 1.0
    assert mean_iou(heat, mask).error == 0.0
    assert mean_iou(heat, mask).chance == pytest.approx([4 / 36, 4 / 36])


def test_a_map_that_points_nowhere_is_flagged_and_scores_nothing():
    mask = peak(0, 0) > 0
    for measure in (pointing_game, energy_inside, mean_iou):
        for level in (0.0, 0.5, -1.0):
            found = measure(np.full((1, 40, 40), level), mask)
            assert found.flat.tolist() == [True]
            assert found.values.tolist() == [0.0]


def test_a_negative_map_has_no_energy():
    assert energy_inside(-1.0 - peak(3, 3), peak(3, 3) > 0).mean == 0.0


def test_an_attribution_is_taken_by_its_spatial_map():
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    maps = Wcam(Sobol(rows=8), levels=1, grid=4)(lambda x: x[:, :, :4, :4].mean((2, 3)), image, [0])
    mask = np.zeros((1, 16, 16), bool)
    mask[0, :4, :4] = True
    assert energy_inside(maps, mask).mean == energy_inside(maps[0].spatial()[None], mask).mean
    assert energy_inside(maps, mask).mean > 0.9
    assert pointing_game(maps, mask, 1.0).mean == 1.0


MASK = peak(3, 3) > 0


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: pointing_game(peak(0, 0), MASK, 0.0), "tolerance: found 0.0"),
        (lambda: mean_iou(peak(0, 0), MASK, 1.5), "most: found 1.5"),
        (lambda: energy_inside(peak(0, 0), MASK[0]), r"masks: found bool \(40, 40\)"),
        (lambda: energy_inside(peak(0, 0), peak(1, 1)), "masks: found float64"),
        (lambda: energy_inside(peak(0, 0), "box"), "masks: found str"),
        (lambda: energy_inside(peak(0, 0), MASK & False), r"masks\[0\]: found no object"),
        (lambda: energy_inside(peak(0, 0, (20, 20)), MASK), r"attributions\[0\]: found a map of size"),
        (lambda: energy_inside(np.concatenate([peak(0, 0)] * 2), MASK), "attributions has 2 entries"),
    ],
)
def test_errors_name_the_argument(ask, said):
    with pytest.raises((ValueError, TypeError), match=said):
        ask()
