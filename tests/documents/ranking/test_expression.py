from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accordeur.documents.ranking.expression import match_expression


@pytest.fixture(scope="module")
def words() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='porter unicode61')")
    texts = ["The Saxon Garden in Warsaw", "cafés and near misses", "हिन्दी में", "a NEAR b"]
    connection.executemany("INSERT INTO t(rowid, text) VALUES (?, ?)", enumerate(texts))
    return connection


def matches(words: sqlite3.Connection, question: str) -> set[int]:
    expression = match_expression(question)
    found = words.execute("SELECT rowid FROM t WHERE t MATCH ?", (expression,)).fetchall()
    return {row for (row,) in found}


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(codec=None)))
@example('"')
@example('a" OR "b')
@example("text:garden* -text ^a NEAR(a b, 2) {x y}: (((")
@example("nul \0 inside")
@example("half a pair \ud800 here")
@example("\u0301")
@example("²½")
def test_no_text_is_a_syntax_error(words: sqlite3.Connection, question: str) -> None:
    expression = match_expression(question)
    if expression:
        words.execute("SELECT rowid FROM t WHERE t MATCH ?", (expression,)).fetchall()
    else:
        assert not any(sign.isalnum() for sign in question)


@pytest.mark.parametrize("question", ["", "   ", "?!", '"*-', "\0", "\ud800"])
def test_where_there_is_no_word_nothing_is_asked(question: str) -> None:
    assert match_expression(question) == ""


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Where are the gardens of WARSAW?", {0}),
        ("cafe", {1}),
        ("NEAR", {1, 3}),
        ("garden AND missing", {0}),
        ("हिन्दी", {2}),
        ("NOT garden", {0}),
    ],
)
def test_finds_what_shares_a_word(
    words: sqlite3.Connection, question: str, expected: set[int]
) -> None:
    assert matches(words, question) >= expected


def test_the_words_of_the_query_language_are_ordinary_words() -> None:
    assert match_expression("cats NEAR dogs") == '"cats" OR "near" OR "dogs"'


def test_common_words_are_asked_for_only_where_there_is_no_other() -> None:
    assert match_expression("Where is the garden?") == '"garden"'
    assert match_expression("How was it?") == '"how" OR "was" OR "it"'


def test_each_word_is_asked_for_once() -> None:
    assert match_expression("Rose, rose and ROSE?") == '"rose"'


def test_a_whole_book_can_be_asked(words: sqlite3.Connection) -> None:
    book = " ".join(f"word{number}" for number in range(20_000)) + " garden"
    assert matches(words, book) == {0}
