"""Where a quote may begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.documents.quotes import quotable


def quotes(text: str) -> set[str]:
    held = quotable(text)
    return {
        text[start:end] for start, least in held.starts.items() for end in held.ends if end >= least
    }


def test_words_and_numbers_stay_whole() -> None:
    found = quotes("From 12:30, £1,310 or 70% of it.")
    assert {"12:30", "£1,310", "70%", "From 12:30", "70% of it."} <= found
    assert not {"12", "30", "1", "310", "£1", "70", "1,310"} & found
    assert not any(one.endswith((",", " ")) or one.startswith(" ") for one in found)


@pytest.mark.parametrize("text", ["of the", "", "—", "The, of a"])
def test_what_says_nothing_is_no_quote(text: str) -> None:
    assert quotes(text) == set()


def test_a_quote_goes_on_until_it_says_something() -> None:
    found = quotes("It is the dry dock")
    assert "It is the dry" in found
    assert "It is the" not in found


def test_other_scripts_are_quoted_too() -> None:
    assert "Ærø" in quotes("på Ærø")
    assert "Ялта" in quotes("в Ялта")
    assert "site manager's" in quotes("the site manager's desk")


@given(st.text("ab1 .,:£%of the\n-'é", max_size=40))
def test_places_are_within_the_text_and_every_start_has_an_end(text: str) -> None:
    held = quotable(text)
    assert held.text == text
    for start, least in held.starts.items():
        assert 0 <= start < least <= len(text)
        assert least in held.ends
        assert not text[start].isspace()
    assert not any(text[end - 1].isspace() for end in held.ends)
