import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from accordeur.measure.statistics import wilson

counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_agrees_with_scipy(count: tuple[int, int], level: float) -> None:
    ours = wilson(*count, level=level)
    theirs = binomtest(*count).proportion_ci(level, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(counts)
def test_contains_the_rate_and_stays_between_0_and_1(count: tuple[int, int]) -> None:
    interval = wilson(*count)
    assert 0.0 <= interval.low <= count[0] / count[1] <= interval.high <= 1.0
    assert interval.low < interval.high  # a width even at 0 % and 100 %


@given(counts)
def test_counting_failures_mirrors_the_interval(count: tuple[int, int]) -> None:
    successes, n = count
    interval, mirrored = wilson(successes, n), wilson(n - successes, n)
    assert interval.low == pytest.approx(1 - mirrored.high, abs=1e-12)


def test_nominal_95_percent_interval_covers_about_95_percent() -> None:
    """Coverage by enumeration of all outcomes, over true rates 0.02, 0.04, ... 0.98.

    Computed: mean 0.953 (n = 20), 0.953 (n = 60), 0.950 (n = 200); least 0.927, 0.934, 0.933.
    """
    for n, least in ((20, 0.92), (60, 0.93), (200, 0.93)):
        ends = [(wilson(k, n).low, wilson(k, n).high) for k in range(n + 1)]
        low, high = np.array(ends).T
        rates = np.arange(0.02, 0.99, 0.02)
        coverage = np.array(
            [binom.pmf(np.arange(n + 1), n, p)[(low <= p) & (p <= high)].sum() for p in rates]
        )
        print(f"wilson n={n}: mean coverage {coverage.mean():.3f}, least {coverage.min():.3f}")
        assert 0.948 <= coverage.mean() <= 0.955
        assert coverage.min() >= least


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_refuses_what_is_not_a_rate(successes: int, n: int) -> None:
    with pytest.raises(ValueError):
        wilson(successes, n)


@pytest.mark.parametrize("level", [0.0, 1.0, float("nan")])
def test_refuses_an_impossible_level(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level=level)
