from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.measure.metrics.json_valid import is_json
from accordeur.measure.metrics.length import length_ratio
from accordeur.measure.metrics.regex import (
    LONGEST_PATTERN,
    LONGEST_TEXT,
    compiled,
    matches,
    repeats_a_repeat,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def test_contains_minds_case_and_icontains_does_not(score: Callable[..., float]) -> None:
    assert score("contains", "It is Paris.", "Paris") == 1.0
    assert score("contains", "It is paris.", "Paris") == 0.0
    assert score("icontains", "It is PARIS.", "Rome", "paris") == 1.0
    assert score("icontains", "STRASSE", "straße") == 1.0
    assert score("icontains", "It is Rome.", "paris") == 0.0


def test_regex_searches_anywhere_for_any_pattern(score: Callable[..., float]) -> None:
    assert score("regex", "order 4711 is late", r"\b\d{4}\b") == 1.0
    assert score("regex", "Bonjour PARIS", "rome", "(?i)paris") == 1.0
    assert score("regex", "order 47 is late", r"\b\d{4}\b") == 0.0


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "((ab)*c)*", "(?:x*|y)+", "([a-z]+)*", "(a{2,})*", r"(\d+,)*\d+"]
)
def test_a_repeated_repeat_is_refused(pattern: str) -> None:
    with pytest.raises(TaskError, match="repeats a repeat"):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(ab)+c*", "(a|b)*", "(a++)+", "[(a+)]+", r"\(a+\)+", "(a{2}b)+", "(a+)(b+)", "(a+)?"],
)
def test_harmless_repeats_pass(pattern: str) -> None:
    assert not repeats_a_repeat(pattern)
    compiled(pattern)


@pytest.mark.parametrize("pattern", ["(", "[a", "*a", "a{9999999999999}"])
def test_what_is_no_pattern_is_named(pattern: str) -> None:
    with pytest.raises(TaskError, match="not a regular expression"):
        compiled(pattern)


def test_an_overlong_pattern_is_refused() -> None:
    with pytest.raises(TaskError, match="1,001 characters"):
        compiled("a" * (LONGEST_PATTERN + 1))


def test_only_the_start_of_an_endless_text_is_searched() -> None:
    assert matches("x" * (LONGEST_TEXT - 1) + "y", "y") == 1.0
    assert matches("x" * LONGEST_TEXT + "y", "y") == 0.0


@given(st.text(alphabet="ab()[]\\*+{},?|^$9", max_size=30))
def test_no_pattern_breaks_the_check(pattern: str) -> None:
    assert repeats_a_repeat(pattern) in (True, False)


@pytest.mark.parametrize("text", ['{"a": [1, null]}', " 3 ", '"x"', "9" * 5000, "true"])
def test_json_values_are_valid(text: str) -> None:
    assert is_json(text)


@pytest.mark.parametrize(
    "text", ["", "{a: 1}", "NaN", "[Infinity]", "```json\n{}\n```", "{} {}", "[" * 100_000]
)
def test_what_a_parser_would_stumble_over_is_not_json(text: str) -> None:
    assert not is_json(text)


def test_json_is_not_compared_with_the_expected_value(score: Callable[..., float]) -> None:
    assert score("json-valid", '{"a": 1}', '{"a": 2}') == 1.0
    assert score("json-valid", "a = 1", '{"a": 2}') == 0.0


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [("a b", "a b c d", 0.5), ("a b c d", "a b", 0.5), ("", "a", 0.0), ("", "", 1.0)],
)
def test_length_is_the_shorter_over_the_longer(said: str, wanted: str, expected: float) -> None:
    assert length_ratio(said, wanted) == expected


def test_length_takes_the_nearest_reference(score: Callable[..., float]) -> None:
    assert score("length", "one two three", "one", "one two three four") == 0.75
