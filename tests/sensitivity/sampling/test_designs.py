"""Designs, walks through groups, and shares of one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wcam_widget.sensitivity.sampling import designs
from wcam_widget.sensitivity.sampling.group_walks import walk_rows
from wcam_widget.sensitivity.statistics.group_sums import shares_of_one


@pytest.mark.parametrize("kind", designs.KINDS)
@pytest.mark.parametrize("rows", [1, 5, 64])
def test_points_are_in_the_unit_cube_and_repeat(kind: str, rows: int) -> None:
    points = designs.draw(rows, 7, np.random.SeedSequence(3), kind)
    assert points.shape == (rows, 7)
    assert points.dtype == np.float32
    assert points.min() >= 0
    assert points.max() <= 1
    np.testing.assert_array_equal(points, designs.draw(rows, 7, np.random.SeedSequence(3), kind))
    assert not np.array_equal(points, designs.draw(rows, 7, np.random.SeedSequence(4), kind))


def test_latin_points_fill_every_stratum_once() -> None:
    points = designs.draw(10, 6, np.random.SeedSequence(0), "latin")
    for column in np.floor(points.astype(float) * 10).astype(int).T:
        assert sorted(column) == list(range(10))


def test_sobol_points_fill_every_dyadic_stratum_once() -> None:
    points = designs.draw(64, 6, np.random.SeedSequence(0), "sobol")
    for column in np.floor(points.astype(float) * 64).astype(int).T:
        assert sorted(column) == list(range(64))


@pytest.mark.parametrize(
    ("rows", "dimensions", "stratified"), [(64, 5, True), (64, 30_000, False), (32, 5, False)]
)
def test_auto_takes_sobol_only_where_it_is_good(rows: int, dimensions: int, stratified: bool) -> None:
    seed = np.random.SeedSequence(1)
    same = (
        designs.draw(rows, dimensions, seed, "sobol")
        if stratified
        else designs.draw(rows, dimensions, seed, "latin")
    )
    np.testing.assert_array_equal(designs.draw(rows, dimensions, np.random.SeedSequence(1)), same)


def test_few_rows_have_no_nearly_equal_columns() -> None:
    a, b = designs.pairs(8, 784, np.random.SeedSequence(0))
    assert (np.abs(a - b).max(0) > 0.1).all()


@given(
    st.lists(st.floats(-0.5, 1.5), min_size=4, max_size=4),
    st.lists(st.floats(0.0, 0.4), min_size=4, max_size=4),
    st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4),
)
def test_shares_add_to_one_between_their_limits(shares: list, least: list, more: list) -> None:
    low, high = np.array(least), np.minimum(np.array(least) + np.array(more), 1.0)
    allowed = shares_of_one(np.array(shares), low, high)
    assert allowed.sum() == pytest.approx(1.0, abs=1e-6)
    assert (allowed >= (low if low.sum() < 1 else 0) - 1e-9).all()
    assert (allowed <= (high if high.sum() > 1 else 1) + 1e-9).all()
    np.testing.assert_allclose(shares_of_one(allowed, np.zeros(4), np.ones(4)), allowed, atol=1e-6)


@given(st.permutations(range(4)))
def test_a_walk_exchanges_one_group_after_another(order: list[int]) -> None:
    groups = np.array([0, 0, 1, 2, 3, 3])
    rows = walk_rows(torch.zeros(6), torch.ones(6), groups, np.array(order))
    assert rows.shape == (3, 6)
    for step, row in enumerate(rows):
        assert {int(group) for group in groups[row.numpy() == 1]} == set(order[: step + 1])


def test_two_paired_rows_are_not_stratified() -> None:
    # In strata, squared distances between A and B would be correlated over the two rows, by 0.39.
    distances = []
    for seed in range(400):
        a, b = designs.pairs(2, 8, np.random.SeedSequence(seed))
        distances.append((a - b) ** 2)
    first, second = np.array(distances).transpose(1, 0, 2).reshape(2, -1)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06
    a, b = designs.pairs(2, 8, np.random.SeedSequence(0), "latin")
    assert ((a[0] < 0.5) != (a[1] < 0.5)).all()
