from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.answer import Answer, Status
from accordeur.core.measurement import Cost, Measurement, RowResult
from accordeur.core.model import Usage

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ANSWERS = st.builds(
    Answer,
    st.text(max_size=8),
    st.sampled_from(Status),
    st.none() | st.text(max_size=4),
    st.none() | st.lists(FLOATS, max_size=3).map(tuple),
    st.none() | st.lists(FLOATS, max_size=3).map(tuple),
    st.none() | FLOATS,
    st.builds(Usage, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
    FLOATS,
    st.text(max_size=4),
)


@given(st.builds(RowResult, st.text(), st.text(), ANSWERS, st.none() | FLOATS))
def test_a_row_result_comes_back_from_json_as_it_was(row: RowResult) -> None:
    assert RowResult.from_json(json.loads(json.dumps(row.to_json()))) == row


def row(status: Status, score: float | None) -> RowResult:
    usage = Usage(input_tokens=5, output_tokens=2, computed_tokens=3)
    return RowResult("r", "g", Answer("x", status, usage=usage, seconds=0.5), score)


def test_a_measurement_counts_what_became_of_its_rows() -> None:
    rows = [row(Status.OK, 1.0), row(Status.EMPTY, 0.0), row(Status.ERROR, None)]
    made = Measurement("c", "dev", "accuracy", rows, (0, 1), 0.5, None, 0)
    assert (made.n, made.missing) == (2, 1)
    assert list(made.statuses.items()) == [("ok", 1), ("empty", 1), ("error", 1)]
    assert (made.seconds, made.logical_tokens, made.computed_tokens) == (1.5, 21, 9)


def test_a_total_needs_both_prices() -> None:
    assert Cost(make=1.0, use=0.01, queries=100).total == pytest.approx(2.0)
    assert Cost(make=1.0).total is None
    assert Cost(use=1.0).total is None


def test_a_cost_comes_back_from_json_as_it_was() -> None:
    cost = Cost(3.0, 1.0, 0.5, 0.2, 0.3, 50, "EUR", 7, 1000, 9)
    assert Cost.from_json(json.loads(json.dumps(cost.to_json()))) == cost
