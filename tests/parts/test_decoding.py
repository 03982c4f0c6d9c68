from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import BundleError
from accordeur.core.model import Sampling
from accordeur.parts.decoding import UNMEASURED_LIMIT, Decoding, answer_limit


def words(text: str) -> int:
    return len(text.split())


def test_the_limit_is_twice_the_95th_percentile_and_8_more() -> None:
    targets = ["w " * length for length in range(1, 101)]
    assert answer_limit(targets, words) == 2 * 96 + 8  # P95 of 1..100 is 95.05
    assert answer_limit(["one two three"], words) == 14


def test_one_very_long_answer_among_many_does_not_set_the_limit() -> None:
    assert answer_limit([*["a b"] * 99, "w " * 500], words) == 12


def test_without_answers_to_measure_the_limit_is_fixed() -> None:
    assert answer_limit([], words) == UNMEASURED_LIMIT


@given(st.lists(st.integers(0, 50), min_size=1))
def test_nineteen_of_twenty_answers_fit_twice(lengths: list[int]) -> None:
    limit = answer_limit(["w " * length for length in lengths], words)
    assert sum(2 * length + 8 <= limit for length in lengths) >= 0.9 * len(lengths) - 1
    assert 8 <= limit <= 2 * max(lengths) + 8


@pytest.mark.parametrize("made", [Decoding("score"), Decoding("generate", 40, 0.7, 0.9, 3)])
def test_it_reads_back_as_written(made: Decoding) -> None:
    assert Decoding.from_files(made.files()) == made


def test_settings_reach_the_model() -> None:
    assert Decoding("generate", 40, 0.7, 0.9, 3).sampling == Sampling(40, 0.7, 0.9, 3)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"mode": "guess"}',
        '{"mode": "score", "code": "x"}',
        '{"mode": "generate", "max_tokens": "many"}',
        '{"mode": "generate", "max_tokens": -1}',
        '{"mode": "generate", "temperature": -0.5}',
        '{"mode": "generate", "top_p": 0}',
    ],
)
def test_anything_else_is_refused(data: str) -> None:
    with pytest.raises(BundleError, match=r"decoding\.json"):
        Decoding.from_files({"decoding.json": data.encode()})
