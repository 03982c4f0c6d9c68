from __future__ import annotations

from collections.abc import Sequence

import pytest

from accordeur.core.span import Span
from accordeur.documents.passage import Filter, Found, Passage, Ranking
from accordeur.documents.ranking.fusion import reciprocal_ranks
from accordeur.documents.ranking.several import DEPTH, search_several

PASSAGES = [Passage(at, Span("a.md", at, at + 1), str(at)) for at in range(9)]


class Listed:
    """Finds what it is told to for each text, and notes how it was asked."""

    fingerprint = "listed"

    def __init__(self, **lists: Sequence[int]) -> None:
        self._lists = lists
        self.asked: list[tuple[list[str], int]] = []

    def __len__(self) -> int:
        return len(PASSAGES)

    def search(
        self,
        questions: Sequence[str],
        k: int,
        *,
        ranking: Ranking | None = None,
        where: Filter | None = None,
    ) -> list[list[Found]]:
        self.asked.append((list(questions), k))
        return [
            [
                Found(PASSAGES[at], 9.0 - rank, lexical=float(len(text)), dense=None)
                for rank, at in enumerate(self._lists[text][:k])
            ]
            for text in questions
        ]


def numbers(found: Sequence[Found]) -> list[int]:
    return [one.passage.number for one in found]


def test_one_wording_is_searched_as_ever() -> None:
    listed = Listed(a=(3, 1, 2))
    (found,) = search_several(listed, [("a",)], 2)
    assert (numbers(found), [one.score for one in found]) == ([3, 1], [9.0, 8.0])
    assert listed.asked == [(["a"], 2)]


def test_several_are_joined_by_reciprocal_ranks() -> None:
    listed = Listed(a=(3, 1, 2), bb=(1, 4), c=(5,))
    alone, together = search_several(listed, [("c",), ("a", "bb")], 3)
    assert numbers(alone) == [5]
    expected = reciprocal_ranks((3, 1, 2), (1, 4))
    assert numbers(together) == [1, 3, 4]
    assert [one.score for one in together] == pytest.approx([expected[at] for at in (1, 3, 4)])
    assert listed.asked == [(["c", "a", "bb"], DEPTH)], "all of them in one search, deep enough"


def test_the_higher_score_of_each_side_is_kept() -> None:
    (found,) = search_several(Listed(a=(1,), bbb=(1,)), [("a", "bbb")], 1)
    assert (found[0].lexical, found[0].dense) == (3.0, None)


def test_no_questions_search_nothing() -> None:
    listed = Listed()
    assert search_several(listed, [], 3) == []
    assert listed.asked == []
