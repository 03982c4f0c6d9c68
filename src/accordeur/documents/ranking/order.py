"""What a `Ranking` makes of the two sides of a search."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from accordeur.core.errors import UsageError
from accordeur.documents.passage import Found, Mode, Passage, Ranking
from accordeur.documents.ranking.fusion import best, fuse, reciprocal_ranks

MODES: tuple[Mode, ...] = ("lexical", "dense", "fusion", "rrf")

Scores = Mapping[int, float]
"""Passage -> score, the best first, ties to the lower number."""

NO_SCORES: Scores = {}


def asks_words(ranking: Ranking) -> bool:
    """Whether words are looked up at all."""
    return ranking.mode != "dense" and not (ranking.mode == "fusion" and ranking.weight == 1.0)


def asks_vectors(ranking: Ranking) -> bool:
    """Whether the question has to be embedded."""
    return ranking.mode != "lexical" and not (ranking.mode == "fusion" and ranking.weight == 0.0)


def candidates(ranking: Ranking, k: int) -> int:
    """How many passages a side is asked for, so that k can be found."""
    return k if ranking.mode in ("lexical", "dense") else max(k, ranking.depth)


def check_ranking(ranking: Ranking, *, vectors: bool) -> None:
    """Refuse what cannot be done.

    Args:
        ranking: as the user chose it.
        vectors: whether there are any.

    Raises:
        UsageError: an unknown mode, a weight or depth out of range, or vectors that are not there.
    """
    if ranking.mode not in MODES:
        raise UsageError(f"There is no ranking `{ranking.mode}`.", hint=f"one of {list(MODES)}")
    if not 0.0 <= ranking.weight <= 1.0:
        raise UsageError(
            f"The weight of the vectors is 0 to 1, not {ranking.weight}.",
            hint="0 is words alone, 1 vectors alone",
        )
    if ranking.depth < 1:
        raise UsageError(f"A ranking needs a depth of at least 1, got {ranking.depth}.")
    if not vectors and asks_vectors(ranking):
        raise UsageError(
            f"These documents have no vectors, so `{ranking.mode}` cannot order them.",
            hint="use the ranking `lexical`",
        )


def ordered(ranking: Ranking, k: int, lexical: Scores, dense: Scores) -> list[tuple[int, float]]:
    """The k best passages with the score they are ordered by, best first, ties to the lower number.

    Args:
        ranking: how.
        k: at least 1.
        lexical, dense: what each side put forward; empty where it was not asked.
    """
    if ranking.mode == "rrf":
        return best(reciprocal_ranks(list(lexical), list(dense)), k)
    if ranking.mode == "fusion":
        return best(fuse(lexical, dense, ranking.weight), k)
    return best(lexical if ranking.mode == "lexical" else dense, k)


def found(
    ranking: Ranking, k: int, lexical: Scores, dense: Scores, passage: Callable[[int], Passage]
) -> list[Found]:
    """As `ordered`, with the passages themselves and what each side said of them."""
    return [
        Found(passage(number), score, lexical.get(number), dense.get(number))
        for number, score in ordered(ranking, k, lexical, dense)
    ]
