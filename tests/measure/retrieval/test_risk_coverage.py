"""Risk against coverage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.measure.retrieval.risk_coverage import area, risk_coverage


def test_the_surest_come_first_and_equals_come_together() -> None:
    points = risk_coverage([0.2, 0.9, 0.5, 0.5], [0.0, 1.0, 1.0, 0.0])
    assert [(p.threshold, p.answered, p.wrong) for p in points] == [
        (0.9, 1, 0.0),
        (0.5, 3, 1.0),
        (0.2, 4, 2.0),
    ]
    assert [p.coverage for p in points] == [0.25, 0.75, 1.0]
    assert points[-1].risk == 0.5
    assert area(points) == pytest.approx((0 + 2 * (1 / 3) + 0.5) / 4)


def test_no_rows_have_no_curve_and_no_area() -> None:
    assert risk_coverage([], []) == []
    with pytest.raises(ValueError, match="no area"):
        area([])


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0])), min_size=1))
def test_the_last_point_answers_everything_and_order_does_not_matter(
    rows: list[tuple[float, float]],
) -> None:
    points = risk_coverage([one for one, _ in rows], [right for _, right in rows])
    assert points[-1].coverage == 1.0
    assert points[-1].risk == pytest.approx(1 - sum(right for _, right in rows) / len(rows))
    turned = rows[::-1]
    assert points == risk_coverage([one for one, _ in turned], [right for _, right in turned])
    assert all(p.interval.low <= p.interval.high for p in points)
