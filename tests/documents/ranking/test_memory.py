from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from accordeur.core.errors import UsageError
from accordeur.core.span import Span
from accordeur.documents.passage import Filter, Found, Passage, Ranking, Searchable
from accordeur.documents.ranking.memory import PassageList
from accordeur.testing.scripted import ScriptedEmbedder

TEXTS = {
    "rules/leave.md": ["Employees have thirty days of leave.", "Leave is asked for in writing."],
    "rules/travel.md": ["Trains are booked by the office.", "Taxis need a receipt."],
    "news.md": ["The office moves in May."],
}
EMBEDDER = ScriptedEmbedder()


def passages() -> list[Passage]:
    made: list[Passage] = []
    for document, texts in TEXTS.items():
        start = 0
        for text in texts:
            span = Span(document, start, start + len(text))
            made.append(Passage(len(made), span, text, metadata={"kind": document[:5]}))
            start += len(text) + 1
    return made


@pytest.fixture(scope="module")
def listed() -> PassageList:
    texts = [one.text for one in passages()]
    return PassageList(passages(), EMBEDDER.embed(texts), EMBEDDER.embed)


def numbers(found: list[list[Found]]) -> list[list[int]]:
    return [[one.passage.number for one in row] for row in found]


def test_it_is_what_a_search_needs(listed: PassageList) -> None:
    searchable: Searchable = listed
    assert len(searchable) == 5


@pytest.mark.parametrize("mode", ["lexical", "dense", "fusion", "rrf"])
def test_each_ranking_finds_the_passage_that_says_it(listed: PassageList, mode: str) -> None:
    ranking = Ranking(mode)  # type: ignore[arg-type]
    asked = ["How many days of leave?", "trains booked by whom?", "receipt for taxis"]
    assert [row[0] for row in numbers(listed.search(asked, 2, ranking=ranking))] == [0, 2, 3]


def test_scores_fall_and_both_sides_are_told(listed: PassageList) -> None:
    (found,) = listed.search(["days of leave in the office"], 5)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(one.dense is not None for one in found)
    shared = {one.passage.number for one in found if one.lexical is not None}
    assert shared == {0, 1, 2, 4}


def test_a_filter_holds_before_anything_is_ranked(listed: PassageList) -> None:
    asked = ["days of leave"]
    travel = Filter(documents=("rules/t*",))
    assert sorted(numbers(listed.search(asked, 9, where=travel))[0]) == [2, 3]
    news = Filter(metadata={"kind": ("news.", "other")})
    assert numbers(listed.search(asked, 9, where=news)) == [[4]]
    assert numbers(listed.search(asked, 9, where=Filter(documents=("none",)))) == [[]]


def test_without_a_word_in_the_question_vectors_alone_decide(listed: PassageList) -> None:
    both = listed.search(["?!"], 3)
    assert numbers(both) == numbers(listed.search(["?!"], 3, ranking=Ranking("dense")))
    assert listed.search(["?!"], 3, ranking=Ranking("lexical")) == [[]]


def test_without_vectors_words_are_the_ranking() -> None:
    plain = PassageList(passages())
    assert numbers(plain.search(["trains", "nothing shared"], 2)) == [[2], []]
    with pytest.raises(UsageError, match="no vectors"):
        plain.search(["trains"], 2, ranking=Ranking("fusion"))


@pytest.mark.parametrize(
    ("ranking", "says"),
    [
        (Ranking("magic"), "no ranking `magic`"),  # type: ignore[arg-type]
        (Ranking(weight=float("nan")), "0 to 1"),
        (Ranking(depth=0), "depth"),
    ],
)
def test_a_ranking_that_is_none_is_refused(
    listed: PassageList, ranking: Ranking, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        listed.search(["x"], 1, ranking=ranking)


def test_no_passages_and_no_questions_find_nothing(listed: PassageList) -> None:
    assert listed.search([], 3) == []
    empty = PassageList([], np.zeros((0, 64), np.float32), EMBEDDER.embed)
    assert empty.search(["x"], 3) == [[]]


def test_everything_that_changes_what_is_found_changes_the_fingerprint() -> None:
    plain = PassageList(passages())
    assert plain.fingerprint == PassageList(passages()).fingerprint
    changed = [replace(one, text=one.text.upper()) for one in passages()]
    vectors = EMBEDDER.embed([one.text for one in passages()])
    others = [
        PassageList(changed),
        PassageList(passages()[:4]),
        PassageList(passages(), vectors, EMBEDDER.embed),
        PassageList(passages(), vectors, EMBEDDER.embed, embedder="other"),
        PassageList(passages(), vectors, EMBEDDER.embed, ranking=Ranking(weight=0.3)),
    ]
    assert len({plain.fingerprint, *(one.fingerprint for one in others)}) == 6


def test_several_threads_may_search_at_once(listed: PassageList) -> None:
    expected = listed.search(["days of leave", "taxis"], 3)
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(20):
            found = listed.search(["days of leave", "taxis"], 3)
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
