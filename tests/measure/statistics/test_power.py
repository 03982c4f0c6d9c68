import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom, binomtest, multinomial

from accordeur.measure.statistics import (
    detectable_rate_difference,
    detectable_score_difference,
    discordance,
    mcnemar,
    mcnemar_power,
    paired_difference_standard_error,
    paired_permutation,
    rows_to_detect_rate_difference,
    rows_to_detect_score_difference,
)


def power_by_enumeration(difference: float, n: int, share: float) -> float:
    """Sum over every (b, c) of its trinomial probability where scipy's exact test rejects."""
    better, worse = (share + difference) / 2, (share - difference) / 2
    total = 0.0
    for b in range(n + 1):
        for c in range(n + 1 - b):
            if b + c and binomtest(b, b + c).pvalue <= 0.05:
                total += multinomial.pmf([b, c, n - b - c], n, [better, worse, 1 - share])
    return total


@pytest.mark.parametrize(
    ("difference", "n", "share"),
    [(0.0, 20, 0.5), (0.2, 24, 0.4), (0.3, 24, 0.3), (0.5, 15, 1.0), (-0.2, 24, 0.4)],
)
def test_mcnemar_power_agrees_with_enumeration(difference: float, n: int, share: float) -> None:
    expected = power_by_enumeration(difference, n, share)
    assert mcnemar_power(difference, n, share) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("difference", "share"), [(0.02, 0.1), (0.03, 0.6), (0.0, 0.3)])
def test_mcnemar_power_agrees_with_scipy_at_2000_rows(difference: float, share: float) -> None:
    discordant = np.arange(2001)
    critical = binom.ppf(0.025, discordant, 0.5) - 1  # the largest minority that is rejected
    against = (share - difference) / (2 * share)
    rejects = binom.cdf(critical, discordant, against) + binom.cdf(
        critical, discordant, 1 - against
    )
    expected = float(binom.pmf(discordant, 2000, share) @ rejects)
    assert mcnemar_power(difference, 2000, share) == pytest.approx(expected, rel=1e-8)


def test_mcnemar_power_agrees_with_simulation() -> None:
    """200 rows, 20 % discordant, true difference 8 points; 4,000 draws, measured within 0.01."""
    rng = np.random.default_rng(0)
    draws = rng.multinomial(200, [0.14, 0.06, 0.8], size=4000)
    rate = np.mean([mcnemar(int(b), int(c)) <= 0.05 for b, c, _ in draws])
    assert mcnemar_power(0.08, 200, 0.2) == pytest.approx(rate, abs=4 * np.sqrt(0.25 / 4000))


def test_power_without_a_difference_is_the_false_alarm_rate() -> None:
    for n in (10, 100, 1000):
        assert mcnemar_power(0.0, n, 0.3) <= 0.05


@pytest.mark.parametrize(("n", "share"), [(40, 0.3), (120, 0.2), (200, 0.2), (2000, 0.1)])
def test_detectable_difference_is_the_least_with_80_percent_power(n: int, share: float) -> None:
    """As printed: 24.2 points at n = 40, 11.8 at 120, 9.1 at 200 and 2.0 at 2,000."""
    found = detectable_rate_difference(n, share)
    assert found is not None
    print(f"n={n}, discordance {share}: detectable difference {found:.4f}")
    assert mcnemar_power(found, n, share) >= 0.8
    assert mcnemar_power(found - 2e-6, n, share) < 0.8


def test_too_few_rows_detect_nothing() -> None:
    assert detectable_rate_difference(5, 1.0) is None  # five rows all one way have p = 0.06
    assert detectable_rate_difference(6, 1.0) is not None
    assert detectable_rate_difference(30, 0.1) is None


def test_more_rows_detect_less() -> None:
    found = [detectable_rate_difference(n, 0.2) for n in (50, 100, 200, 400, 800)]
    assert all(a is not None and b is not None and a > b for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("difference", "share"), [(0.1, 0.2), (0.05, 0.1), (0.2, 0.2), (-0.1, 0.4)]
)
def test_rows_needed_reach_the_power_and_hardly_fewer_do(difference: float, share: float) -> None:
    rows = rows_to_detect_rate_difference(difference, share)
    assert rows is not None
    assert mcnemar_power(difference, rows, share) >= 0.8
    assert all(mcnemar_power(difference, n, share) < 0.8 for n in range(1, int(0.97 * rows)))


