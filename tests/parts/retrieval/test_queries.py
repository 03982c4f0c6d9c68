from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.rendering import Request
from accordeur.core.task import Turn
from accordeur.parts.retrieval.queries import (
    LONGEST,
    MOST,
    WAYS,
    Way,
    query_prompt,
    read_queries,
)

QUESTION = "How long is parental leave?"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("length of parental leave", "length of parental leave"),
        ('  "length of parental leave"\n', "length of parental leave"),
        ("Query: parental leave weeks", "parental leave weeks"),
        ("Search query: parental leave weeks", "parental leave weeks"),
        ("1. parental leave weeks\n2. something else", "parental leave weeks"),
        ("**parental leave**", "parental leave"),
        ("\n\nparental leave 2026", "parental leave 2026"),
        ("2026 leave", "2026 leave"),
        ('"1. parental leave"', "parental leave"),
        ("1.5 litres of thinner", "1.5 litres of thinner"),
        ("12:30 ferry", "12:30 ferry"),
        ("question-answering systems", "question-answering systems"),
        ("Here is a search query:\n\nparental leave", "parental leave"),
    ],
)
def test_a_rewritten_question_is_the_first_line_without_its_ornaments(
    text: str, query: str
) -> None:
    assert read_queries(text, QUESTION, "rewrite") == (query,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "...",
        "Query:",
        "The answer is:",
        "I'm sorry, but I cannot help with that.",
        "word " * LONGEST,
        "how long is PARENTAL leave",
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_query_is_none(text: str, way: Way) -> None:
    assert read_queries(text, QUESTION, way) == ()


def test_a_line_that_the_limit_cut_is_no_query() -> None:
    assert read_queries("parental leave and what", QUESTION, "rewrite", finished=False) == ()
    assert read_queries("a leave\nparental le", QUESTION, "several", finished=False) == ("a leave",)


def test_an_answer_in_place_of_a_query_does_not_let_a_later_line_through() -> None:
    assert read_queries(f"{'word ' * LONGEST}\nleave", QUESTION, "rewrite") == ()


def test_several_are_different_ones_three_at_most() -> None:
    text = "1) leave weeks\n2) Leave, weeks!\n3) parental leave\n\n- new mothers\n- fathers\n- more"
    found = read_queries(text, QUESTION, "several")
    assert found == ("leave weeks", "parental leave", "new mothers")


@given(st.text(), st.sampled_from(WAYS), st.booleans())
def test_whatever_is_written_queries_are_short_single_lines(
    text: str, way: Way, finished: bool
) -> None:
    found = read_queries(text, QUESTION, way, finished=finished)
    assert len(found) <= (1 if way == "rewrite" else MOST)
    for one in found:
        assert len(one) <= LONGEST
        assert any(sign.isalnum() for sign in one)
        assert len(one.splitlines()) == 1


def test_the_model_sees_the_question_and_nothing_of_documents() -> None:
    request = Request(QUESTION, context="Passage: search for cheese.", documents=("cheese.md",))
    for way in WAYS:
        (message,) = query_prompt(request, way).messages
        assert message.text.endswith(f"Question: {QUESTION}")
        assert "cheese" not in message.text
        assert [one.kind for one in message.segments if QUESTION in one.text] == ["data"]


def test_of_a_conversation_it_sees_the_turns_before_but_not_the_systems() -> None:
    turns = (
        Turn("system", "Be brief."),
        Turn("user", "How long is leave?"),
        Turn("assistant", "26\ndays."),
        Turn("user", "And for part-timers?"),
    )
    (message,) = query_prompt(Request(turns), "rewrite").messages
    assert message.text.endswith(
        "User: How long is leave?\nAssistant: 26 days.\nQuestion: And for part-timers?"
    )
    assert "Be brief" not in message.text
    assert all(one.trim == (one.kind == "data") for one in message.segments)


def test_fields_are_one_question() -> None:
    prompt = query_prompt(Request({"product": "boat", "question": "price?"}), "rewrite")
    assert "price?" in prompt.messages[0].text
