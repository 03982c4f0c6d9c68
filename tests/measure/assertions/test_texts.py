"""Assertions that look at the words of an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import PlanError, TaskError
from accordeur.measure.assertions import ASSERTIONS, INSTEAD, load_kind, split_kind
from accordeur.measure.assertions.assertion import Asked, Finding, Said, inverse
from accordeur.measure.assertions.levenshtein import distance


def passed(kind: str, text: str, value: Any = None, threshold: float | None = None) -> bool | None:
    check = load_kind(kind).check
    assert check is not None
    return check(Said(text), Asked(kind, value, threshold)).passed


@pytest.mark.parametrize(
    ("kind", "text", "value", "expected"),
    [
        ("equals", "Paris", "Paris", True),
        ("equals", "Paris\n", "Paris", False),
        ("equals", "3", 3, True),
        ("equals", "3", 3.0, True),
        ("equals", "true", True, True),
        ("equals", '{"b": [1, 2], "a": true}', {"a": True, "b": [1, 2]}, True),
        ("equals", '{"a": 1}', {"a": True}, False),
        ("equals", "no JSON", {"a": 1}, False),
        ("contains", "in Paris", "Paris", True),
        ("contains", "in paris", "Paris", False),
        ("contains", "room 12", 12, True),
        ("icontains", "in PARIS", "paris", True),
        ("contains-any", "a cat", "dog, cat", True),
        ("contains-any", "a, b", '"a, b", c', True),
        ("contains-any", "a cow", ["dog", "cat"], False),
        ("icontains-any", "A CAT", ["dog", "cat"], True),
        ("contains-all", "dog and cat", ["dog", "cat"], True),
        ("contains-all", "dog", ["dog", "cat"], False),
        ("icontains-all", "DOG Cat", "dog,cat", True),
        ("starts-with", "Yes, sir", "Yes", True),
        ("starts-with", " Yes", "Yes", False),
        ("regex", "in 24 hours", r"\d+ ?hours", True),
        ("regex", "soon", r"\d", False),
        ("regex", "soon", "(", None),
        ("is-json", '{"a": 1}', None, True),
        ("is-json", "NaN", None, False),
        ("is-json", "[1, 2", None, False),
        ("contains-json", 'Here: ```json\n{"a": 1}\n```', None, True),
        ("contains-json", "{not} [json", None, False),
        ("contains-json", 'first {} then {"a": 1}', {"required": ["a"]}, True),
        ("is-json", '{"a": "x"}', "{type: object, properties: {a: {type: number}}}", False),
    ],
)
def test_verdicts(kind: str, text: str, value: Any, expected: bool | None) -> None:
    assert passed(kind, text, value) is expected


@given(st.text(max_size=12), st.text(max_size=12))
def test_levenshtein_is_a_distance(a: str, b: str) -> None:
    apart = distance(a, b)
    assert apart == distance(b, a)
    assert (apart == 0) == (a == b)
    assert abs(len(a) - len(b)) <= apart <= max(len(a), len(b))
    assert distance(a + "x", b + "x") == apart


def test_levenshtein_counts_edits() -> None:
    assert distance("kitten", "sitting") == 3
    assert passed("levenshtein", "kitten", "sitting") is True
    assert passed("levenshtein", "kitten", "sitting", 2) is False


def test_rouge_has_a_default_threshold() -> None:
    assert passed("rouge-n", "the cat sat on a mat", "the cat sat on the mat") is True
    assert passed("rouge-n", "dogs bark", "the cat sat on the mat") is False


def test_what_is_not_known_is_neither_a_pass_nor_a_failure() -> None:
    for kind in ("latency", "cost", "perplexity", "perplexity-score"):
        check = load_kind(kind).check
        assert check is not None
        found = check(Said("x"), Asked(kind, threshold=5))
        assert found.passed is None
        assert inverse(found, kind).passed is None


def test_numbers_about_an_answer() -> None:
    said = Said("x", seconds=0.25, money=0.002, logprob=-0.5)
    for kind, low, high in (("latency", 100, 300), ("cost", 0.001, 0.01), ("perplexity", 1, 2)):
        check = load_kind(kind).check
        assert check is not None
        assert check(said, Asked(kind, threshold=low)).passed is False
        assert check(said, Asked(kind, threshold=high)).passed is True


def test_not_turns_verdict_and_score_round() -> None:
    assert inverse(Finding(True, 0.75), "rouge-n") == Finding(False, 0.25, "`rouge-n` holds")
    assert inverse(Finding(False, 0.25, "why"), "rouge-n").passed is True
    assert split_kind("not-contains") == ("contains", True)


@pytest.mark.parametrize("name", ASSERTIONS.names())
def test_every_kind_can_be_loaded_and_looks_one_way(name: str) -> None:
    kind = load_kind(name)
    assert (kind.check is None) != (kind.check_many is None)
    assert kind.about


@pytest.mark.parametrize("name", sorted(INSTEAD))
def test_what_is_refused_names_something_to_use(name: str) -> None:
    with pytest.raises(PlanError) as caught:
        load_kind(name)
    assert f"`{name}`" in caught.value.message
    assert caught.value.hint.startswith("use ")
    assert name not in ASSERTIONS.table


def test_unknown_kinds_name_the_nearest() -> None:
    with pytest.raises(PlanError, match="did you mean `contains`"):
        load_kind("contain")


def test_an_empty_list_of_texts_is_refused() -> None:
    valid = load_kind("contains-any").valid
    assert valid is not None
    with pytest.raises(TaskError):
        valid(" , ")
