from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.model import FloatArray
from accordeur.documents import vectors as module
from accordeur.documents.vectors import VectorIndex


def index_of(matrix: FloatArray) -> VectorIndex:
    return VectorIndex(matrix, [str(i) for i in range(len(matrix))])


def brute_force(matrix: FloatArray, query: FloatArray, k: int, out: set[int]) -> list[int]:
    exact = (matrix.astype(np.float64) @ query.astype(np.float64)).astype(np.float32)
    order = sorted(range(len(matrix)), key=lambda i: (-exact[i], i))
    return [i for i in order if i not in out][:k]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_finds_what_brute_force_finds_ties_and_exclusions_included(
    n: int, d: int, k: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    matrix = random.integers(-2, 3, (n, d)).astype(np.float32)  # many ties, many zeros
    queries = random.integers(-2, 3, (7, d)).astype(np.float32)
    out = [set(random.integers(0, n, random.integers(0, n + 1)).tolist()) for _ in queries]
    found, similarities = index_of(matrix).search(queries, k, exclude=out)
    assert found.shape == similarities.shape == (7, min(k, n))
    for row, query in enumerate(queries):
        expected = brute_force(matrix, query, k, out[row])
        filled = len(expected)
        assert found[row, :filled].tolist() == expected
        assert similarities[row, :filled].tolist() == (matrix @ query)[expected].tolist()
        assert (found[row, filled:] == -1).all()
        assert (similarities[row, filled:] == -np.inf).all()


def test_the_cut_into_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(500, 48)).astype(np.float32)
    matrix[250:] = matrix[:250]  # every vector twice: each query meets ties
    queries = random.normal(size=(60, 48)).astype(np.float32)
    whole = index_of(matrix).search(queries, 20)
    monkeypatch.setattr(module, "_BLOCK_VECTORS", 37)
    monkeypatch.setattr(module, "_BLOCK_QUERIES", 7)
    cut = index_of(matrix).search(queries, 20)
    np.testing.assert_array_equal(whole[0], cut[0])
    np.testing.assert_array_equal(whole[1], cut[1])
    assert (np.sort(whole[0][:, 0::2] + 250) == np.sort(whole[0][:, 1::2])).all()


def test_a_vector_is_nearest_to_itself_unless_left_out() -> None:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(50, 8)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    search = index_of(matrix).search
    assert (search(matrix, 1)[0][:, 0] == np.arange(50)).all()
    alone = [{i} for i in range(50)]
    assert (search(matrix, 3, exclude=alone)[0] != np.arange(50)[:, None]).all()


def test_an_empty_index_finds_nothing() -> None:
    found, similarities = index_of(np.zeros((0, 3), np.float32)).search(
        np.ones((2, 3), np.float32), 5
    )
    assert found.shape == similarities.shape == (2, 0)


def test_no_queries_find_nothing() -> None:
    found, _ = index_of(np.ones((4, 3), np.float32)).search(np.zeros((0, 3), np.float32), 2)
    assert found.shape == (0, 2)


@pytest.mark.parametrize(
    ("matrix", "ids", "says"),
    [
        (np.ones(3), ["a"], "shape"),
        (np.ones((2, 3)), ["a"], "1 ids for 2 vectors"),
        (np.full((1, 3), np.nan), ["a"], "NaN"),
    ],
)
def test_vectors_that_cannot_be_searched_are_refused(
    matrix: FloatArray, ids: list[str], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        VectorIndex(matrix, ids)


@pytest.mark.parametrize(
    ("queries", "k", "exclude", "says"),
    [
        (np.ones((1, 3)), 0, None, "k must be"),
        (np.ones((1, 2)), 1, None, "shape"),
        (np.full((1, 3), np.inf), 1, None, "infinity"),
        (np.ones((2, 3)), 1, [[0]], "1 exclusions for 2"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(
    queries: FloatArray, k: int, exclude: list[list[int]] | None, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        index_of(np.ones((4, 3), np.float32)).search(queries, k, exclude=exclude)
