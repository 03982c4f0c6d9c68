"""What a model writes to say where it has something from."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.documents.citations.marks import marks, quotations, stands_in


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("It is so [1].", [(1,)]),
        ("It is so.[1][3]", [(1,), (3,)]),
        ("It is so [1, 2 and 4].", [(1, 2, 4)]),
        ("It is so [2-4].", [(2, 3, 4)]),
        ("It is so [Passage 2] [source 12].", [(2,), (12,)]),
        ("In [1900-1950] and [5-2] nothing.", [(5, 2)]),
        ("`a[1]` and ```\nb[2]\n``` but [3]", [(3,)]),
        ("[x] [] [1a] [-1]", []),
    ],
)
def test_marks_are_read(answer: str, numbers: list[tuple[int, ...]]) -> None:
    assert [one.numbers for one in marks(answer)] == numbers


@given(st.text(alphabet="a [1,]-9`\n", max_size=40))
def test_any_text_has_marks_in_order_that_stand_in_it(text: str) -> None:
    found = marks(text)
    assert all(text[one.start : one.end].rstrip().endswith("]") for one in found)
    assert all(one.end <= two.start for one, two in pairwise(found))


def test_quotations_of_three_words_or_more_count() -> None:
    answer = 'He said “two weeks’ notice is due” and "no", and "this is it".'
    assert quotations(answer) == ["two weeks’ notice is due", "this is it"]


@pytest.mark.parametrize(
    ("quotation", "found"),
    [
        ("two weeks' notice", "two\n  weeks’ notice"),
        ("TWO WEEKS’ NOTICE.", "two\n  weeks’ notice"),
        ("weeks’  notice – of", "weeks’ notice – of"),
        ("weeks’ notice - of", "weeks’ notice – of"),
        ("the ﬁle", "the file"),
    ],
)
def test_a_quotation_is_found_where_only_its_form_differs(quotation: str, found: str) -> None:
    text = "Staff give two\n  weeks’ notice – of course; see the file."
    place = stands_in(quotation, text)
    assert place is not None
    assert text[slice(*place)] == found


def test_a_quotation_that_stands_nowhere_is_not_found() -> None:
    assert stands_in("three weeks", "two weeks") is None
    assert stands_in(" . ", "a . b") is None


@given(st.text(max_size=30), st.text(min_size=1, max_size=20), st.text(max_size=30))
def test_what_stands_in_a_text_is_found_with_other_white_space(
    before: str, quotation: str, after: str
) -> None:
    text = before + quotation + after
    asked = "  ".join(quotation.split())
    place = stands_in(asked, text)
    if place is None:
        assert not asked.rstrip(" .,;:…").strip() or not asked
    else:
        assert 0 <= place[0] < place[1] <= len(text)
