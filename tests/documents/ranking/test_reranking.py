from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.span import Span
from accordeur.documents.passage import Filter, Passage, Ranking, Searchable
from accordeur.documents.ranking.memory import PassageList
from accordeur.documents.ranking.reranking import Reranked, Reread
from accordeur.testing import ScriptedReranker

LEXICAL = Ranking("lexical")


def passages(*texts: str) -> PassageList:
    made = [Passage(at, Span(f"{at}.md", 0, len(text)), text) for at, text in enumerate(texts)]
    return PassageList(made)


def last_words_first(question: str, text: str) -> float:
    return float(ord(text[-1]))


def numbers(searchable: Searchable, question: str, k: int, **how: object) -> list[int]:
    (found,) = searchable.search([question], k, **how)  # type: ignore[arg-type]
    return [one.passage.number for one in found]


BOATS = passages("boat boat boat a", "boat boat c", "boat b", "wages z")


def test_what_is_found_is_ordered_by_the_reranker_and_has_its_score() -> None:
    reranked = Reranked(BOATS, ScriptedReranker(last_words_first))
    (found,) = reranked.search(["boat"], 3)
    assert [(one.passage.number, one.score) for one in found] == [(1, 99.0), (2, 98.0), (0, 97.0)]
    assert all(one.lexical is not None for one in found), "what the search said stays"


def test_what_the_search_does_not_find_is_not_put_in() -> None:
    assert 3 not in numbers(Reranked(BOATS, ScriptedReranker(last_words_first)), "boat", 4)


def test_only_the_first_passages_are_read_and_more_where_more_are_asked_for() -> None:
    first_two = set(numbers(BOATS, "boat", 2))
    reranked = Reranked(BOATS, ScriptedReranker(last_words_first), depth=2)
    assert set(numbers(reranked, "boat", 1)) <= first_two
    assert reranked.reread == Reread(2)
    assert set(numbers(reranked, "boat", 2)) == first_two
    assert numbers(reranked, "boat", 3) == [1, 2, 0]
    assert reranked.reread.passages == 2 + 2 + 3


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=4, max_size=4), st.integers(1, 4))
def test_ties_go_to_the_lower_number(scores: list[float], k: int) -> None:
    same = passages(*(f"boat {at}" for at in range(4)))
    reranked = Reranked(same, ScriptedReranker(lambda _, text: scores[int(text[-1])]))
    expected = sorted(range(4), key=lambda at: (-scores[at], at))[:k]
    assert numbers(reranked, "boat", k) == expected


def test_filter_and_ranking_are_handed_on() -> None:
    reranked = Reranked(BOATS, ScriptedReranker(last_words_first))
    assert numbers(reranked, "boat", 3, where=Filter(("0.md",)), ranking=LEXICAL) == [0]


def test_what_is_cut_is_counted() -> None:
    reranked = Reranked(BOATS, ScriptedReranker(limit=3))
    reranked.search(["boat", "wages"], 3)
    assert reranked.reread == Reread(passages=4, cut=1)


def test_a_question_that_leaves_no_room_keeps_the_order_it_was_found_in() -> None:
    reranked = Reranked(BOATS, ScriptedReranker(last_words_first, limit=2))
    assert numbers(reranked, "a boat please", 3) == numbers(BOATS, "a boat please", 3)
    assert reranked.reread == Reread(left=1)


def test_the_fingerprint_is_of_search_reranker_and_depth() -> None:
    known = {
        Reranked(BOATS, ScriptedReranker()).fingerprint,
        Reranked(BOATS, ScriptedReranker(digest="other")).fingerprint,
        Reranked(BOATS, ScriptedReranker(), depth=2).fingerprint,
        Reranked(passages("other"), ScriptedReranker()).fingerprint,
        BOATS.fingerprint,
    }
    assert len(known) == 5
    assert Reranked(BOATS, ScriptedReranker()).fingerprint in known


def test_nothing_found_asks_nobody() -> None:
    reranked = Reranked(BOATS, ScriptedReranker())
    assert reranked.search(["xylophone"], 3) == [[]]
    assert reranked.search([], 3) == []
    assert reranked.reread == Reread()


def test_what_no_reranker_can_do_is_refused() -> None:
    with pytest.raises(ValueError, match="depth"):
        Reranked(BOATS, ScriptedReranker(), depth=0)
    with pytest.raises(ValueError, match="k must"):
        Reranked(BOATS, ScriptedReranker()).search(["boat"], 0)
