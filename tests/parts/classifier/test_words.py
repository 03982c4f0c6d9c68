from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.parts.classifier import words as module
from accordeur.parts.classifier.words import SparseRows, count_terms, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My card's LOST, again", ["my", "card's", "lost", "again", "my card's", "card's lost",
                                   "lost again"]),
        ("été_1", ["été", "1", "été 1"]),
        ("...", []),
        ("one", ["one"]),
    ],
)  # fmt: skip
def test_terms_are_words_and_neighbouring_pairs(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_counts_known_terms_and_ignores_the_rest() -> None:
    counts = count_terms(["a b a", "", "c"], {"a": 0, "b a": 1, "z": 2})
    assert dense(counts).tolist() == [[2, 1, 0], [0, 0, 0], [0, 0, 0]]


def dense(rows: SparseRows) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    matrix = np.zeros((len(rows), rows.width))
    matrix[rows.rows, rows.columns] = rows.values
    return matrix


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_products_equal_those_of_the_dense_matrix(n: int, d: int, m: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(n, d)) * (random.random((n, d)) < 0.3)  # empty rows and columns
    rows, columns = np.nonzero(matrix)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    sparse = SparseRows(starts.astype(np.intp), columns, matrix[rows, columns], d)
    right, left = random.normal(size=(d, m)), random.normal(size=(n, m))
    for cells in (1, 7, 4_000_000):  # blocks of one row, of a few, of all
        module._CELLS, kept = cells, module._CELLS
        try:
            np.testing.assert_allclose(sparse.times(right), matrix @ right, atol=1e-12)
            np.testing.assert_allclose(sparse.transposed().times(left), matrix.T @ left, atol=1e-12)
        finally:
            module._CELLS = kept
