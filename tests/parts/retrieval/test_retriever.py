from __future__ import annotations

from accordeur.core.rendering import Request
from accordeur.core.span import Span
from accordeur.core.task import Turn
from accordeur.documents.passage import Ranking
from accordeur.parts.retrieval import Collection, Retrieval
from accordeur.parts.retrieval.retriever import Retriever, holds
from accordeur.testing import ScriptedSource

ROOM = 1000


def words(text: str) -> int:
    return len(text.split())


def retriever(collection: Collection, k: int = 1, gold: float = 0.0) -> Retriever:
    part = Retrieval(collection, k, Ranking("lexical"), gold=gold)
    return Retriever(part, ScriptedSource())


def names(collection: Collection, *requests: Request, k: int = 1) -> list[list[str]]:
    found = retriever(collection, k).find(requests)
    return [[one.passage.span.document for one in hits] for hits in found]


def test_each_request_is_answered_from_what_its_words_find(collection: Collection) -> None:
    asked = (Request("How many cars?"), Request("When are wages paid?"))
    assert names(collection, *asked) == [["boats.md"], ["pay.md"]]


def test_a_request_that_names_documents_is_answered_from_those(collection: Collection) -> None:
    asked = Request("the", documents=("pay.md", "boats.md"))
    assert set(names(collection, asked, k=9)[0]) == {"pay.md", "boats.md"}


def test_a_name_is_a_pattern_only_where_no_document_has_it(collection: Collection) -> None:
    assert names(collection, Request("heron", documents=("odd[1].md",))) == [["odd[1].md"]]
    assert names(collection, Request("cars", documents=("bo*.md",))) == [["boats.md"]]
    assert names(collection, Request("cars", documents=("none.md",))) == [[]]


def test_of_a_conversation_the_last_question_is_searched(collection: Collection) -> None:
    turns = (Turn("user", "wages"), Turn("assistant", "Friday"), Turn("user", "And cars?"))
    assert names(collection, Request(turns)) == [["boats.md"]]


def test_what_asks_nothing_finds_nothing(collection: Collection) -> None:
    assert names(collection, Request(" "), Request("???")) == [[], []]


def test_passages_stand_before_the_rows_own_context(collection: Collection) -> None:
    asked = Request("How many cars?", context="The own text.")
    (looked,) = retriever(collection).look([asked], [ROOM], words)
    assert looked.request.context == (
        "[1] boats.md > H\nThe Merganser carries nine cars.\n[/1]\n\nThe own text."
    )
    assert [one.span.document for one in looked.retrieved.sources] == ["boats.md"]
    assert looked.retrieved.sources[0].page == 3


def test_without_room_the_request_stays_as_it_was(collection: Collection) -> None:
    asked = Request("How many cars?")
    (looked,) = retriever(collection).look([asked], [-5], words)
    assert looked.request == asked
    assert looked.retrieved.dropped == 1


def test_the_gold_passage_is_put_in_the_asked_share_of_training_rows(
    collection: Collection,
) -> None:
    gold = (Span("boats.md", 4, 13),)
    requests = [Request("wages paid", row=str(at), group=str(at)) for at in range(400)]
    given = 0
    for share in (0.0, 0.25, 1.0):
        found = retriever(collection, gold=share).look(requests, [ROOM] * 400, words, [gold] * 400)
        given = sum(holds(one.found, gold) for one in found)
        assert abs(given / 400 - share) < 0.06
        assert all(len(one.found) == 1 for one in found), "in place of one that was found"
    assert given == 400


def test_a_row_whose_search_holds_the_answer_is_left_as_it_is(collection: Collection) -> None:
    asked = Request("nine cars", row="a", group="a")
    gold = (Span("boats.md", 0, 5),)
    plain = retriever(collection, k=2).look([asked], [ROOM], words)
    assert retriever(collection, k=2, gold=1.0).look([asked], [ROOM], words, [gold]) == plain


def test_a_place_that_no_passage_holds_changes_nothing(collection: Collection) -> None:
    asked = Request("wages", row="a", group="a")
    gold = (Span("boats.md", 5000, 5009),)
    (looked,) = retriever(collection, gold=1.0).look([asked], [ROOM], words, [gold])
    assert [one.passage.span.document for one in looked.found] == ["pay.md"]
