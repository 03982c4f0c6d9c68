from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.parts.extraction import last_number

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("There are 3 boxes of 12.", 12.0),
        ("1,234.5 euros", 1234.5),
        ("1,2", 2.0),
        ("1,2345", 2345.0),  # not a thousands separator: five digits would follow
        ("12'345'678", 12345678.0),
        ("10\u202f000 m", 10000.0),
        ("-7", -7.0),
        ("\u22127 degrees", -7.0),
        ("10-5", 5.0),
        ("page-4", 4.0),
        ("costs -$5", -5.0),
        ("costs $5.00.", 5.0),
        ("6.02e23", 6.02e23),
        (".5", 0.5),
        ("3/4", 4.0),
        ("50%", 50.0),
        ("Step 1: 9. Answer: 8 apples. Answer: 7", 7.0),
        ("3 of them. Answer: none", None),
        ("no number", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_reads_the_last_number(text: str, number: float | None) -> None:
    assert last_number(text) == number


@given(st.integers(-(10**12), 10**12))
def test_reads_any_integer_with_or_without_separators(value: int) -> None:
    assert last_number(f"so it is {value}.") == value
    assert last_number(f"so it is {value:,}.") == value


@pytest.mark.parametrize(
    ("said", "wanted", "right"),
    [
        ("1000000", "1,000,000", True),
        ("1000000.5", "1000000", True),  # half a millionth off
        ("1000002", "1000000", False),
        ("0", "0.0", True),
        ("0.000001", "0", False),  # relative: nothing but 0 is 0
        ("-5", "5", False),
        ("none", "5", False),
    ],
)
def test_equal_within_a_millionth(
    score: Callable[..., float], said: str, wanted: str, right: bool
) -> None:
    assert score("numeric", said, wanted) == float(right)


def test_any_accepted_number_will_do(score: Callable[..., float]) -> None:
    assert score("numeric", "Answer: 4", "3", "4") == 1.0


def test_an_expected_answer_without_a_number_is_a_mistake_of_the_task(
    score: Callable[..., float],
) -> None:
    with pytest.raises(TaskError, match="row-1"):
        score("numeric", "4", "four")
