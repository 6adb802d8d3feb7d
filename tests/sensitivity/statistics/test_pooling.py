"""Own rows and what is expected of a weight, together: closed forms, simulations, and where each counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wcam_widget.sensitivity.statistics.calibration import Rows, calibrated
from wcam_widget.sensitivity.statistics.credibility import credible
from wcam_widget.sensitivity.statistics.exchange_sums import ROW_NOISE, ExchangeSums

ONE_GROUP = np.zeros(400, int)


def simulated(seed: int, scatter: float, noise: float, rows: float) -> tuple[np.ndarray, np.ndarray, Rows]:
    """Linear estimates, totals that lie about 0.4 of them, and gamma rows about the totals."""
    generator = np.random.default_rng(seed)
    linear = generator.lognormal(0.0, 1.5, 400)
    total = 0.4 * linear * generator.lognormal(-(scatter**2) / 2, scatter, 400)
    count = np.where(generator.random(400) < 0.5, rows, 0.0)
    mean = np.zeros(400)
    seen = count > 0
    mean[seen] = generator.gamma(count[seen] / noise, total[seen] * noise / count[seen])
    return linear, total, Rows(count, mean, np.full(400, noise))


def test_the_posterior_of_a_gamma_mean_is_the_conjugate_one() -> None:
    # Inverse-gamma(a, b) before, n rows of shape k about the index: inverse-gamma(a + n k, b + n k mean).
    noise, rows = np.array([0.25]), Rows(np.array([12.0]), np.array([3.0]), np.array([4.0]))
    found = credible(np.array([2.0]), noise, rows)
    shape, scale = 2 + 1 / 0.25 + 12 / 4, (1 + 1 / 0.25) * 2.0 + 12 / 4 * 3.0
    exact = stats.invgamma(shape, scale=scale)
    np.testing.assert_allclose(found.value, exact.mean())
    np.testing.assert_allclose(found.error, exact.std())
    low, high = found.limits
    np.testing.assert_allclose(high, exact.ppf(0.975), rtol=1e-9)
    # The lower end is that of 2.5 times the variance, about the same mean.
    wider = 2 + exact.mean() ** 2 / (2.5 * exact.var())
    np.testing.assert_allclose(
        low, stats.invgamma(wider, scale=exact.mean() * (wider - 1)).ppf(0.025), rtol=1e-9
    )


@given(
    expected=st.floats(1e-6, 1e3),
    noise=st.floats(1e-3, 2.0),
    count=st.integers(0, 10_000),
    mean=st.floats(0.0, 1e3),
    row_noise=st.floats(0.1, 20.0),
)
def test_the_value_lies_between_what_is_expected_and_the_rows(
    expected: float, noise: float, count: int, mean: float, row_noise: float
) -> None:
    rows = Rows(np.array([float(count)]), np.array([mean if count else 0.0]), np.array([row_noise]))
    found = credible(np.array([expected]), np.array([noise]), rows, common=0.01)
    ends = (expected, mean) if count else (expected, expected)
    assert min(ends) * (1 - 1e-9) <= found.value[0] <= max(ends) * (1 + 1e-9)
    low, high = found.limits
    assert 0 <= low[0] <= found.value[0] <= high[0]
    assert 0 <= found.own[0] < 1


def test_a_common_factor_its_scatter_and_groups_are_found() -> None:
    factors, scatters = [], []
    for seed in range(12):
        linear, _, rows = simulated(seed, scatter=0.5, noise=2.0, rows=20.0)
        found = calibrated(linear, np.full(400, 1e-4), rows, ONE_GROUP)
        factors.append(np.median(found.factor))
        scatters.append(found.scatter)
    assert np.mean(factors) == pytest.approx(0.4, rel=0.05)
    assert np.sqrt(np.mean(scatters)) == pytest.approx(0.53, rel=0.15)  # of a ratio, not of its logarithm

    groups = np.arange(400) % 2
    linear, _, rows = simulated(0, scatter=0.05, noise=1.0, rows=200.0)
    halved = Rows(rows.count, np.where(groups == 1, rows.mean / 2, rows.mean), rows.noise)
    factor = calibrated(linear, np.full(400, 1e-4), halved, groups).factor
    np.testing.assert_allclose(factor[groups == 1].mean() / factor[groups == 0].mean(), 0.5, rtol=0.1)


def test_intervals_cover_also_the_weights_without_rows() -> None:
    held, alone = [], []
    for seed in range(12):
        linear, total, rows = simulated(seed, scatter=0.4, noise=3.0, rows=6.0)
        noise = np.full(400, 1e-4)
        found = calibrated(linear, noise, rows, ONE_GROUP)
        pooled = credible(linear * found.factor, found.scatter + found.noise + noise, rows)
        low, high = pooled.limits
        inside = (low <= total) & (total <= high)
        held.append(inside.mean())
        alone.append(inside[rows.count == 0].mean())
    assert 0.93 <= np.mean(held) <= 0.98
    assert 0.93 <= np.mean(alone) <= 0.98


def test_pooling_errs_less_than_rows_or_linear_estimates_alone() -> None:
    linear, total, rows = simulated(3, scatter=0.4, noise=3.0, rows=6.0)
    found = calibrated(linear, np.full(400, 1e-4), rows, ONE_GROUP)
    pooled = credible(linear * found.factor, found.scatter + found.noise, rows).value
    seen = rows.count > 0

    def error(value: np.ndarray) -> float:
        return float(np.sqrt(np.mean((value[seen] / total[seen] - 1) ** 2)))

    assert error(pooled) < 0.9 * error(linear * found.factor)
    assert error(pooled) < 0.6 * error(rows.mean)


def test_the_noise_of_a_row_is_that_of_its_law() -> None:
    generator = np.random.default_rng(0)
    sums = ExchangeSums.zeros(16, 30)
    assert (sums.row_noise() == ROW_NOISE).all()
    for row in range(480):
        steps = np.sqrt(2 * generator.gamma(1 / 2.5, 2.5, 30))
        sums.add(row % 16, np.arange(30), steps, np.ones(30), np.ones(30))
    assert sums.row_noise().mean() == pytest.approx(2.5, rel=0.15)
