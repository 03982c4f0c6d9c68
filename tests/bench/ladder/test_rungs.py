from __future__ import annotations

from accordeur.bench.ladder.rungs import BEST, DISTRACTORS, GOLD, REAL, Searched, shown_at
from accordeur.core.span import Span
from accordeur.documents.passage import Found, Passage

PASSAGES = [Passage(at, Span("a.md", 10 * at, 10 * at + 12), "x" * 12) for at in range(6)]
"""Each overlaps the next one by two characters."""


def found(*numbers: int) -> list[Found]:
    return [Found(PASSAGES[at], 1.0) for at in numbers]


def shown(rung: str, searched: Searched) -> list[list[int]]:
    return [[one.passage.number for one in row] for row in shown_at(rung, searched, PASSAGES)]


SEARCHED = Searched(
    {"lexical": [found(5, 2, 4, 0)], "dense": [found(1, 5, 2, 0)]},
    k=2,
    gold=[[Span("a.md", 15, 25)]],  # 7 characters in passage 1, 5 in passage 2
)


def test_gold_shows_all_passages_with_the_answer_most_of_it_first() -> None:
    assert shown(GOLD, SEARCHED) == [[1, 2]]


def test_real_shows_the_first_k_of_the_ranking_in_use() -> None:
    assert shown(REAL, SEARCHED) == [[5, 2]]


def test_best_shows_the_set_with_most_of_the_answer() -> None:
    assert shown(BEST, SEARCHED) == [[1, 5]]


def test_on_a_tie_best_is_the_ranking_in_use() -> None:
    same = Searched({"rrf": [found(0, 1)], "dense": [found(1, 0)]}, 2, SEARCHED.gold)
    assert shown(BEST, same) == [[0, 1]]


def test_distractors_are_the_next_ones_without_the_answer() -> None:
    assert shown(DISTRACTORS, SEARCHED) == [[5, 4]]
