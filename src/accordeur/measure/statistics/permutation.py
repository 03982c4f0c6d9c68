"""The paired test of scores and of set-level metrics: swap whole groups between two candidates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from accordeur.measure.statistics.resampling import Grouping, outcomes_of, scores_of
from accordeur.measure.statistics.statistic import Statistic, apply, mean

EXACT_GROUPS = 12
"""Up to this many groups all 2^G swaps are enumerated (4,096)."""

PERMUTATIONS = 10_000
"""Random swaps beyond that."""

_CELLS_PER_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True)
class PermutationTest:
    """Result of a paired permutation test.

    Attributes:
        difference: the observed ``statistic(a) - statistic(b)``.
        p: two-sided p-value.
        exact: whether all swaps were enumerated; if not, p carries Monte Carlo noise.
        permutations: how many swaps were looked at.
        groups: how many groups there are, G.
        informative: how many of them differ between the candidates.
    """

    difference: float
    p: float
    exact: bool
    permutations: int
    groups: int
    informative: int


def paired_permutation(
    a: ArrayLike,
    b: ArrayLike,
    groups: ArrayLike,
    statistic: Statistic = mean,
    *,
    permutations: int = PERMUTATIONS,
    seed: int,
) -> PermutationTest:
    """Paired permutation test of ``statistic(a) = statistic(b)``, swapping whole groups.

    Under the null the two candidates' outcomes on a group are exchangeable. p is the share of swaps
    whose absolute difference is at least the observed one. Groups on which the candidates have the
    same outcomes change nothing when swapped and are left out, which alters no p and makes the test
    exact more often: at most `EXACT_GROUPS` remaining groups are enumerated. Beyond, random swaps
    with add-one: p = (1 + hits) / (1 + permutations), which is never 0.

    Args:
        a: per-row scores ``[n]`` of the first candidate, or the outcomes ``[n, ...]`` that
            ``statistic`` reads.
        b: the same for the second, on the same rows.
        groups: group of each row, ``[n]``.
        statistic: `mean` (sign flips, vectorised) or a set-level metric, called twice per swap.
        permutations: random swaps when there are too many groups to enumerate.
        seed: of the random swaps.

    Raises:
        ValueError: no rows, shapes that differ, scores or statistics that are not finite, or
            ``permutations`` below 1.

    Source: E. W. Noreen, Computer-Intensive Methods for Testing Hypotheses (1989), approximate
    randomisation; add-one: B. Phipson and G. Smyth, SAGMB 9 (2010). Ours swaps groups, not rows.
    """
    if permutations < 1:
        raise ValueError(f"`permutations` must be at least 1, got {permutations}")
    first, second = (
        (scores_of(a, "a"), scores_of(b, "b"))
        if statistic is mean
        else (outcomes_of(a, "a"), outcomes_of(b, "b"))
    )
    if first.shape != second.shape:
        raise ValueError(
            "`a` and `b` must be the same rows in the same order, "
            f"got {first.shape} and {second.shape}"
        )
    grouping = Grouping.of(groups, len(first))
    differing = _differing_groups(first, second, grouping)
    exact = len(differing) <= EXACT_GROUPS
    number = 2 ** len(differing) if exact else permutations
    swaps = _all_swaps(len(differing)) if exact else None
    generator = np.random.default_rng(seed)

    observed = apply(statistic, first) - apply(statistic, second)
    sums = grouping.sums(first - second)[differing] if statistic is mean else None
    hits, done = 0, 0
    while done < number:
        lines = min(number - done, max(1, _CELLS_PER_BLOCK // max(1, len(differing))))
        block = (
            swaps[done : done + lines]
            if swaps is not None
            else generator.integers(0, 2, size=(lines, len(differing)), dtype=np.int8) == 1
        )
        if sums is not None:
            hits += _mean_hits(sums, block)
        else:
            hits += _metric_hits(first, second, grouping, differing, statistic, observed, block)
        done += lines
    p = hits / number if exact else (1 + hits) / (1 + number)
    return PermutationTest(observed, p, exact, number, len(grouping), len(differing))


def _differing_groups(a: NDArray[Any], b: NDArray[Any], grouping: Grouping) -> NDArray[np.intp]:
    """Numbers of the groups with at least one row on which the candidates differ."""
    different = np.asarray(a != b).reshape(len(a), -1).any(axis=1)
    return np.unique(grouping.codes[different])


def _all_swaps(size: int) -> NDArray[np.bool_]:
    """Every choice of groups to swap, ``[2^size, size]``."""
    numbers = np.arange(2**size)[:, None]
    swaps: NDArray[np.bool_] = (numbers >> np.arange(size)) & 1 == 1
    return swaps


def _mean_hits(sums: NDArray[np.float64], swaps: NDArray[np.bool_]) -> int:
    """Swaps with at least the observed absolute difference, for means.

    The number of rows never changes, so the sums can stand for the means: swapping a group turns
    the sign of its summed difference, ``sums`` ``[G]``.
    """
    total = float(sums.sum())
    swapped = np.abs(total - 2 * (swaps @ sums))
    # The same differences added in another order must count as equal.
    slack = 1e-12 * float(np.abs(sums).sum())
    return int(np.count_nonzero(swapped >= abs(total) - slack))


def _metric_hits(
    a: NDArray[Any],
    b: NDArray[Any],
    grouping: Grouping,
    differing: NDArray[np.intp],
    statistic: Statistic,
    observed: float,
    swaps: NDArray[np.bool_],
) -> int:
    """Swaps with at least the observed absolute difference, for any statistic."""
    hits = 0
    threshold = abs(observed) - 1e-12 * max(1.0, abs(observed))
    swapped_group = np.zeros(len(grouping), dtype=np.bool_)
    for swap in swaps:
        swapped_group[differing] = swap
        mask = swapped_group[grouping.codes].reshape(-1, *[1] * (a.ndim - 1))
        left, right = np.where(mask, b, a), np.where(mask, a, b)
        hits += abs(apply(statistic, left) - apply(statistic, right)) >= threshold
    return hits
