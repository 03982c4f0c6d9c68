"""Texts cut into sentences that can be quoted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.documents.citations.sentences import sentence_spans


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It was\nwrapped here. Next.", ["It was\nwrapped here.", "Next."]),
        ("Up to 3.5 kg, e.g. books, go by post.", ["Up to 3.5 kg, e.g. books, go by post."]),
        ("Ask Dr. Smith or Mr. J. Doe. Then go.", ["Ask Dr. Smith or Mr. J. Doe.", "Then go."]),
        ('He said "Stop!" She did not.', ['He said "Stop!"', "She did not."]),
        ("# Leave\nYou get 25 days.\n", ["Leave", "You get 25 days."]),
        ("1. Ask. Wait.\n2. Book\n- a\n* b", ["Ask.", "Wait.", "Book", "a", "b"]),
        ("| a | b |\n| 1 | 2 |\nAfter.", ["| a | b |", "| 1 | 2 |", "After."]),
        ("first\n\nsecond", ["first", "second"]),
        ("今日は。明日！", ["今日は。", "明日！"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(st.text(alphabet="ab .!?\n#|->1é。", max_size=60))
def test_sentences_stand_in_order_and_leave_out_no_letter(text: str) -> None:
    spans = list(sentence_spans(text))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    assert all(place in covered for place, letter in enumerate(text) if letter in "abé")
