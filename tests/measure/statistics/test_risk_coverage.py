from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.measure.statistics.risk_coverage import area_under, risk_coverage

answers = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1
)


def test_the_most_certain_come_first() -> None:
    points = risk_coverage([0.2, 0.9, 0.5, 0.5], [0, 1, 1, 0])
    assert [(one.threshold, one.coverage, one.risk) for one in points] == [
        (0.9, 0.25, 0.0),
        (0.5, 0.75, pytest.approx(1 / 3)),
        (0.2, 1.0, 0.5),
    ]


def test_the_area_of_a_perfect_order_is_below_that_of_its_reverse() -> None:
    score = [1, 1, 0, 0]
    good = area_under(risk_coverage([0.9, 0.8, 0.2, 0.1], score))
    assert good == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert good < area_under(risk_coverage([0.1, 0.2, 0.8, 0.9], score))


def test_without_a_row_there_is_no_point() -> None:
    assert risk_coverage([], []) == []
    with pytest.raises(ValueError, match="needs a point"):
        area_under([])


@given(answers)
def test_the_last_point_answers_everything_and_coverage_rises(
    drawn: list[tuple[float, float]],
) -> None:
    confidence, score = zip(*drawn, strict=True)
    points = risk_coverage(confidence, score)
    assert points[-1].coverage == 1.0
    assert points[-1].risk == pytest.approx(1 - sum(score) / len(score))
    assert all(a.coverage < b.coverage for a, b in itertools.pairwise(points))
    for one in points:
        answered = [s for c, s in drawn if c >= one.threshold]
        assert one.n == len(answered)
        assert one.risk == pytest.approx(1 - sum(answered) / len(answered))
