from __future__ import annotations

import pytest

from accordeur.bench.comparison import Pair
from accordeur.bench.ladder.words import GAPS, found_sentence, gap_sentence
from accordeur.core.measurement import Interval


def pair(low: float, high: float) -> Pair:
    return Pair((low + high) / 2, Interval(low, high), 40)


@pytest.mark.parametrize(("higher", "lower"), GAPS)
def test_more_less_and_not_shown_are_three_sentences_with_their_numbers(
    higher: str, lower: str
) -> None:
    told = {
        gap_sentence(higher, lower, pair(*at)) for at in ((0.1, 0.3), (-0.3, -0.1), (-0.1, 0.1))
    }
    assert len(told) == 3
    assert sum("20.0 points [10.0, 30.0]" in one for one in told) == 2
    assert sum("0.0 points [−10.0, +10.0]" in one for one in told) == 1
    assert all(one.endswith(".") and one.count(". ") == 0 for one in told)


def test_where_the_gold_passage_does_not_help_retrieval_is_not_advised() -> None:
    said = gap_sentence("gold passage", "closed book", pair(-0.02, 0.03))
    assert said == (
        "Even the gold passage does not help (+0.5 points [−2.0, +3.0]): tune, do not build "
        "retrieval."
    )


def test_without_an_interval_nothing_is_shown() -> None:
    said = gap_sentence("gold passage", "closed book", Pair(0.5, None, 3))
    assert "does not help (+50.0 points, no interval)" in said


def test_where_the_answer_was_found_the_loss_is_that_of_its_company() -> None:
    shown = found_sentence(30, 0.1, Pair(0.2, Interval(0.1, 0.3), 22))
    assert shown == (
        "Where the search found the answer (22 of 30 rows) the model scores 10.0 from its passages "
        "and 30.0 from the gold passage alone (+20.0 [+10.0, +30.0]): the others distract it; show "
        "fewer, or train among distractors."
    )
    assert "is not shown" in found_sentence(30, 0.1, Pair(0.2, Interval(-0.1, 0.3), 22))
    assert "is not shown" in found_sentence(30, 0.1, Pair(0.2, None, 1))
