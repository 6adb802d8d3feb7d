"""Rows of exchanges: the law of their ends, that weighting undoes it, and which weights are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wcam_widget.sensitivity.sampling.exchanges import chosen, distant, exchanges


@pytest.mark.parametrize("start", [0.0, 0.3, 0.5, 1.0])
def test_ends_have_a_density_in_proportion_to_their_distance(start: float) -> None:
    ends = distant(np.full(4000, start), np.random.default_rng(0).random(4000))

    def distribution(end: np.ndarray) -> np.ndarray:
        mass = np.where(end < start, start**2 - (start - end) ** 2, start**2 + (end - start) ** 2)
        return mass / (start**2 + (1 - start) ** 2)

    assert stats.kstest(ends, distribution).pvalue > 0.01


def test_weighted_squares_have_the_mean_of_an_even_draw_and_less_noise() -> None:
    # f = w: half the squared change has the mean 1/12, and the noise of an even draw is 1.4.
    which = np.zeros((6000, 1), int)
    asked = exchanges([0], 0, which, 2)
    squares = asked.changes[:, 0] ** 2 / 2 * asked.importance[:, 0]
    assert squares.mean() == pytest.approx(1 / 12, rel=0.03)
    assert squares.var() / squares.mean() ** 2 < 0.5
    # f = w^2: the mean of (b^2 - a^2)^2 / 2 is 1/5 - 1/9.
    start = asked.rows[:, 0].astype(float)
    bent = (asked.ends[:, 0].astype(float) ** 2 - start**2) ** 2 / 2 * asked.importance[:, 0]
    assert bent.mean() == pytest.approx(1 / 5 - 1 / 9, rel=0.05)


def test_all_rows_differ_from_their_first_in_the_weights_named() -> None:
    which = np.array([[1, 3], [0, 2]])
    asked = exchanges([7, 1], 5, which, 4)
    rows = asked.all_rows().numpy().reshape(2, 3, 4)
    for number in range(2):
        for place, weight in enumerate(which[number]):
            changed = rows[number, 1 + place] != rows[number, 0]
            assert changed.nonzero()[0].tolist() == [weight]
    later = exchanges([7, 1], 6, which[1:], 4)
    np.testing.assert_array_equal(later.rows[0], asked.rows[1])  # a row is known by its number alone


def test_weights_are_chosen_by_their_interest_and_never_twice_in_a_row() -> None:
    interest = np.array([1.0, 1.0, 0.5, 0.01])
    picked = chosen([3], 0, interest, (2000, 2))
    assert (np.diff(picked, axis=1) > 0).all()
    first_alone = np.bincount(chosen([3], 0, interest, (4000, 1)).ravel(), minlength=4) / 4000
    np.testing.assert_allclose(first_alone, interest / interest.sum(), atol=0.03)
    np.testing.assert_array_equal(chosen([3], 1, interest, (5, 2)), picked[1:6])
