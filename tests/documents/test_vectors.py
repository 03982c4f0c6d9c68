from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e18, 1e25])
def test_what_float32_cannot_tell_apart_is_ordered_by_float64(scale: float) -> None:
    """Sums of large terms that cancel: float32 alone gets the order wrong."""
    random = np.random.default_rng(3)
    matrix = random.normal(size=(300, 64)).astype(np.float32)
    matrix[:, 32:] = -matrix[:, :32] + random.normal(size=(300, 32)).astype(np.float32) * 1e-5
    matrix = (matrix * scale).astype(np.float32)
    query = np.ones((1, 64), np.float32)
    rough = np.argsort(-(matrix @ query[0]), kind="stable")[:20]
    found, _ = index_of(matrix).search(query, 20)
    assert found[0].tolist() == brute_force(matrix, query[0], 20, set())
    assert scale != 1.0 or found[0].tolist() != rough.tolist(), "the case is a hard one"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_among_some_is_a_search_of_those_alone(n: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = random.integers(-2, 3, (n, 4)).astype(np.float32)
    queries = random.integers(-2, 3, (3, 4)).astype(np.float32)
    only = np.flatnonzero(random.random(n) < 0.5)
    found, similarities = index_of(matrix).search(queries, k, only=only)
    alone, expected = index_of(matrix[only]).search(queries, k)
    np.testing.assert_array_equal(found, only[alone])
    np.testing.assert_array_equal(similarities, expected)


def test_a_file_of_vectors_is_searched_as_it_lies(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    matrix = random.normal(size=(400, 16)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", matrix)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    index = VectorIndex(mapped, longest=100.0)
    assert np.shares_memory(index.vectors, mapped)
    queries = random.normal(size=(5, 16)).astype(np.float32)
    for ours, expected in zip(
        index.search(queries, 7), index_of(matrix).search(queries, 7), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


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
