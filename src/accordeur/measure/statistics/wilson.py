"""The score interval of a rate."""

import math
from statistics import NormalDist

from accordeur.measure.statistics.interval import Interval, check_level


def wilson(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson score interval of the rate ``successes / n``.

    With p = successes / n and z the normal quantile of (1 + level) / 2:

        centre = (p + z²/2n) / (1 + z²/n)
        half   = z / (1 + z²/n) · sqrt(p(1 - p)/n + z²/4n²)

    No continuity correction. Unlike the bootstrap, it keeps a width at 0 % and 100 %. It assumes
    independent rows: for clustered rows use `group_bootstrap`.

    Args:
        successes: number of successes, 0 to ``n``.
        n: number of rows, at least 1.
        level: nominal coverage.

    Raises:
        ValueError: ``n`` is 0 (zero examples give no number), ``successes`` is outside 0 to
            ``n``, or ``level`` is not between 0 and 1.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    JASA 22 (1927).
    """
    check_level(level)
    if n < 1:
        raise ValueError(f"a rate needs at least one row, got `n` = {n}")
    if not 0 <= successes <= n:
        raise ValueError(f"`successes` must lie between 0 and `n` = {n}, got {successes}")
    rate = successes / n
    z = NormalDist().inv_cdf((1 + level) / 2)
    shrink = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / shrink
    half = z / shrink * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # In exact arithmetic the ends are 0 at no success and 1 at no failure and the rate lies
    # inside; rounding must not print -1e-17, nor an interval that misses its own estimate.
    low = 0.0 if successes == 0 else max(0.0, min(rate, centre - half))
    high = 1.0 if successes == n else min(1.0, max(rate, centre + half))
    return Interval(low, high, level)