def test_rows_needed_is_continuous_where_the_formula_takes_over() -> None:
    exact = rows_to_detect_rate_difference(0.0090, 0.2)
    formula = rows_to_detect_rate_difference(0.0088, 0.2)
    assert exact is not None
    assert formula is not None
    assert exact < 20_000 < formula
    assert formula / exact == pytest.approx((0.0090 / 0.0088) ** 2, rel=0.01)


def test_no_number_of_rows_shows_no_gap_or_an_impossible_one() -> None:
    assert rows_to_detect_rate_difference(0.0, 0.2) is None
    assert rows_to_detect_rate_difference(0.3, 0.2) is None
    assert rows_to_detect_score_difference(0.0, 0.01, 100) is None
    assert rows_to_detect_score_difference(0.1, None, 100) is None
    assert detectable_score_difference(None) is None


def test_discordance_is_the_protocols() -> None:
    assert discordance(3, 4, 38) == 8 / 40
    assert discordance(0, 0, 1) == pytest.approx(1 / 3)
    for b, c, n in ((-1, 0, 5), (3, 3, 5), (0, 0, 0)):
        with pytest.raises(ValueError):
            discordance(b, c, n)


def test_score_formula_and_its_inverse() -> None:
    found = detectable_score_difference(0.02)
    assert found is not None
    assert found == pytest.approx((1.959964 + 0.841621) * 0.02, rel=1e-6)
    assert rows_to_detect_score_difference(found, 0.02, 150) == 150
    assert rows_to_detect_score_difference(found / 2, 0.02, 150) == 600
    assert rows_to_detect_score_difference(-found / 2, 0.02, 150) == 600


def test_a_gap_of_the_detectable_size_is_seen_8_times_in_10() -> None:
    """Real-valued scores, 60 groups of 2 rows, tested by permutation; 1,500 draws, 300 swaps.

    Measured: 0.76 (standard error 0.01); with 60 groups the normal formula is a little hopeful.
    """
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 2)
    zeros = np.zeros(120)

    def gaps() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return (rng.standard_normal(60)[groups] + rng.standard_normal(120)) / 10

    errors = [
        paired_difference_standard_error(gaps(), zeros, groups, resamples=500, seed=s)
        for s in range(100)
    ]
    true_gap = detectable_score_difference(float(np.mean([e for e in errors if e is not None])))
    assert true_gap is not None
    seen = np.mean(
        [
            paired_permutation(gaps() + true_gap, zeros, groups, permutations=300, seed=s).p <= 0.05
            for s in range(1500)
        ]
    )
    print(f"gap of the detectable size seen: {seen:.3f}")
    assert 0.75 <= seen <= 0.83


@pytest.mark.parametrize(
    "call",
    [
        lambda: detectable_rate_difference(2000, 0.2),
        lambda: rows_to_detect_rate_difference(0.03, 0.2),
    ],
)
def test_answers_within_50_milliseconds_at_2000_rows(call: Callable[[], object]) -> None:
    """Measured: 6 and 5 ms."""

    def seconds() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.05


def test_refuses_by_name() -> None:
    with pytest.raises(ValueError, match="cannot come from"):
        mcnemar_power(0.3, 100, 0.2)
    with pytest.raises(ValueError, match="discordance"):
        detectable_rate_difference(100, 0.0)
    with pytest.raises(ValueError, match="`n`"):
        detectable_rate_difference(0, 0.2)
    with pytest.raises(ValueError, match="alpha"):
        detectable_rate_difference(10, 0.2, power=0.01)
    with pytest.raises(ValueError, match="standard_error"):
        detectable_score_difference(0.0)
    with pytest.raises(ValueError, match="`n`"):
        rows_to_detect_score_difference(0.1, 0.1, 0)
    with pytest.raises(ValueError, match="difference"):
        rows_to_detect_score_difference(float("nan"), 0.1, 10)
