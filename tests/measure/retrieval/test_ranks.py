"""Agreement with ir-measures, which asks trec_eval's own code."""

from __future__ import annotations

import random

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, R, Success, nDCG

from accordeur.core.span import Span
from accordeur.measure.retrieval import Judged, Places, rank_values, span_values
from accordeur.measure.retrieval.ranks import ndcg

PEER = {
    "ndcg@10": nDCG @ 10,
    "mrr@10": RR @ 10,
    "recall@1": R @ 1,
    "recall@5": R @ 5,
    "hit@3": Success @ 3,
    "hit@10": Success @ 10,
}


def peer(found: list[str], grades: dict[str, int]) -> dict[str, float]:
    run = {"q": {one: float(-rank) for rank, one in enumerate(found)}}
    values = ir_measures.iter_calc(PEER.values(), {"q": grades}, run)
    by_measure = {value.measure: value.value for value in values}
    return {name: by_measure[measure] for name, measure in PEER.items()}


@given(
    st.lists(st.integers(0, 25), unique=True, min_size=1, max_size=20),
    st.dictionaries(st.integers(0, 30), st.integers(-1, 3), min_size=1, max_size=12),
)
def test_document_judgments_agree_with_ir_measures(
    found: list[int], graded: dict[int, int]
) -> None:
    ids = [f"d{one}" for one in found]
    grades = {f"d{one}": grade for one, grade in graded.items()}
    ours = rank_values(ids, grades)
    if ours is None:
        assert all(grade <= 0 for grade in grades.values())
        return
    for name, value in peer(ids, grades).items():
        assert ours[name] == pytest.approx(value, abs=1e-6), name


def test_span_judgments_agree_with_ir_measures_on_the_passages_they_make_relevant() -> None:
    draw = random.Random(0)
    passages = [Span(name, at, at + 60) for name in "abc" for at in range(0, 900, 40)]
    places = Places(passages)
    for _ in range(50):
        start = draw.randrange(0, 850)
        gold = (Span(draw.choice("abc"), start, start + draw.randrange(1, 90)),)
        found = draw.sample(passages, 15)
        wanted = places.relevant(gold)
        values = span_values(Judged("g", gold, tuple(found), len(wanted)))
        assert values is not None
        theirs = peer([str(one) for one in found], {str(one): 1 for one in wanted})
        for name in ("ndcg@10", "mrr@10", "hit@3", "hit@10"):
            assert values[name] == pytest.approx(theirs[name], abs=1e-6), name


def test_the_best_order_has_1_and_a_later_place_counts_less() -> None:
    assert ndcg([3, 2, 1, 0], [1, 2, 3], 10) == 1.0
    assert ndcg([0, 1], [1], 10) == pytest.approx(0.6309, abs=1e-4)  # 1 / log2(3)
