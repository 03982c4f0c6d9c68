from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.documents.ranking.fusion import best, fuse, reciprocal_ranks, scaled

numbers = st.integers(0, 30)
scores = st.dictionaries(numbers, st.floats(-1e300, 1e300), max_size=12)
weights = st.floats(0.0, 1.0)


@given(scores, scores, weights)
def test_every_passage_of_either_side_gets_a_score_between_0_and_1(
    lexical: dict[int, float], dense: dict[int, float], weight: float
) -> None:
    fused = fuse(lexical, dense, weight)
    assert fused.keys() == lexical.keys() | dense.keys()
    assert all(0.0 <= score <= 1.0 + 1e-12 for score in fused.values())


@given(scores, scores)
def test_at_the_ends_one_side_alone_decides(
    lexical: dict[int, float], dense: dict[int, float]
) -> None:
    assert {p: s for p, s in fuse(lexical, dense, 0.0).items() if p in lexical} == scaled(lexical)
    assert {p: s for p, s in fuse(lexical, dense, 1.0).items() if p in dense} == scaled(dense)


@given(st.dictionaries(numbers, st.integers(-50, 50), min_size=2), st.integers(1, 9), numbers)
def test_neither_unit_nor_origin_of_a_side_matters(
    side: dict[int, int], stretch: int, move: int
) -> None:
    moved = {passage: float(score * stretch + move) for passage, score in side.items()}
    plain = scaled({passage: float(score) for passage, score in side.items()})
    assert scaled(moved) == pytest.approx(plain)


def test_what_one_side_did_not_find_counts_as_its_last() -> None:
    assert fuse({1: 8.0, 2: 4.0}, {2: 0.9, 3: 0.5}, 0.5) == {1: 0.5, 2: 0.5, 3: 0.0}


def test_a_side_that_cannot_tell_its_passages_apart_lifts_them_all_alike() -> None:
    assert fuse({1: 3.0, 2: 3.0}, {1: 0.2, 2: 0.4, 3: 0.3}, 0.5) == pytest.approx(
        {1: 0.5, 2: 1.0, 3: 0.25}
    )


def test_a_weight_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        fuse({}, {}, 1.5)


@given(st.lists(st.lists(numbers, unique=True), max_size=4))
def test_reciprocal_ranks_are_the_sum_of_the_definition(rankings: list[list[int]]) -> None:
    found = reciprocal_ranks(*rankings)
    for passage in {one for ranking in rankings for one in ranking}:
        places = [ranking.index(passage) + 1 for ranking in rankings if passage in ranking]
        assert found.pop(passage) == pytest.approx(sum(1 / (60 + rank) for rank in places))
    assert not found


def test_the_best_come_first_and_ties_go_to_the_lower_number() -> None:
    assert best({7: 0.5, 2: 0.5, 9: 0.8, 4: 0.1}, 3) == [(9, 0.8), (2, 0.5), (7, 0.5)]
