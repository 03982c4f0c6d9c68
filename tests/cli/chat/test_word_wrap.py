"""Lines that end between words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from accordeur.cli.chat.word_wrap import WordWrap

pieces = st.lists(st.text(st.sampled_from("ab  \n\t語")), max_size=12)


def wrapped(texts: list[str], width: int) -> str:
    wrap = WordWrap(width)
    return "".join([*map(wrap.feed, texts), wrap.end()])


@given(pieces, st.integers(1, 12))
def test_words_and_lines_stay_and_no_line_is_longer_than_its_one_word(
    texts: list[str], width: int
) -> None:
    text, shown = "".join(texts), wrapped(texts, width)
    assert "".join(shown.split()) == "".join(text.split())
    assert shown == wrapped([text], width)  # however it came
    for line in shown.split("\n"):
        if len(line.split()) > 1 or line.count("語") > 1:
            assert cell_len(line.rstrip()) <= width


@given(pieces)
def test_without_a_width_nothing_is_changed(texts: list[str]) -> None:
    assert wrapped(texts, 0) == "".join(texts)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("one two three", "one two\nthree"),
        ("a\n\n  indented line", "a\n\n  indented\nline"),
        ("averyverylongword b", "averyverylongword\nb"),
        ("語語語語語語語", "語語語語語\n語語"),
    ],
)
def test_lines_break_between_words(text: str, wanted: str) -> None:
    assert wrapped([text], 10) == wanted


def test_a_word_is_shown_once_it_is_whole() -> None:
    wrap = WordWrap(80)
    assert [wrap.feed(one) for one in ("Hel", "lo wor", "ld", "!\n")] == [
        "",
        "Hello",
        "",
        " world!\n",
    ]
    assert re.fullmatch("", wrap.end())
