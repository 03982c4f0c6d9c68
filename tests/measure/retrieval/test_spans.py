from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.span import Span
from accordeur.measure.retrieval.spans import (
    Places,
    merged,
    relevant,
    shared_characters,
    span_precision,
    span_recall,
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start = draw(st.integers(0, 30))
    return Span(draw(st.sampled_from("ab")), start, start + draw(st.integers(1, 12)))


lists = st.lists(spans(), max_size=8)
golds = st.lists(spans(), min_size=1, max_size=4)


def characters(some: list[Span]) -> set[tuple[str, int]]:
    return {(one.document, at) for one in some for at in range(one.start, one.end)}


@given(lists)
def test_merged_spans_are_the_same_characters_and_do_not_touch(some: list[Span]) -> None:
    found = merged(some)
    assert characters(found) == characters(some)
    assert sum(map(len, found)) == len(characters(some))
    for one, after in pairwise(found):
        assert one.document < after.document or one.end < after.start


@given(lists, lists)
def test_shared_characters_are_counted_once(a: list[Span], b: list[Span]) -> None:
    assert shared_characters(a, b) == len(characters(a) & characters(b))


@given(golds, lists, st.integers(1, 9))
def test_recall_is_the_share_of_gold_that_is_found(
    gold: list[Span], found: list[Span], k: int
) -> None:
    wanted = characters(gold)
    share = len(wanted & characters(found[:k])) / len(wanted)
    assert span_recall(gold, found, k) == pytest.approx(share)
    assert span_recall(gold, found, k) <= span_recall(gold, found, k + 1)


@given(golds, lists, st.integers(1, 9))
def test_precision_is_gold_per_character_shown(gold: list[Span], found: list[Span], k: int) -> None:
    shown = sum(len(one) for one in found[:k])
    covered = len(characters(gold) & characters(found[:k]))
    assert span_precision(gold, found, k) == pytest.approx(covered / shown if shown else 0.0)


def test_a_passage_shown_twice_costs_twice() -> None:
    gold, passage = [Span("a", 0, 10)], Span("a", 0, 20)
    assert span_precision(gold, [passage], 2) == 0.5
    assert span_precision(gold, [passage, passage], 2) == 0.25


@given(golds, lists)
def test_relevant_passages_are_those_that_share_a_character(
    gold: list[Span], passages: list[Span]
) -> None:
    assert Places(passages).relevant(gold) == sorted(p for p in passages if relevant(gold, p))
