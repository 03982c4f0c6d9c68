from __future__ import annotations

import numpy as np

from accordeur.core.model import FloatArray
from accordeur.parts.classifier.embedding_nearest import EmbeddingNearest


def at(*degrees: float) -> FloatArray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def classifier(k: int) -> EmbeddingNearest:
    return EmbeddingNearest(("a", "b"), at(0, 30, 40, 180), np.array([0, 1, 1, 0]), k, "e", "d")


def test_the_nearest_row_decides_alone() -> None:
    assert classifier(1).predict(["x"], lambda _: at(5)).tolist() == [[1.0, 0.0]]


def test_more_neighbours_outvote_the_nearest() -> None:
    assert classifier(3).predict(["x"], lambda _: at(5)).argmax() == 1


def test_a_tie_of_votes_goes_to_the_nearer() -> None:
    table = classifier(2).predict(["x"], lambda _: at(10))
    assert table.argmax() == 0
    assert 0.5 < table.max() < 0.6


def test_rows_that_point_away_hardly_count_and_k_may_exceed_the_rows() -> None:
    table = classifier(50).predict(["x"], lambda _: at(0))
    assert table.argmax() == 1
    np.testing.assert_allclose(table.sum(), 1.0)
