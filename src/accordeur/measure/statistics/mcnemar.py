"""The primary test of a rate: two candidates, right or wrong, on the same rows."""

import math

import numpy as np


def mcnemar(b: int, c: int) -> float:
    """Two-sided p-value of the exact McNemar test.

    Under the null a discordant row is as likely to favour either candidate, so that b is binomial
    with b + c trials and probability 1/2:

        p = min(1, 2 · P(X ≤ min(b, c))),  X ~ Bin(b + c, 1/2)

    Rows on which the candidates agree carry no information and do not enter. Without discordant
    rows p is 1. Six rows, all one way, are the fewest that reach 0.05. The test takes rows as
    independent; for clustered rows use `paired_permutation`.

    Args:
        b: rows that only the first candidate gets right.
        c: rows that only the second candidate gets right.

    Raises:
        ValueError: a count is negative.

    Source: Q. McNemar, Psychometrika 12 (1947), in its exact conditional form (binomial sign
    test); no mid-p correction, which would be less conservative but may exceed the level.
    """
    if b < 0 or c < 0:
        raise ValueError(f"`b` and `c` are counts and cannot be negative, got {b} and {c}")
    n, least = b + c, min(b, c)
    if n == 0:
        return 1.0
    # log P(X = k) from ratios of neighbours: no factorials, so that no n overflows.
    k = np.arange(1, least + 1)
    log_ratios = np.log((n - k + 1) / k)
    log_mass = np.concatenate([[0.0], np.cumsum(log_ratios)]) - n * math.log(2)
    return min(1.0, 2 * float(np.exp(log_mass).sum()))
