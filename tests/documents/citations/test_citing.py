"""From answers to citations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.model import FloatArray
from accordeur.core.span import Span
from accordeur.documents.citations import check, cite, text_of
from accordeur.documents.citations.citing import claims
from accordeur.documents.passage import Passage

LEAVE = "Everyone has 25 days of annual leave. Ask your manager first. Unused days end in March."
TRAVEL = "Trains are booked in second class. A hotel may cost 120 euros a night."
QUESTION = "How many days of annual leave do I have?"


def passage(text: str, document: str, start: int = 0, number: int = 0) -> Passage:
    return Passage(number, Span(document, start, start + len(text)), text)


BOTH = [passage(TRAVEL, "travel.md"), passage(LEAVE, "leave.md", 40, 1)]


def test_a_mark_of_the_model_is_taken_with_its_number() -> None:
    found = cite(QUESTION, "You have 25 days. [2]", BOTH)
    (one,) = found.citations
    assert (one.number, one.origin, one.quote) == (2, "model", LEAVE.split(". ")[0] + ".")
    assert (one.span.document, one.span.start) == ("leave.md", 40)
    assert found.unsupported == ()


def test_without_a_mark_the_best_sentence_is_found_by_code() -> None:
    (one,) = cite(QUESTION, "25", BOTH).citations
    assert (one.number, one.origin, one.span.document) == (1, "code", "leave.md")


@pytest.mark.parametrize("lead", ["The answer is: ", "According to the passages, it is ", ""])
def test_what_an_answer_says_of_itself_needs_no_document(lead: str) -> None:
    (one,) = cite(QUESTION, f"{lead}25 days", BOTH).citations
    assert (one.support, one.span.document) == (1.0, "leave.md")


@pytest.mark.parametrize("mark", ["[0]", "[3]", "[99]", "[1]"])
def test_a_mark_that_points_nowhere_or_to_the_wrong_passage_is_astray(mark: str) -> None:
    found = cite(QUESTION, f"You have 25 days {mark}.", BOTH)
    (one,) = found.citations
    assert (one.origin, one.span.document, found.astray) == ("code", "leave.md", 1)


def test_what_no_passage_says_is_unsupported() -> None:
    found = cite(QUESTION, "The moon orbits Jupiter every fortnight [1].", BOTH)
    assert found.citations == ()
    assert [one.text for one in found.unsupported] == ["The moon orbits Jupiter every fortnight."]


def test_each_sentence_has_its_own_citation_and_its_place_in_the_answer() -> None:
    answer = "You have 25 days of leave.\nA hotel may cost 120 euros."
    found = cite("What do I get?", answer, BOTH).citations
    assert [one.span.document for one in found] == ["leave.md", "travel.md"]
    assert [answer[one.claim.start : one.claim.end] for one in found] == answer.split("\n")
    assert [one.number for one in found] == [1, 2]


def test_one_sentence_of_overlapping_passages_is_one_number() -> None:
    parts = [passage(LEAVE[:60], "leave.md"), passage(LEAVE[10:], "leave.md", 10, 1)]
    first, second = cite("What?", "Ask your manager. Ask your manager first.", parts).citations
    assert (first.span, first.number) == (second.span, second.number)


def test_numbers_found_by_code_stand_behind_those_of_the_model() -> None:
    found = cite("What?", "25 days of annual leave [2]. 120 euros a night.", BOTH).citations
    assert [(one.number, one.origin) for one in found] == [(2, "model"), (3, "code")]


def test_a_quotation_that_stands_in_no_passage_is_told() -> None:
    said = 'It says "everyone  has 25 days" and "nobody has any leave".'
    assert cite(QUESTION, said, BOTH).misquoted == ("nobody has any leave",)


def test_nothing_to_cite() -> None:
    assert cite(QUESTION, "", BOTH).citations == ()
    assert cite(QUESTION, "25 days", []).citations == ()
    assert len(cite(QUESTION, "25 days", []).unsupported) == 1
    assert cite("", "Yes.", BOTH).citations == ()


def test_a_quote_that_does_not_stand_in_the_document_is_no_citation() -> None:
    found = cite(QUESTION, "25 days. [2]", BOTH)
    assert check(found, text_of(BOTH)) == found
    changed = [BOTH[0], passage(LEAVE.replace("25", "30"), "leave.md", 40, 1)]
    checked = check(found, text_of(changed))
    assert checked.citations == ()
    assert [one.text for one in checked.unsupported] == ["25 days."]
    moved = [replace(BOTH[1], span=Span("leave.md", 41, 41 + len(LEAVE)))]
    assert check(found, text_of(moved)).citations == ()


def test_the_quote_is_given_with_the_white_space_of_the_document() -> None:
    shown = [passage(LEAVE.replace(" days of", "\ndays of"), "leave.md")]
    (one,) = check(
        cite(QUESTION, "25 days", shown), text_of([passage(LEAVE, "leave.md")])
    ).citations
    assert one.quote == "Everyone has 25 days of annual leave."


def test_likeness_chooses_among_supported_sentences_and_supports_nothing() -> None:
    text = "Bob was paid in May. Ann was paid in May. The weather was fine."

    def embed(texts: Sequence[str]) -> FloatArray:
        """Everything that names Ann or the weather is alike."""
        near = [[1.0, 0.0] if "Ann" in one or "weather" in one else [0.0, 1.0] for one in texts]
        return np.array(near, np.float32)

    paid = [passage(text, "pay.md")]
    (one,) = cite("And Ann, when?", "May", paid, embed=embed).citations
    assert one.quote == "Ann was paid in May."
    assert cite("And Ann, when?", "June", paid, embed=embed).citations == ()


WORDS = st.sampled_from(
    [
        "leave",
        "hotel",
        "25",
        "days",
        "Näher",
        "日本",
        "it",
        "is",
        "[1]",
        "[2]",
        "[9]",
        ".",
        "!",
        "\n",
    ]
)
TEXTS = st.lists(WORDS, max_size=30).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.lists(TEXTS.filter(bool), max_size=4))
def test_every_quote_stands_at_its_span_and_every_claim_in_the_answer(
    question: str, answer: str, texts: list[str]
) -> None:
    passages = [passage(text, f"{n % 2}.md", 7 * n, n) for n, text in enumerate(texts)]
    found = cite(question, answer, passages)
    for one in found.citations:
        start = one.span.start - one.source.span.start
        assert one.source.text[start : start + len(one.span)] == one.quote
        assert 0 <= one.claim.start < one.claim.end <= len(answer)
        assert one.origin == "code" or 1 <= one.number <= len(passages)
    cited = {one.claim for one in found.citations}
    assert cited.isdisjoint(found.unsupported)
    assert cited | set(found.unsupported) == {claim for claim, _ in claims(answer)}
