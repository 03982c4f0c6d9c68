from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.measure.metrics.squad import normalise
from accordeur.measure.metrics.token_f1 import token_f1

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Eiffel Tower!", "eiffel tower"),
        ("U.S.A.", "usa"),
        ("a well-known man", "wellknown man"),  # punctuation goes without leaving a space
        ("an apple a day, the end", "apple day end"),
        ("theatre and another", "theatre and another"),  # articles as whole words only
        ("“curly” quotes", "“curly” quotes"),  # only ASCII punctuation
        ("\n\tThe\n", ""),
        ("A.", ""),
        ("$3,000", "3000"),
    ],
)
def test_normalises_as_the_squad_script(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_exact_match_takes_the_best_reference(score: Callable[..., float]) -> None:
    assert score("exact-match", "the Normans.", "Vikings", "normans") == 1.0
    assert score("exact-match", "Norman people", "Vikings", "normans") == 0.0


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [
        ("the cat sat", "a cat sat down", 0.8),  # 2 common of 2 and 3
        ("cat cat", "cat", 2 / 3),  # a repeated word is matched once
        ("dog", "cat", 0.0),
        ("", "cat", 0.0),
        ("The", "a", 1.0),  # nothing left on either side: SQuAD v2.0
    ],
)
def test_token_f1_of_worked_cases(said: str, wanted: str, expected: float) -> None:
    assert token_f1(said, wanted) == pytest.approx(expected)


def test_token_f1_takes_the_best_reference(score: Callable[..., float]) -> None:
    assert score("token-f1", "10th century", "in 911", "the 10th century") == 1.0


@given(st.text(max_size=40), st.text(max_size=40))
def test_token_f1_is_symmetric_and_within_bounds(left: str, right: str) -> None:
    assert 0.0 <= token_f1(left, right) <= 1.0
    assert token_f1(left, right) == token_f1(right, left)
    assert token_f1(left, left) == 1.0
