from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.tasks.folding import fold


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Where is my card?", "where is my CARD"),
        ("It's  late -- really!", "it’s late, really"),
        ("ﬁne", "fine"),
        ("STRASSE", "straße"),
        ("a\u00a0b\tc", "a b\nc"),
        ("Café", "Cafe\u0301"),
    ],
)
def test_what_a_person_calls_the_same_is_the_same(first: str, second: str) -> None:
    assert fold(first) == fold(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("up 3.5 points", "up 3 5 points"),
        ("a change of -2", "a change of 2"),
        ("costs $5", "costs €5"),
        ("good 🙂", "good 🙁"),
        ("?!", "..."),
        ("कि", "की"),
    ],
)
def test_what_differs_in_meaning_stays_apart(first: str, second: str) -> None:
    assert fold(first) != fold(second)


@given(st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
