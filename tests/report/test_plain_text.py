"""Characters that drive terminals or turn lines around become visible."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.report.markup import Markup, payload, prose, tag
from accordeur.report.plain_text import one_line, shorten, visible

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]"
)
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_no_forbidden_character_remains(text: str) -> None:
    assert not _FORBIDDEN.search(visible(text))
    visible(text).encode("utf-8")


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert "\t" not in one_line(text)


@pytest.mark.parametrize("text", ["plain", "línea\ndos\ttab", "日本語", "שלום", "👩‍🚀", "a\u200fb"])
def test_ordinary_text_of_any_language_is_left_alone(text: str) -> None:
    assert visible(text) == text


def test_escape_is_named_rather_than_dropped() -> None:
    assert visible("\x1b[2J\u202e\x9b") == "\\x1b[2J\\u202e\\x9b"


def test_shortening_keeps_the_length() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


@given(ANY_TEXT)
def test_text_in_an_element_stays_text(text: str) -> None:
    made = tag("p", text, title=text)
    assert isinstance(made, Markup)
    assert made.count("<") == 2
    assert re.fullmatch(r'<p title="[^"<>]*">[^<>]*</p>', made)


@settings(max_examples=50)
@given(st.recursive(ANY_TEXT | st.integers() | st.none(), lambda one: st.lists(one), max_leaves=8))
def test_a_payload_cannot_end_its_block_and_reads_back(value: object) -> None:
    made = payload("data", value)
    inside = made.removeprefix('<script type="application/json" id="data">')
    inside = inside.removesuffix("</script>")
    assert not re.search("[<>&\u2028\u2029]", inside)
    json.loads(inside)


def test_names_in_backticks_become_code() -> None:
    assert prose("Use `a<b`: now") == "Use <code>a&lt;b</code>: now"
