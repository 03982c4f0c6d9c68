"""Intervals of scores and of paired differences, by resampling whole groups."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from accordeur.measure.statistics.interval import Interval, check_level
from accordeur.measure.statistics.resampling import RESAMPLES, Grouping, outcomes_of, scores_of
from accordeur.measure.statistics.statistic import Statistic, apply, mean


def group_bootstrap(
    values: ArrayLike,
    groups: ArrayLike,
    statistic: Statistic = mean,
    *,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int,
) -> Interval | None:
    """Percentile interval of a statistic, whole groups resampled with replacement.

    Each resample draws G of the G groups and recomputes the statistic on all their rows; groups of
    unequal size make the number of rows vary, and a mean is then the ratio of two sums.

    The percentile interval is kept for its simplicity, without bias correction (BCa): expect it a
    little short at few groups (measured: see the tests). It has no width when all rows have the
    same score; for a rate of independent rows use `wilson`.

    Args:
        values: per-row scores ``[n]``, or for another statistic than `mean` whatever outcomes it
            reads, ``[n, ...]``.
        groups: group of each row, ``[n]``.
        statistic: the number to recompute; `mean` takes the fast path.
        resamples: R.
        level: nominal coverage.
        seed: of the draws.

    Returns:
        The interval, in the unit of the statistic, or None when there is a single group: one group
        says nothing of how groups vary.

    Raises:
        ValueError: no rows, shapes that differ, scores or statistics that are not finite, or a
            ``level`` or ``resamples`` out of range.

    Source: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; groups
    as the unit: A. Davison and D. Hinkley, Bootstrap Methods and their Application (1997), 3.8.
    """
    check_level(level)
    if statistic is mean:
        draws = _means(scores_of(values, "values"), groups, resamples, seed)
    else:
        draws = _differences([outcomes_of(values, "values")], groups, statistic, resamples, seed)
    return None if draws is None else _percentile(draws, level)


def paired_difference_interval(
    a: ArrayLike,
    b: ArrayLike,
    groups: ArrayLike,
    statistic: Statistic = mean,
    *,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int,
) -> Interval | None:
    """Percentile interval of ``statistic(a) - statistic(b)``, the same resamples for both.

    Args:
        a: outcomes of the first candidate, as in `group_bootstrap`.
        b: outcomes of the second on the same rows, in the same order.
        groups: group of each row, ``[n]``.
        statistic: as in `group_bootstrap`.
        resamples: R.
        level: nominal coverage.
        seed: of the draws.

    Returns:
        The interval, positive where ``a`` is higher, or None when there is a single group.

    Raises:
        ValueError: as `group_bootstrap`, and when ``a`` and ``b`` differ in length.
    """
    check_level(level)
    draws = _paired_draws(a, b, groups, statistic, resamples, seed)
    return None if draws is None else _percentile(draws, level)


def paired_difference_standard_error(
    a: ArrayLike,
    b: ArrayLike,
    groups: ArrayLike,
    statistic: Statistic = mean,
    *,
    resamples: int = RESAMPLES,
    seed: int,
) -> float | None:
    """Bootstrap standard error of ``statistic(a) - statistic(b)``; arguments as the interval's.

    Returns:
        The standard deviation (divisor R - 1) over resamples, in the unit of the statistic, or
        None where it carries no information: a single group, one resample, or differences that do
        not vary at all. A standard error of 0 would promise that any gap can be seen.
    """
    draws = _paired_draws(a, b, groups, statistic, resamples, seed)
    if draws is None or len(draws) < 2:
        return None
    error = float(np.std(draws, ddof=1))
    # Equal differences still leave rounding noise of the order of 1e-17.
    return error if error > 1e-12 * max(1.0, float(np.abs(draws).max())) else None


def _paired_draws(
    a: ArrayLike,
    b: ArrayLike,
    groups: ArrayLike,
    statistic: Statistic,
    resamples: int,
    seed: int,
) -> NDArray[np.float64] | None:
    if statistic is mean:
        first, second = scores_of(a, "a"), scores_of(b, "b")
        _check_paired(first, second)
        return _means(first - second, groups, resamples, seed)
    left, right = outcomes_of(a, "a"), outcomes_of(b, "b")
    _check_paired(left, right)
    return _differences([left, right], groups, statistic, resamples, seed)


def _check_paired(a: NDArray[Any], b: NDArray[Any]) -> None:
    if a.shape != b.shape:
        raise ValueError(
            f"`a` and `b` must be the same rows in the same order, got {a.shape} and {b.shape}"
        )


def _means(
    scores: NDArray[np.float64], groups: ArrayLike, resamples: int, seed: int
) -> NDArray[np.float64] | None:
    """Means of ``scores`` over resamples, ``[R]``."""
    grouping = Grouping.of(groups, len(scores))
    if len(grouping) < 2:
        return None
    sums = grouping.sums(scores)
    return np.concatenate(
        [
            counts @ sums / (counts @ grouping.sizes)
            for counts in grouping.resamples(resamples, seed)
        ]
    )


def _differences(
    outcomes: list[NDArray[Any]],
    groups: ArrayLike,
    statistic: Statistic,
    resamples: int,
    seed: int,
) -> NDArray[np.float64] | None:
    """The statistic of the first outcomes minus that of the second, if any, over resamples."""
    grouping = Grouping.of(groups, len(outcomes[0]))
    if len(grouping) < 2:
        return None
    draws: list[float] = []
    for block in grouping.resamples(resamples, seed):
        for counts in block:
            rows = grouping.rows(counts)
            numbers = [apply(statistic, outcome[rows]) for outcome in outcomes]
            draws.append(numbers[0] - sum(numbers[1:]))
    return np.array(draws)


def _percentile(draws: NDArray[np.float64], level: float) -> Interval:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level)
