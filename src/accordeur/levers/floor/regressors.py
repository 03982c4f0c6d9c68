"""Three ways to hold the rows X [n, d] of a regression, behind one pair of products.

*Dense* for embeddings. *Sparse* for words. *Represented* for words when there are fewer rows than
terms: by the representer theorem the weights then are a combination of the rows, W = X' A, so X can
be exchanged for the Cholesky factor L of X X' (n columns instead of d) without moving the minimum:
X W = L V and ||W|| = ||V|| for V = L' A. Dense products with L are several times faster than
sparse ones with X, and the optimiser's memory shrinks with the columns.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from accordeur.parts.classifier.words import SparseRows

Array = npt.NDArray[np.float64]

MOST_REPRESENTED = 2_048
"""Rows up to which L (32 MB there) is used; above, X itself is cheaper."""

_RIDGE = 1e-10  # repeated texts make X X' singular; moves a score by less than 1e-7
_BLOCK = 256


class Regressors(Protocol):
    """X, to be multiplied from the right and, transposed, from the left."""

    rows: int
    width: int

    def times(self, dense: Array) -> Array:
        """X times [d, m]."""
        ...

    def transposed_times(self, dense: Array) -> Array:
        """X transposed times [n, m]."""
        ...


class DenseRegressors:
    """X as a matrix, float64 [n, d]."""

    def __init__(self, matrix: Array) -> None:
        self.rows, self.width = matrix.shape
        self._matrix = matrix

    def times(self, dense: Array) -> Array:
        """X times [d, m]."""
        result: Array = self._matrix @ dense
        return result

    def transposed_times(self, dense: Array) -> Array:
        """X transposed times [n, m]."""
        result: Array = self._matrix.T @ dense
        return result

    def weights(self, fitted: Array) -> Array:
        """W [d, m] itself."""
        return fitted


class SparseRegressors:
    """X held sparsely, with a copy sorted by column for the transposed product."""

    def __init__(self, matrix: SparseRows) -> None:
        self.rows, self.width = len(matrix), matrix.width
        self._matrix = matrix
        self._transposed = matrix.transposed()

    def times(self, dense: Array) -> Array:
        """X times [d, m]."""
        return self._matrix.times(dense)

    def transposed_times(self, dense: Array) -> Array:
        """X transposed times [n, m]."""
        return self._transposed.times(dense)

    def weights(self, fitted: Array) -> Array:
        """W [d, m] itself."""
        return fitted


class RepresentedRegressors(DenseRegressors):
    """L in place of X; `weights` leads back to X's columns."""

    def __init__(self, matrix: SparseRows) -> None:
        self._transposed = matrix.transposed()
        products = np.empty((len(matrix), len(matrix)))
        for start in range(0, len(matrix), _BLOCK):
            block = np.zeros((matrix.width, min(_BLOCK, len(matrix) - start)))
            for column in range(block.shape[1]):
                entries = slice(matrix.starts[start + column], matrix.starts[start + column + 1])
                block[matrix.columns[entries], column] = matrix.values[entries]
            products[:, start : start + block.shape[1]] = matrix.times(block)
        products[np.diag_indices_from(products)] += _RIDGE
        super().__init__(np.asarray(np.linalg.cholesky(products), dtype=np.float64))

    def weights(self, fitted: Array) -> Array:
        """W = X' A [d, m] from V = L' A [n, m]."""
        combination: Array = np.linalg.solve(self._matrix.T, fitted).astype(np.float64)
        return self._transposed.times(combination)


def word_regressors(matrix: SparseRows) -> SparseRegressors | RepresentedRegressors:
    """The faster of the two ways for rows of words."""
    if len(matrix) < min(matrix.width, MOST_REPRESENTED):
        return RepresentedRegressors(matrix)
    return SparseRegressors(matrix)
