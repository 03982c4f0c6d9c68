"""The numbers of the check, against ones worked out by hand."""

from __future__ import annotations

import math

import pytest

from accordeur.measure.forgetting.findings import NotANumber, general_text, other_task


def test_perplexity_weighs_tokens_not_passages() -> None:
    found = general_text([-20.0, -10.0], [-30.0, -20.0], [10, 40], seed=0)
    assert (found.passages, found.tokens) == (2, 50)
    assert found.base.value == pytest.approx(math.exp(30 / 50))
    assert found.active.value == pytest.approx(math.exp(50 / 50))
    assert found.ratio.value == pytest.approx(math.exp(20 / 50))
    assert found.ratio.value == pytest.approx(found.active.value / found.base.value)
    assert found.base.interval is not None
    # Two passages: a resample is one twice, the other twice, or both.
    assert found.base.interval.low == pytest.approx(math.exp(10 / 40))
    assert found.base.interval.high == pytest.approx(math.exp(20 / 10))


def test_the_ratio_is_paired() -> None:
    """Passages differ tenfold, the loss hardly: its interval must not feel the passages."""
    base = [-10.0 * place for place in range(1, 21)]
    active = [value - 1.0 - 0.01 * place for place, value in enumerate(base)]
    found = general_text(base, active, [20] * 20, seed=1)
    assert found.base.interval is not None
    assert found.ratio.interval is not None
    assert found.base.interval.high / found.base.interval.low > 2
    assert found.ratio.interval.high / found.ratio.interval.low < 1.01
    assert general_text(base, active, [20] * 20, seed=1) == found


def test_a_perplexity_beyond_all_measure_is_not_given() -> None:
    with pytest.raises(NotANumber, match="probability below"):
        general_text([-20.0, -20.0], [-20.0, -9000.0], [10, 10], seed=0)


def test_accuracy_counts_rows_lost_and_gained() -> None:
    found = other_task("x", [0, 0, 1, 1, 1], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0], seed=0)
    assert found.n == 5
    assert found.base.value == pytest.approx(0.6)
    assert found.active.value == pytest.approx(0.4)
    assert found.difference.value == pytest.approx(-0.2)
    assert (found.lost, found.gained) == (2, 1)
    assert found.same_answer.value == pytest.approx(0.4)
    assert found.most_frequent == pytest.approx(0.6)
    assert found.difference.interval is not None
    assert found.difference.interval.low < -0.2 < found.difference.interval.high


def test_where_no_row_changed_sides_there_is_no_interval_of_no_width() -> None:
    found = other_task("x", [0, 1, 1], [0, 0, 0], [0, 0, 0], seed=0)
    assert found.difference.value == 0.0
    assert found.difference.interval is None
    assert found.same_answer.value == 1.0
    assert found.same_answer.interval is not None
    assert found.same_answer.interval.low < 0.7
