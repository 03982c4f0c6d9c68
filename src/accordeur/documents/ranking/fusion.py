"""Two orders of the same passages become one: by weighted scores, or by ranks alone.

Passages are numbers here; higher scores are better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CONSTANT = 60
"""k of reciprocal rank fusion, as its authors chose it."""


def fuse(
    lexical: Mapping[int, float], dense: Mapping[int, float], weight: float
) -> dict[int, float]:
    """Weighted mean of both sides' scores, each scaled to 0..1 by its own lowest and highest.

        score(p) = (1 - weight) * scaled_lexical(p) + weight * scaled_dense(p)

    A passage that one side did not put forward has 0 there, as much as the last that side did put
    forward. A side on which all are equal gives each of them 1: it cannot tell them apart, but it
    found them and not the others.

    Args:
        lexical: passage -> BM25.
        dense: passage -> cosine.
        weight: of the vectors, 0 to 1.

    Returns:
        The score of every passage that either side put forward, 0 to 1.

    Raises:
        ValueError: the weight is out of range.

    Source: S. Bruch, S. Gai, A. Ingber, An Analysis of Fusion Functions for Hybrid Retrieval, ACM
    TOIS 42 (2023), https://arxiv.org/abs/2210.11934, their convex combination.
    """
    if not 0.0 <= weight <= 1.0:
        raise ValueError(f"the weight of the vectors must be 0 to 1, got {weight}")
    words, vectors = scaled(lexical), scaled(dense)
    return {
        passage: (1.0 - weight) * words.get(passage, 0.0) + weight * vectors.get(passage, 0.0)
        for passage in {**words, **vectors}
    }


def scaled(scores: Mapping[int, float]) -> dict[int, float]:
    """Scores moved and stretched so that the lowest is 0 and the highest 1; all 1 when equal."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if low == high:
        return dict.fromkeys(scores, 1.0)
    half = high / 2 - low / 2  # the whole width of two huge numbers may be no finite number
    return {passage: (score / 2 - low / 2) / half for passage, score in scores.items()}


def reciprocal_ranks(*rankings: Sequence[int], constant: int = CONSTANT) -> dict[int, float]:
    """Σ 1 / (constant + rank) over the rankings that hold a passage, ranks from 1.

    Args:
        rankings: passages, best first, each at most once.
        constant: how little the very first ranks count.

    Raises:
        ValueError: the constant is negative.

    Source: G. Cormack, C. Clarke, S. Büttcher, Reciprocal Rank Fusion outperforms Condorcet and
    individual Rank Learning Methods, SIGIR 2009.
    """
    if constant < 0:
        raise ValueError(f"the constant must not be negative, got {constant}")
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, passage in enumerate(ranking, start=1):
            scores[passage] = scores.get(passage, 0.0) + 1.0 / (constant + rank)
    return scores


def best(scores: Mapping[int, float], k: int) -> list[tuple[int, float]]:
    """The k passages of highest score, best first, ties to the lower number."""
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))[:k]
