from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from accordeur.core.answer import Answer, Status
from accordeur.core.task import Example
from accordeur.measure.metrics import METRICS, kinds_of, load_metric
from accordeur.measure.metrics.row_rules import settled

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT_METRICS = [name for name in METRICS.names() if "text" in kinds_of(load_metric(name))]
RIGHT = "[12, 34]"  # two words, a number, JSON, and as a pattern a set of its own characters
GRADED = {"token-f1", "rouge-l", "rouge-1", "rouge-2", "length"}
FAILURES = [Status.PARSE_FAILURE, Status.EMPTY, Status.REFUSAL, Status.UNJUDGED, Status.ERROR]


@pytest.mark.parametrize("metric", TEXT_METRICS)
def test_a_right_answer_scores_one(score: Callable[..., float], metric: str) -> None:
    assert score(metric, RIGHT, RIGHT) == 1.0


@pytest.mark.parametrize("status", [*FAILURES, Status.ABSTAINED])
@pytest.mark.parametrize("metric", TEXT_METRICS)
def test_a_failure_is_wrong_whatever_its_text(
    score: Callable[..., float], metric: str, status: Status
) -> None:
    assert score(metric, RIGHT, RIGHT, status=status) == 0.0


@pytest.mark.parametrize("metric", [*TEXT_METRICS, "accuracy"])
def test_only_abstaining_is_right_on_an_unanswerable_row(
    score: Callable[..., float], metric: str
) -> None:
    assert score(metric, "", status=Status.ABSTAINED) == 1.0
    for status in (Status.OK, Status.TRUNCATED, *FAILURES):
        assert score(metric, RIGHT, status=status) == 0.0


@pytest.mark.parametrize("metric", TEXT_METRICS)
def test_a_truncated_text_counts_under_graded_metrics_only(
    score: Callable[..., float], metric: str
) -> None:
    expected = 1.0 if metric in GRADED else 0.0
    assert score(metric, RIGHT, RIGHT, status=Status.TRUNCATED) == expected


def test_a_row_without_an_answer_key_is_never_scored() -> None:
    with pytest.raises(ValueError, match="row-9"):
        settled(Answer("x"), Example("row-9", "?", None, "row-9"), graded=True)
