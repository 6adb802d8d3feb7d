"""Bisection over the number of cells, checked around its answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wcam_widget.evaluate.depth_search import depths

CELLS = 200


def search(*sufficient, cells=CELLS, checked=True, window=4):
    """Depths of orders of which each set of numbers of cells suffices."""
    tested = []

    def holds(order, count):
        tested.append(len(order))
        return np.array([number in sufficient[one] for one, number in zip(order, count, strict=True)])

    return depths(holds, cells, [checked] * len(sufficient), window), tested


@given(st.lists(st.integers(1, CELLS), min_size=1, max_size=4))
def test_a_decision_that_stays_is_found_exactly(limits):
    found, _ = search(*(range(limit, CELLS + 1) for limit in limits))
    assert [one.depth for one in found] == limits
    assert all(one.monotone for one in found)


def test_orders_are_searched_side_by_side_in_few_batches():
    found, tested = search(*(range(limit, CELLS + 1) for limit in (7, 50, 190)), checked=False)
    assert [one.depth for one in found] == [7, 50, 190]
    assert len(tested) <= 1 + np.ceil(np.log2(CELLS))
    assert max(one.tested for one in found) <= 2 + np.ceil(np.log2(CELLS))


@pytest.mark.parametrize("hole", [range(52, 54), range(60, 70), range(100, 130)])
def test_a_decision_that_is_lost_again_is_reported(hole):
    holds = set(range(50, CELLS + 1)) - set(hole)
    (one,), _ = search(holds)
    assert not one.monotone
    assert one.depth == max(hole) + 1
    assert 50 <= one.first < min(hole)


def test_without_the_check_it_is_not_seen():
    (one,), _ = search(set(range(50, CELLS + 1)) - {52, 53}, checked=False)
    assert (one.depth, one.monotone) == (50, True)


def test_an_early_lucky_number_below_the_answer_counts_as_the_first():
    (one,), _ = search({46, *range(50, CELLS + 1)})
    assert (one.depth, one.first, one.monotone) == (50, 46, False)


def test_the_baseline_may_decide_so_already_and_all_cells_may_not():
    (one,), _ = search(range(CELLS + 1))
    assert (one.depth, one.first) == (0, 0)
    (one,), _ = search(range(CELLS))
    assert (one.depth, one.first) == (None, None)


@given(st.sets(st.integers(0, 30)), st.integers(0, 4))
def test_the_answer_is_an_edge_of_whatever_holds(sufficient, window):
    sufficient |= {30}
    (one,), _ = search(sufficient, cells=30, window=window)
    assert one.depth in sufficient
    assert one.depth == 0 or one.depth - 1 not in sufficient
    assert one.first is not None
    assert one.first <= one.depth
    assert one.tested <= 31
