"""The measures on additive scores, whose curves are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from wcam_widget.evaluate import measures

weights = arrays(np.float64, st.integers(2, 12), elements=st.floats(0, 1, width=16))


def linear(slopes):
    return lambda rows: rows.double() @ torch.from_numpy(slopes)


@given(weights, st.integers(1, 12))
@settings(deadline=None)
def test_the_true_order_of_an_additive_score_has_the_largest_insertion_and_the_smallest_deletion(w, steps):
    kept = measures.counts(len(w), min(steps, len(w)))
    other = np.random.default_rng(0).permutation(w)
    for removing, sign in ((False, 1), (True, -1)):
        best, worse = (measures.curve(linear(w), v, kept, removing=removing) for v in (w, other))
        assert (sign * (best - worse) >= -1e-9).all()


@given(weights)
@settings(deadline=None)
def test_what_insertion_reaches_and_deletion_leaves_add_up_to_an_additive_score(w):
    kept = measures.counts(len(w), len(w))
    inserted, deleted = (measures.curve(linear(w), w, kept, removing=each) for each in (False, True))
    np.testing.assert_allclose(inserted, np.concatenate([[0], np.cumsum(np.sort(w)[::-1])]), atol=1e-9)
    np.testing.assert_allclose(inserted + deleted, w.sum(), atol=1e-9)


@given(weights)
@settings(deadline=None)
def test_only_the_order_of_the_values_counts(w):
    kept, score = measures.counts(len(w), len(w)), linear(np.arange(len(w), dtype=float))
    assert np.array_equal(
        measures.curve(score, w, kept), measures.curve(score, 3.0 * stats.rankdata(w, "dense") - 9, kept)
    )


@given(st.integers(1, 200), st.integers(1, 200))
def test_points_are_even_and_hold_both_ends(cells, steps):
    found = measures.counts(cells, min(cells, steps))
    assert (found[0], found[-1]) == (0, cells)
    assert np.ptp(np.diff(found)) <= 1
    assert np.diff(found).min() >= 1


@given(weights)
@settings(deadline=None)
def test_rank_correlation_is_scipys(w):
    other = np.random.default_rng(1).random(len(w))
    if np.ptp(w) > 0:
        assert measures.rank_correlation(w, other) == pytest.approx(stats.spearmanr(w, other).statistic)
    else:
        assert measures.rank_correlation(w, other) == 0.0


def test_equal_values_keep_the_order_of_the_cells():
    values = np.tile([1.0, 0.0], 500)
    expected = np.concatenate([np.arange(0, 1000, 2), np.arange(1, 1000, 2)])
    assert np.array_equal(np.argsort(measures.ranks(values)), expected)


def test_rows_asked_in_parts_are_the_rows(monkeypatch):
    w = np.array([3.0, 1.0, 2.0])
    whole = measures.curve(linear(w), w, np.arange(4))
    monkeypatch.setattr(measures, "MOST_WEIGHTS", 3)
    assert np.array_equal(measures.curve(linear(w), w, np.arange(4)), whole)


def test_subsets_have_one_size_and_falls_are_those_of_an_additive_score():
    w = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    removed = measures.random_subsets(5, 2, 200, np.random.default_rng(0))
    assert (removed.sum(1) == 2).all()
    assert np.unique(removed, axis=0).shape[0] == 10
    np.testing.assert_allclose(measures.drops(linear(w), removed), removed @ w)
