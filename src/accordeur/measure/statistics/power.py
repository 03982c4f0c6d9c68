"""What n rows can see, and how many rows would settle a gap (P7.4).

Two families, for the two primary tests:

- *rates*, for `mcnemar`: exact power by enumeration over the number of discordant rows;
- *scores*, for paired means and set-level metrics: the normal formula on a bootstrap standard
  error.

Both answer None where no difference, or no number of rows, reaches the asked power. Power is that
of a future sample like this one; it is not evidence about the sample in hand.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

POWER = 0.80
ALPHA = 0.05

_EXACT_ROWS = 20_000
"""Beyond this many rows `rows_to_detect_rate_difference` uses the normal approximation."""


def discordance(b: int, c: int, n: int) -> float:
    """Share of rows on which two candidates disagree, (b + c + 1) / (n + 2), as P7.4 fixes it.

    The added rows keep the share above 0 when no disagreement was seen in few rows.

    Args:
        b: rows that only the first candidate gets right.
        c: rows that only the second candidate gets right.
        n: all rows.

    Raises:
        ValueError: ``n`` is below 1, or the counts are negative or exceed ``n``.
    """
    if n < 1 or b < 0 or c < 0 or b + c > n:
        raise ValueError(f"need 0 <= b, c and b + c <= n with n >= 1, got b={b}, c={c}, n={n}")
    return (b + c + 1) / (n + 2)


def mcnemar_power(difference: float, n: int, discordance: float, *, alpha: float = ALPHA) -> float:
    """Power of the two-sided exact McNemar test with ``n`` rows.

    With discordance ψ and true difference δ = ψ₁₀ - ψ₀₁, the discordant rows are D ~ Bin(n, ψ), of
    which X ~ Bin(D, (ψ - |δ|) / 2ψ) go against the better candidate. The power is the mean over D
    of P(X ≤ c_D) + P(D - X ≤ c_D), where c_D is the largest count the test rejects at. O(n).

    Args:
        difference: true difference in rates, a share; only its size matters.
        n: rows.
        discordance: true share of rows on which the candidates disagree, above 0.
        alpha: level of the test.

    Raises:
        ValueError: an argument out of range, or a difference larger than the discordance, which
            no pair of candidates can have.

    Source: exact enumeration of the test in `mcnemar`; the set-up is that of R. Connor, Sample size
    for testing differences in proportions for the paired-sample design, Biometrics 43 (1987).
    """
    _check(n, discordance, alpha=alpha)
    if not abs(difference) <= discordance:
        raise ValueError(
            f"a difference of {difference} cannot come from a discordance of {discordance}"
        )
    return _power(abs(difference), n, discordance, _tables(n, alpha))


def detectable_rate_difference(
    n: int, discordance: float, *, power: float = POWER, alpha: float = ALPHA
) -> float | None:
    """Smallest difference in rates that the exact McNemar test sees with the asked power.

    The discordance is held fixed while the difference varies.

    Args:
        n: rows.
        discordance: expected share of discordant rows; see `discordance`.
        power: asked power.
        alpha: level of the test.

    Returns:
        The difference as a share, within 1e-6 from above; or None when even disagreements that all
        go one way (difference = discordance) would not be seen: too few rows.

    Raises:
        ValueError: an argument out of range.
    """
    _check(n, discordance, power=power, alpha=alpha)
    tables = _tables(n, alpha)
    low, high = 0.0, discordance
    if _power(high, n, discordance, tables) < power:
        return None
    while high - low > 1e-6:  # power grows with the difference
        middle = (low + high) / 2
        if _power(middle, n, discordance, tables) < power:
            low = middle
        else:
            high = middle
    return high


def rows_to_detect_rate_difference(
    difference: float, discordance: float, *, power: float = POWER, alpha: float = ALPHA
) -> int | None:
    """Rows at which the exact McNemar test sees ``difference`` with the asked power.

    Found by bisection between a number of rows that fails and one that reaches the power. An exact
    test's power has small teeth, so a slightly smaller n may reach it too. Above 20,000 rows
    Connor's normal approximation is returned instead, there within 2 % of the exact number:

        n = (z_half · √ψ + z_power · √(ψ - δ²))² / δ² + 1/δ

    with z_half the normal quantile of 1 - alpha/2, and 1/δ for the discreteness of the test, which
    Connor's formula does not count.

    Args:
        difference: the gap to settle, a share; only its size matters.
        discordance: expected share of discordant rows; see `discordance`.
        power: asked power.
        alpha: level of the test.

    Returns:
        The total number of rows (not the additional ones), or None when the gap is 0 or larger than
        the discordance, so that no number of rows answers the question.

    Raises:
        ValueError: an argument out of range.
    """
    _check(1, discordance, power=power, alpha=alpha)
    gap = abs(difference)
    if gap == 0 or gap > discordance:
        return None
    normal = NormalDist()
    z_alpha, z_power = normal.inv_cdf(1 - alpha / 2), normal.inv_cdf(power)
    spread = z_alpha * math.sqrt(discordance) + z_power * math.sqrt(discordance - gap * gap)
    approximate = spread * spread / (gap * gap) + 1 / gap
    if approximate > _EXACT_ROWS:
        return math.ceil(approximate)
    low, high = 1, math.ceil(approximate)
    tables = _tables(2 * high, alpha)
    while _power(gap, high, discordance, tables) < power:
        low, high = high, 2 * high
        if high >= len(tables.critical):
            tables = _tables(high, alpha)
    while high - low > 1:
        middle = (low + high) // 2
        if _power(gap, middle, discordance, tables) < power:
            low = middle
        else:
            high = middle
    return high


def detectable_score_difference(
    standard_error: float | None, *, power: float = POWER, alpha: float = ALPHA
) -> float | None:
    """Smallest difference in scores seen with the asked power at the present number of rows.

        δ = (z_half + z_power) · SE

    with z_half the normal quantile of 1 - alpha/2 and SE the bootstrap standard error of the paired
    difference. It takes the difference as normal, which the permutation test does not: with fewer
    than about 20 groups read it as a lower bound.

    Args:
        standard_error: from `paired_difference_standard_error`, in the unit of the score; None
            passes through.
        power: asked power.
        alpha: level of the test.

    Returns:
        The difference in the unit of the score, or None when the standard error is unknown.

    Raises:
        ValueError: an argument out of range.
    """
    _check_level(power=power, alpha=alpha)
    if standard_error is None:
        return None
    if not 0 < standard_error < math.inf:
        raise ValueError(f"`standard_error` must be positive and finite, got {standard_error}")
    normal = NormalDist()
    return (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) * standard_error


def rows_to_detect_score_difference(
    difference: float,
    standard_error: float | None,
    n: int,
    *,
    power: float = POWER,
    alpha: float = ALPHA,
) -> int | None:
    """Rows at which a gap in scores is seen with the asked power.

        n' = n · (δ(n) / gap)²,  δ(n) from `detectable_score_difference`

    since a standard error shrinks with √n. New rows are taken to come in groups like the present
    ones.

    Args:
        difference: the gap to settle, in the unit of the score; only its size matters.
        standard_error: of the paired difference at the present ``n``; None when unknown.
        n: present rows, at least 1.
        power: asked power.
        alpha: level of the test.

    Returns:
        The total number of rows (not the additional ones), or None when the gap is 0 or the
        standard error unknown.

    Raises:
        ValueError: an argument out of range.
    """
    if n < 1:
        raise ValueError(f"`n` must be at least 1, got {n}")
    if not math.isfinite(difference):
        raise ValueError(f"`difference` must be finite, got {difference}")
    seen = detectable_score_difference(standard_error, power=power, alpha=alpha)
    if seen is None or difference == 0:
        return None
    rows = n * (seen / abs(difference)) ** 2
    return max(1, math.ceil(rows * (1 - 1e-12)))  # rounding must not add a row


class _Tables(NamedTuple):
    """What the power of every n up to some N shares."""

    critical: NDArray[np.int64]
    """c_D for D = 0 … N: the largest minority the two-sided test rejects at, -1 if none."""
    log_factorial: NDArray[np.float64]
    """log D! for D = 0 … N."""


def _tables(largest: int, alpha: float) -> _Tables:
    """Critical counts and log factorials up to ``largest`` discordant rows.

    c_D can rise by at most one from D to D + 1, so one walk finds them all, carrying
    tail = P(X ≤ c_D) and mass = P(X = c_D) for X ~ Bin(D, 1/2).
    """
    critical = np.empty(largest + 1, dtype=np.int64)
    c, tail, mass = -1, 0.0, 0.0
    limit = alpha / 2 * (1 + 1e-12)  # a p-value equal to alpha rejects, whatever the rounding
    for d in range(largest + 1):
        if d > 0 and c >= 0:
            tail -= mass / 2  # P(X ≤ c) falls by P(X = c)/2 with one more trial
            mass *= d / (2 * (d - c))
        next_mass = 0.5**d if c < 0 else mass * (d - c) / (c + 1)
        if tail + next_mass <= limit:
            c, tail, mass = c + 1, tail + next_mass, next_mass
        critical[d] = c
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, largest + 1)))])
    return _Tables(critical, log_factorial)


def _power(difference: float, n: int, discordance: float, tables: _Tables) -> float:
    against = max(0.0, (discordance - difference) / (2 * discordance))
    rejects = _lower_tails(against, n, tables) + _lower_tails(1 - against, n, tables)
    d = np.arange(n + 1)
    weights = _mass(d, np.full(n + 1, n), discordance, tables.log_factorial)
    return min(1.0, float(weights @ rejects))


def _lower_tails(p: float, n: int, tables: _Tables) -> NDArray[np.float64]:
    """P(Bin(D, p) ≤ c_D) for D = 0 … n, ``[n + 1]``.

    One more trial lowers P(X ≤ c) by p · P(X = c), and a risen c adds its own mass; summing these
    steps needs one mass per D instead of one sum per D.
    """
    critical = tables.critical[: n + 1]
    d = np.arange(n + 1)
    mass = _mass(critical, d, p, tables.log_factorial)
    steps = np.zeros(n + 1)
    steps[1:] = np.where(critical[1:] > critical[:-1], mass[1:], 0.0)
    steps[1:] -= p * mass[:-1]
    return np.clip(np.cumsum(steps), 0.0, 1.0)


def _mass(
    k: NDArray[np.int64], n: NDArray[np.int64], p: float, log_factorial: NDArray[np.float64]
) -> NDArray[np.float64]:
    """P(Bin(n, p) = k), elementwise; 0 where k < 0."""
    if p <= 0 or p >= 1:
        certain: NDArray[np.float64] = (k == (0 if p <= 0 else n)).astype(np.float64)
        return certain
    inside = np.maximum(k, 0)
    log_choose = log_factorial[n] - log_factorial[inside] - log_factorial[n - inside]
    log_mass = log_choose + inside * math.log(p) + (n - inside) * math.log1p(-p)
    return np.where(k >= 0, np.exp(log_mass), 0.0)


def _check(n: int, discordance: float, *, alpha: float, power: float = POWER) -> None:
    if n < 1:
        raise ValueError(f"`n` must be at least 1, got {n}")
    if not 0 < discordance <= 1:
        raise ValueError(f"`discordance` must lie between 0 (excluded) and 1, got {discordance}")
    _check_level(power=power, alpha=alpha)


def _check_level(*, power: float, alpha: float) -> None:
    if not 0 < alpha < power < 1:
        raise ValueError(f"need 0 < `alpha` < `power` < 1, got {alpha} and {power}")
