"""Many tests at once: closed forms, scipy, invariants, and how often anything false is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from wcam_widget.sensitivity.statistics.jackknife import Replicated, replicated
from wcam_widget.sensitivity.statistics.multiple_tests import benjamini_hochberg, exceeding, holm, p_exceeding

probabilities = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30).map(np.array)
small = st.lists(st.floats(0.0, 0.2), min_size=1, max_size=30).map(np.array)
levels = st.floats(0.001, 0.3)


def test_holm_holds_each_p_against_what_is_left() -> None:
    # level / m, level / (m - 1), …: 0.0125, 0.0167, 0.025, 0.05
    np.testing.assert_array_equal(holm(np.array([0.05, 0.0125, 0.025, 0.0166])), True)
    np.testing.assert_array_equal(holm(np.array([0.05, 0.0125, 0.025, 0.0168])), [False, True, False, False])
    np.testing.assert_array_equal(holm(np.array([0.001, 0.013]), level=0.0125), [True, False])


def test_benjamini_and_hochbergs_own_example() -> None:
    # Fifteen tests of the 1995 paper, section 3.2: four rejected at 5 %, three by Bonferroni.
    p = [
        *[0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240],
        *[0.4262, 0.5719, 0.6528, 0.7590, 1.000],
    ]
    assert benjamini_hochberg(np.array(p)).tolist() == [True] * 4 + [False] * 11
    assert holm(np.array(p)).tolist() == [True] * 3 + [False] * 12


@given(st.one_of(probabilities, small), levels)
def test_benjamini_hochberg_agrees_with_scipy(p: np.ndarray, level: float) -> None:
    adjusted = stats.false_discovery_control(p)
    assume((np.abs(adjusted - level) > 1e-9).all())
    np.testing.assert_array_equal(benjamini_hochberg(p, level), adjusted <= level)


@given(st.one_of(probabilities, small), levels)
def test_the_four_ways_are_nested(p: np.ndarray, level: float) -> None:
    # A p equal to one of the limits falls to either side of it by rounding.
    less, more = level * (1 - 1e-12), level * (1 + 1e-12)
    assert ((p <= less / len(p)) <= holm(p, level)).all()
    assert (holm(p, less) <= benjamini_hochberg(p, level)).all()
    assert (benjamini_hochberg(p, level) <= (p <= more)).all()


@pytest.mark.parametrize("control", [holm, benjamini_hochberg])
@given(p=small, shrink=st.lists(st.floats(0.0, 1.0), min_size=30, max_size=30), data=st.data())
def test_smaller_p_name_no_fewer_and_order_is_nothing(control, p: np.ndarray, shrink: list, data) -> None:
    assert (control(p) <= control(p * np.array(shrink)[: len(p)])).all()
    order = np.array(data.draw(st.permutations(range(len(p)))))
    np.testing.assert_array_equal(control(p[order]), control(p)[order])


@pytest.mark.parametrize("control", [holm, benjamini_hochberg])
def test_no_tests_name_nothing(control) -> None:
    assert control(np.zeros(0)).shape == (0,)


def ten(spread: float = 0.1) -> Replicated:
    """Ten shares of which some are large, from ten replicates."""
    random = np.random.default_rng(0)
    x = np.linspace(0.01, 0.3, 10) * (1 + spread * random.normal(size=(10, 10)))
    return replicated(lambda kept: x[kept].mean(0), 10)


@pytest.mark.parametrize("threshold", [0.02, 0.1, 0.2])
def test_p_is_the_counterpart_of_the_interval(threshold: float) -> None:
    low, _ = ten().interval(0.95)
    p = p_exceeding(ten(), threshold)
    np.testing.assert_array_equal(p < 0.025, low > threshold)
    assert 0 < (p < 0.025).sum() < 10
    plain, _ = ten().symmetric_interval(0.95)
    np.testing.assert_array_equal(p_exceeding(ten(), threshold, signed=True) < 0.025, plain > threshold)


def test_p_of_a_mean_is_students() -> None:
    x = np.array([[-1.0], [0.0], [1.0], [2.0], [3.0], [4.0]])
    p = p_exceeding(replicated(lambda kept: x[kept].mean(0), 6))
    np.testing.assert_allclose(p, stats.ttest_1samp(x, 0.0, alternative="greater").pvalue)
    signed = p_exceeding(replicated(lambda kept: x[kept].mean(0), 6), threshold=0.5, signed=True)
    np.testing.assert_allclose(signed, stats.ttest_1samp(x, 0.5, alternative="greater").pvalue)


@pytest.mark.parametrize("threshold", [0.0, 0.01])
def test_what_never_moved_matters_to_nobody(threshold: float) -> None:
    inert = Replicated(np.zeros(2), np.zeros((8, 2)))
    np.testing.assert_array_equal(p_exceeding(inert, threshold), 1.0)
    assert not exceeding(inert, threshold).any()


def test_negative_estimates_do_not_exceed_and_certain_ones_do() -> None:
    value = np.array([-0.2, 0.5, 0.005])
    certain = Replicated(value, np.repeat(value[None], 8, 0))
    np.testing.assert_array_equal(p_exceeding(certain, 0.01), [1.0, 0.0, 1.0])
    np.testing.assert_array_equal(p_exceeding(certain, 0.01, signed=True), [1.0, 0.0, 1.0])


def test_one_replicate_names_nothing() -> None:
    np.testing.assert_array_equal(p_exceeding(Replicated(np.ones(3), np.zeros((0, 3)))), 1.0)


def test_controls_differ() -> None:
    named = {
        control: exceeding(ten(2.0), 0.02, control=control) for control in ("holm", "benjamini-hochberg")
    }
    assert 0 < named["holm"].sum() < named["benjamini-hochberg"].sum()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: exceeding(ten(), control="sidak"), "control='sidak' is unknown; holm, benjamini-hochberg"),
        (lambda: exceeding(ten(), threshold=-0.1), "threshold=-0.1 is not valid: it is a share"),
        (lambda: exceeding(ten(), threshold=1.0), "threshold=1.0 is not valid: it is a share"),
        (lambda: exceeding(ten(), level=0.0), "level=0.0 is not valid"),
        (lambda: holm(np.array([0.5, 1.5])), "p holds 1.5"),
        (lambda: benjamini_hochberg(np.array([np.nan, 0.1])), "p holds nan"),
    ],
)
def test_impossible_demands_are_refused(ask, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ask()


def totals(share: np.ndarray, random: np.random.Generator, noise: float = 0.0) -> Replicated:
    """Jansen totals of an additive score of uniform weights, 16 rows, with fresh noise in every score."""
    slopes = np.sqrt(12 * share)
    a, b = random.random((2, 16, len(share)))
    ends = np.stack([a @ slopes, b @ slopes], 1) + noise * random.normal(size=(16, 2))
    changed = (a @ slopes)[:, None] + (b - a) * slopes + noise * random.normal(size=a.shape)
    squares = (changed - ends[:, :1]) ** 2 / 2
    return replicated(lambda kept: squares[kept].mean(0) / ends[kept].var(ddof=1), 16)


def test_holm_rarely_names_any_of_many_at_the_threshold_and_finds_the_active() -> None:
    random, share = np.random.default_rng(0), np.r_[np.full(40, 0.005), np.full(4, 0.2)]
    named, uncorrected = [], []
    for _ in range(300):
        found = totals(share, random)
        named.append(exceeding(found, threshold=0.005))
        uncorrected.append(p_exceeding(found, 0.005)[:40] <= 0.05)
    # The family-wise error, nominally 5 %: 300 runs have a standard error of 1.3 %.
    assert np.mean([mask[:40].any() for mask in named]) <= 0.07
    assert np.mean(uncorrected) == pytest.approx(0.05, abs=0.02)
    assert np.mean(np.any(uncorrected, 1)) > 0.3
    assert np.mean([mask[40:] for mask in named]) > 0.9


def test_benjamini_hochberg_names_few_false_ones_among_many() -> None:
    random, share = np.random.default_rng(1), np.r_[np.full(40, 0.005), np.full(4, 0.2)]
    false = []
    for _ in range(300):
        named = exceeding(totals(share, random), threshold=0.005, control="benjamini-hochberg")
        false.append(named[:40].sum() / max(1, named.sum()))
    assert np.mean(false) <= 0.06


def test_noise_is_no_importance_above_the_threshold() -> None:
    random, share = np.random.default_rng(2), np.r_[np.zeros(40), np.full(4, 0.25)]
    named = np.array([exceeding(totals(share, random, noise=0.07), threshold=0.01) for _ in range(100)])
    assert not named[:, :40].any()
    assert named[:, 40:].mean() > 0.85
