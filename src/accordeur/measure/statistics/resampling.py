"""Groups and their resamples: the part every bootstrap of this package shares.

A resample draws G of the G groups with replacement. It is kept as one line of a count matrix
``[R, G]`` (how often each group was drawn), because the mean over the drawn rows is then

    counts @ (sum of scores per group) / counts @ (rows per group)

and thousands of resamples are one matrix product. Groups, never rows, are drawn: rows of one group
(questions on the same text, paraphrases) err together, and resampling them singly would make
intervals too short.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
"""The protocol's number of resamples (P6)."""

_CELLS_PER_BLOCK = 2_000_000  # 16 MB a block, so that 100,000 groups do not need gigabytes


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which row belongs to which group.

    Attributes:
        codes: group number of each row, 0 to G - 1, ``[n]``.
        sizes: rows of each group, ``[G]``, as floats for the matrix products.
    """

    codes: NDArray[np.intp]
    sizes: NDArray[np.float64]

    @classmethod
    def of(cls, groups: ArrayLike, n: int) -> "Grouping":
        """Number the groups of ``n`` rows.

        Args:
            groups: group name of each row, ``[n]``; strings or integers, of one type.
            n: the number of rows there must be.

        Raises:
            ValueError: there is no row, or ``groups`` has another length.
        """
        names = np.asarray(groups)
        if n < 1:
            raise ValueError("there are no rows: zero examples give no number")
        if names.shape != (n,):
            raise ValueError(f"`groups` must have shape ({n},) like the rows, got {names.shape}")
        _, codes = np.unique(names, return_inverse=True)
        return cls(codes.astype(np.intp), np.bincount(codes).astype(np.float64))

    def __len__(self) -> int:
        """G, the number of groups."""
        return len(self.sizes)

    def sums(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the scores of each group: ``[n, ...]`` to ``[G, ...]``."""
        order = np.argsort(self.codes, kind="stable")
        starts = np.searchsorted(self.codes[order], np.arange(len(self)))
        total: NDArray[np.float64] = np.add.reduceat(scores[order], starts, axis=0)
        return total

    def rows(self, counts: NDArray[np.int64]) -> NDArray[np.intp]:
        """Row indices of one resample, each row as often as its group was drawn.

        Args:
            counts: how often each group was drawn, ``[G]``.
        """
        return np.repeat(np.arange(len(self.codes)), counts[self.codes])

    def resamples(
        self, number: int, seed: int, *, leave_some_out: bool = False
    ) -> Iterator[NDArray[np.int64]]:
        """Draw ``number`` resamples, as blocks of count lines ``[r, G]`` whose r sum to ``number``.

        Args:
            number: R, at least 1.
            seed: of this sequence of draws.
            leave_some_out: redraw every resample that holds all groups, so that each leaves at
                least one group out of the bag. Needs two groups.

        Raises:
            ValueError: ``number`` is below 1, or one group is asked to be left out of one.
        """
        if number < 1:
            raise ValueError(f"`resamples` must be at least 1, got {number}")
        size = len(self)
        if leave_some_out and size < 2:
            raise ValueError("no group can be left out: there is only one")
        generator = np.random.default_rng(seed)
        block = max(1, _CELLS_PER_BLOCK // size)
        while number > 0:
            lines = min(block, number)
            draws = generator.integers(0, size, size=(lines, size))
            draws += np.arange(lines)[:, None] * size  # each line counts into its own cells
            counts = np.bincount(draws.ravel(), minlength=lines * size).reshape(lines, size)
            if leave_some_out:
                counts = counts[(counts == 0).any(axis=1)]
            number -= len(counts)
            yield counts


def scores_of(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Per-row scores as a float array ``[n]``.

    Raises:
        ValueError: the array is not one-dimensional or holds NaN or infinity; a missing row is
            removed for every candidate before it comes here (P6).
    """
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"`{name}` must be one score per row, got shape {scores.shape}")
    if not np.isfinite(scores).all():
        raise ValueError(
            f"`{name}` holds NaN or infinite scores\n\n"
            "hint: remove rows that are missing for one candidate from all of them"
        )
    return scores


def outcomes_of(values: ArrayLike, name: str) -> NDArray[Any]:
    """Outcomes for a general statistic: any array whose first axis is the rows, ``[n, ...]``.

    Raises:
        ValueError: the array has no axis.
    """
    outcomes = np.asarray(values)
    if outcomes.ndim == 0:
        raise ValueError(f"`{name}` must have one outcome per row, got a single value")
    return outcomes
