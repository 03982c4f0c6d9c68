from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from accordeur.measure.statistics import (
    Interval,
    Statistic,
    group_bootstrap,
    mean,
    paired_difference_interval,
    paired_difference_standard_error,
)

score_lists = st.lists(st.floats(0, 1, width=32), min_size=2, max_size=40)


def slow_mean(values: NDArray[Any]) -> float:
    """The mean, unrecognised: takes the general path."""
    return mean(values)


def ends(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.low, interval.high


def clustered(
    rng: np.random.Generator, groups: int, share: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Scores around 0 in groups of 1 to 6 rows; ``share`` of the variance lies between groups."""
    which = np.repeat(np.arange(groups), rng.integers(1, 7, size=groups))
    between = rng.standard_normal(groups)[which] * np.sqrt(share)
    return between + rng.standard_normal(len(which)) * np.sqrt(1 - share), which


def test_agrees_with_scipy_on_independent_rows() -> None:
    scores = np.random.default_rng(0).exponential(size=50)
    theirs = stats.bootstrap(
        (scores,), np.mean, n_resamples=20_000, method="percentile", rng=1
    ).confidence_interval
    ours = group_bootstrap(scores, np.arange(50), resamples=20_000, seed=1)
    # Both carry Monte Carlo noise of about 0.002 at the ends (the standard error is 0.13).
    assert ends(ours) == pytest.approx((theirs.low, theirs.high), abs=0.015)


@settings(max_examples=25, deadline=None)
@given(score_lists, st.integers(1, 9))
def test_fast_path_equals_general_path(scores: list[float], modulus: int) -> None:
    groups = np.arange(len(scores)) % (modulus + 1)
    fast = group_bootstrap(scores, groups, resamples=100, seed=3)
    slow = group_bootstrap(scores, groups, slow_mean, resamples=100, seed=3)
    assert ends(fast) == pytest.approx(ends(slow), abs=1e-12)


@given(score_lists)
def test_interval_of_a_mean_stays_within_the_scores(scores: list[float]) -> None:
    low, high = ends(group_bootstrap(scores, np.arange(len(scores)), resamples=50, seed=0))
    assert min(scores) - 1e-12 <= low <= high <= max(scores) + 1e-12


def test_repeating_every_row_inside_its_group_narrows_nothing() -> None:
    scores = np.random.default_rng(1).random(30)
    once = group_bootstrap(scores, np.arange(30), seed=2)
    five_times = group_bootstrap(np.repeat(scores, 5), np.repeat(np.arange(30), 5), seed=2)
    as_if_independent = group_bootstrap(np.repeat(scores, 5), np.arange(150), seed=2)
    assert ends(once) == pytest.approx(ends(five_times))
    assert np.ptp(ends(as_if_independent)) < 0.6 * np.ptp(ends(once))


def test_row_order_does_not_matter() -> None:
    scores, groups = clustered(np.random.default_rng(3), 20, 0.5)
    order = np.random.default_rng(4).permutation(len(scores))
    shuffled = group_bootstrap(scores[order], groups[order], seed=5)
    assert ends(group_bootstrap(scores, groups, seed=5)) == pytest.approx(ends(shuffled))


def test_same_seed_same_interval_other_seed_other_interval() -> None:
    scores = np.random.default_rng(6).random(40)
    first, again, other = (group_bootstrap(scores, np.arange(40), seed=s) for s in (1, 1, 2))
    assert first == again != other


def test_one_group_gives_no_interval_and_no_standard_error() -> None:
    assert group_bootstrap([0.1, 0.9], ["a", "a"], seed=0) is None
    assert paired_difference_interval([0, 1], [1, 1], ["a", "a"], seed=0) is None
    assert paired_difference_standard_error([0, 1], [1, 1], ["a", "a"], seed=0) is None


def test_swapping_the_candidates_mirrors_the_difference() -> None:
    rng = np.random.default_rng(7)
    a, b, groups = rng.random(60), rng.random(60), np.arange(60) // 2
    low, high = ends(paired_difference_interval(a, b, groups, seed=1))
    assert ends(paired_difference_interval(b, a, groups, seed=1)) == pytest.approx((-high, -low))


def test_both_candidates_see_the_same_resamples(macro_f1: Statistic) -> None:
    rng = np.random.default_rng(8)
    a = rng.random(50)
    # Independent resamples would give a constant shift a width.
    assert ends(paired_difference_interval(a + 0.25, a, np.arange(50), seed=1)) == pytest.approx(
        (0.25, 0.25)
    )
    outcomes = rng.integers(0, 3, size=(50, 2))
    same = paired_difference_interval(
        outcomes, outcomes, np.arange(50), macro_f1, resamples=50, seed=1
    )
    assert ends(same) == (0.0, 0.0)


def test_macro_f1_is_recomputed_on_every_resample(macro_f1: Statistic) -> None:
    rng = np.random.default_rng(9)
    gold = rng.choice(3, p=[0.6, 0.3, 0.1], size=120)
    outcomes = np.stack([gold, np.where(rng.random(120) < 0.7, gold, 0)], axis=1)
    ours = group_bootstrap(outcomes, np.arange(120), macro_f1, resamples=1000, seed=1)
    theirs = stats.bootstrap(
        (np.arange(120),),
        lambda rows: macro_f1(outcomes[rows]),
        vectorized=False,
        n_resamples=1000,
        method="percentile",
        rng=2,
    ).confidence_interval
    assert ends(ours) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_standard_error_agrees_with_the_formula_for_independent_rows() -> None:
    rng = np.random.default_rng(10)
    a, b = rng.random(200), rng.random(200)
    error = paired_difference_standard_error(a, b, np.arange(200), resamples=4000, seed=1)
    assert error == pytest.approx((a - b).std() / np.sqrt(200), rel=0.05)


def test_differences_that_do_not_vary_give_no_standard_error() -> None:
    a = np.random.default_rng(11).random(30)
    assert paired_difference_standard_error(a, a, np.arange(30), seed=1) is None
    assert paired_difference_standard_error(a + 0.1, a, np.arange(30), seed=1) is None


def test_nominal_95_percent_interval_covers_about_95_percent_of_clustered_means() -> None:
    """True mean 0, groups of 1 to 6 rows, half of the variance between groups; 1,000 draws.

    Measured: 20 groups 0.926, 60 groups 0.936 (standard error 0.008); taking the 60 groups' rows as
    independent 0.748. Percentile intervals are known to be short at few groups.
    """
    rng = np.random.default_rng(12)
    repeats = 1000
    covered = {"20 groups": 0, "60 groups": 0, "60 groups ignored": 0}
    for seed in range(repeats):
        for groups in (20, 60):
            scores, which = clustered(rng, groups, 0.5)
            low, high = ends(group_bootstrap(scores, which, resamples=400, seed=seed))
            covered[f"{groups} groups"] += low <= 0 <= high
        rows = np.arange(len(scores))
        low, high = ends(group_bootstrap(scores, rows, resamples=400, seed=seed))
        covered["60 groups ignored"] += low <= 0 <= high
    rates = {name: count / repeats for name, count in covered.items()}
    print(f"group bootstrap coverage: {rates}")
    assert 0.88 <= rates["20 groups"] <= 0.96
    assert 0.915 <= rates["60 groups"] <= 0.97
    assert rates["60 groups ignored"] < 0.86


@pytest.mark.parametrize(
    ("scores", "groups", "level", "words"),
    [
        ([], [], 0.95, "no rows"),
        ([1.0, float("nan")], [0, 1], 0.95, "NaN"),
        ([1.0, 0.0], [0], 0.95, "groups"),
        ([[1.0], [0.0]], [0, 1], 0.95, "one score per row"),
        ([1.0, 0.0], [0, 1], 95, "level"),
    ],
)
def test_refuses_by_name(scores: Any, groups: Any, level: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        group_bootstrap(scores, groups, level=level, seed=0)


def test_refuses_pairs_of_different_rows() -> None:
    with pytest.raises(ValueError, match="same rows"):
        paired_difference_interval([1, 0, 1], [1, 0], [0, 1, 2], seed=0)


def test_refuses_a_statistic_that_is_undefined_on_a_resample() -> None:
    with pytest.raises(ValueError, match="finite number"):
        group_bootstrap([1, 0, 1], [0, 1, 2], lambda values: float("nan"), seed=0)
