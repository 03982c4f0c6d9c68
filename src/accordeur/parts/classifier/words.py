"""Texts as counts of words and pairs of neighbouring words, in compressed sparse rows.

A word is a stretch of letters, digits and apostrophes in lower case; for English that is
`[a-z0-9']+`, and letters of other scripts count as letters. Languages written without spaces give
whole phrases as words, so word floors say little there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from accordeur.core.model import FloatArray

_WORD = re.compile(r"(?:[^\W_]|')+")
_CELLS = 4_000_000  # gathered at once: 32 MB


def terms(text: str) -> list[str]:
    """Words, then pairs of neighbouring words joined by a space, repeats kept."""
    words = _WORD.findall(text.lower())
    return words + [f"{first} {second}" for first, second in pairwise(words)]


@dataclass(frozen=True, eq=False, slots=True)
class SparseRows:
    """A sparse matrix [n, d] by rows: row i holds entries `starts[i]` to `starts[i + 1]`.

    Attributes:
        starts: [n + 1].
        columns: column of each entry.
        values: of each entry.
        width: d.
    """

    starts: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    values: npt.NDArray[np.float64]
    width: int

    def __len__(self) -> int:
        """n, the number of rows."""
        return len(self.starts) - 1

    @property
    def rows(self) -> npt.NDArray[np.intp]:
        """Row of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def times(self, dense: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The product with a dense matrix: [n, d] x [d, m] -> [n, m]."""
        result = np.zeros((len(self), dense.shape[1]))
        filled = np.flatnonzero(np.diff(self.starts))  # reduceat has no word for an empty row
        begins, ends = self.starts[:-1][filled], self.starts[1:][filled]
        first = 0
        while first < len(filled):
            limit = begins[first] + _CELLS // max(1, dense.shape[1])
            last = max(first + 1, int(np.searchsorted(ends, limit, side="right")))
            entries = slice(begins[first], ends[last - 1])
            products = dense[self.columns[entries]] * self.values[entries, None]
            offsets = begins[first:last] - begins[first]
            result[filled[first:last]] = np.add.reduceat(products, offsets, axis=0)
            first = last
        return result

    def transposed(self) -> SparseRows:
        """The matrix [d, n]."""
        order = np.argsort(self.columns, kind="stable")
        counts = np.bincount(self.columns, minlength=self.width)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        return SparseRows(starts, self.rows[order], self.values[order], len(self))


def count_terms(texts: Sequence[str], vocabulary: Mapping[str, int]) -> SparseRows:
    """How often each term of a vocabulary occurs in each text; other terms are ignored.

    Args:
        texts: n texts.
        vocabulary: term -> column, columns 0 to d - 1.
    """
    starts, columns, values = [0], [], []
    for text in texts:
        counts: dict[int, int] = {}
        for term in terms(text):
            column = vocabulary.get(term)
            if column is not None:
                counts[column] = counts.get(column, 0) + 1
        for column in sorted(counts):
            columns.append(column)
            values.append(float(counts[column]))
        starts.append(len(columns))
    return SparseRows(
        np.array(starts, dtype=np.intp),
        np.array(columns, dtype=np.intp),
        np.array(values, dtype=np.float64),
        len(vocabulary),
    )


def tf_idf(counts: SparseRows, idf: FloatArray) -> SparseRows:
    """Counts weighted by `idf` [d] and scaled to unit length row by row; empty rows stay empty."""
    weighted = counts.values * idf.astype(np.float64)[counts.columns]
    squares = np.bincount(counts.rows, weights=weighted**2, minlength=len(counts))
    lengths = np.sqrt(squares)[counts.rows]
    return SparseRows(counts.starts, counts.columns, weighted / lengths, counts.width)
