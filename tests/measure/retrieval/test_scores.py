from __future__ import annotations

import pytest

from accordeur.core.span import Span
from accordeur.measure.retrieval import (
    Judged,
    rank_values,
    retrieval_difference,
    retrieval_scores,
    span_values,
)
from accordeur.measure.statistics import group_bootstrap


def judged(group: str, *found: tuple[int, int]) -> Judged:
    spans = tuple(Span("a", start, end) for start, end in found)
    return Judged(group, (Span("a", 100, 200),), spans, 2)


QUESTIONS = [
    judged("x", (0, 90), (100, 150)),
    judged("x", (150, 250), (90, 110)),
    judged("y", (300, 400)),
    Judged("z", (), (Span("a", 0, 5),), 0),
]
GROUPS = [one.group for one in QUESTIONS]
VALUES = [span_values(one, cuts=(1, 2)) for one in QUESTIONS]


def test_values_of_a_question() -> None:
    first = VALUES[0]
    assert first is not None
    assert first["span_recall@1"] == first["hit@1"] == 0.0
    assert first["span_recall@2"] == 0.5
    assert first["span_precision@2"] == pytest.approx(50 / 140)
    assert first["mrr@10"] == 0.5


def test_scores_are_means_over_questions_with_gold_and_say_how_many_had_none() -> None:
    scores = retrieval_scores(VALUES, GROUPS, seed=3)
    recall = scores["span_recall@2"]
    assert (recall.n, recall.groups, recall.left_out) == (3, 2, 1)
    assert recall.value == pytest.approx((0.5 + 0.6 + 0.0) / 3)
    spread = group_bootstrap([0.5, 0.6, 0.0], ["x", "x", "y"], seed=3)
    assert spread is not None
    assert recall.interval is not None
    assert (recall.interval.low, recall.interval.high) == (spread.low, spread.high)


def test_one_group_has_no_interval() -> None:
    score = retrieval_scores(VALUES[:2], GROUPS[:2], seed=0)["hit@1"]
    assert (score.value, score.interval) == (0.5, None)


def test_no_question_with_gold_gives_no_number() -> None:
    assert retrieval_scores([None, None], ["x", "y"], seed=0) == {}
    assert retrieval_scores([], [], seed=0) == {}


def test_a_search_differs_from_itself_by_nothing() -> None:
    same = retrieval_difference(VALUES, VALUES, GROUPS, seed=0)["ndcg@10"]
    assert same.value == 0.0
    assert same.interval is not None
    assert (same.interval.low, same.interval.high) == (0.0, 0.0)


def test_sides_that_are_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="same questions"):
        retrieval_difference(VALUES, VALUES[::-1], GROUPS, seed=0)


def test_gold_that_no_passage_holds_scores_0() -> None:
    lost = span_values(Judged("x", (Span("a", 0, 9),), (Span("b", 0, 9),), 0))
    assert lost is not None
    assert set(lost.values()) == {0.0}


def test_an_id_found_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        rank_values(["a", "a"], {"a": 1})
