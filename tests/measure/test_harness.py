"""Every row is kept as it comes, none is asked twice, failures are wrong and errors are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from accordeur.core.answer import Answer, Status
from accordeur.core.budget import Budget
from accordeur.core.candidate import Candidate
from accordeur.core.lever import Stopped
from accordeur.core.measurement import RowResult
from accordeur.core.model import Generated, Usage
from accordeur.core.rendering import Rendered
from accordeur.core.task import Example
from accordeur.measure.harness import MemorySink, answer_rows, summarise
from accordeur.measure.metrics import load_metric
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.assemble import assemble
from accordeur.parts.decoding import Decoding
from accordeur.testing.puzzle import KnowingModel, asked
from accordeur.testing.scripted import ScriptedModel, ScriptedSource
from accordeur.testing.toy import label_task

TASK = label_task()
ROWS = TASK.train
ACCURACY = load_metric("accuracy")


def scoring(model: KnowingModel | None = None) -> Answerer:
    return assemble(Candidate(TASK.brief, "m"), ScriptedSource(model or KnowingModel()))


def writing(answers: Any) -> Answerer:
    candidate = Candidate(TASK.brief, "m").with_part(Decoding("generate", max_tokens=8))
    return assemble(candidate, ScriptedSource(ScriptedModel(answers=answers)))


def ask(answerer: Answerer, sink: Any, **more: Any) -> list[RowResult]:
    return answer_rows(answerer, ROWS, ACCURACY, TASK.brief, sink, **more)


def untimed(rows: list[RowResult]) -> list[RowResult]:
    """Without measured seconds, which vary from call to call."""
    return [replace(row, answer=replace(row.answer, seconds=0.0)) for row in rows]


class Disk(MemorySink):
    """Remembers what was appended, batch by batch."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []

    def append(self, rows: Mapping[int, RowResult]) -> None:
        super().append(rows)
        self.batches.append(sorted(rows))


def test_results_come_in_split_order_and_go_to_the_sink_batch_by_batch() -> None:
    disk, told = Disk(), []
    rows = ask(scoring(), disk, progress=lambda done, of: told.append((done, of)))
    assert [row.row for row in rows] == [example.id for example in ROWS]
    assert disk.batches == [[*range(8)], [*range(8, 16)], [*range(16, 24)]]
    assert told == [(8, 24), (16, 24), (24, 24)]
    for row, example in zip(rows, ROWS, strict=True):
        assert row.group == example.group
        assert row.score == float(row.answer.label == example.label)


def test_a_sink_that_holds_rows_spares_them() -> None:
    asked: list[int] = []
    model = KnowingModel(on_batch=lambda prompts, indices: asked.extend(indices))
    sink = Disk()
    whole = ask(scoring(model), sink)
    first = Disk()
    for index in (*range(8), 9):
        first.append({index: whole[index]})
    asked.clear()
    assert untimed(ask(scoring(model), first)) == untimed(whole)
    assert asked == [*range(8, 24)], "a batch that is not whole is computed whole"
    assert sorted(first.batches[-2]) == [8, *range(10, 16)], "and each row is kept once"
    asked.clear()
    assert untimed(ask(scoring(model), first)) == untimed(whole)
    assert asked == []


def test_rows_of_another_split_in_the_sink_are_not_taken_for_ours() -> None:
    sink = Disk()
    sink.append({0: RowResult("someone else", "g", Answer("card", label="card"), 1.0)})
    sink.append({99: RowResult("beyond", "g", Answer("card", label="card"), 1.0)})
    assert [row.row for row in ask(scoring(), sink)] == [example.id for example in ROWS]


def test_failures_of_the_model_are_wrong_and_counted() -> None:
    said = {
        ROWS[0].text: "",
        ROWS[1].text: "I cannot help with that.",
        ROWS[2].text: "purple",
        ROWS[3].text: ROWS[3].label,
    }
    rows = ask(writing(said | {row.text: row.label for row in ROWS[4:]}), MemorySink())
    assert [row.answer.status for row in rows[:4]] == [
        Status.EMPTY,
        Status.REFUSAL,
        Status.PARSE_FAILURE,
        Status.OK,
    ]
    assert [row.score for row in rows[:4]] == [0.0, 0.0, 0.0, 1.0]
    measured = summarise(rows, ROWS, ACCURACY, TASK.brief, candidate="c", split="dev", seed=0)
    assert measured.score == pytest.approx(21 / 24)
    assert (measured.n, measured.missing) == (24, 0)
    assert measured.statuses == {"ok": 21, "parse failure": 1, "empty": 1, "refusal": 1}


def test_errors_are_missing_never_wrong_and_are_asked_again() -> None:
    lost = Generated("", False, 0.0, Usage(), error="no connection")
    said: dict[str, Any] = {row.text: row.label for row in ROWS}
    sink = Disk()
    rows = ask(writing(said | {ROWS[5].text: lost}), sink)
    assert rows[5].score is None
    measured = summarise(rows, ROWS, ACCURACY, TASK.brief, candidate="c", split="dev", seed=0)
    assert (measured.score, measured.n, measured.missing) == (1.0, 23, 1)
    again = ask(writing(said), sink)
    assert again[5].score == 1.0
    assert sink.batches[-1] == [5]


def test_a_passing_error_is_retried_at_once() -> None:
    calls: list[str] = []
    lost = Generated("", False, 0.0, Usage(), error="no connection")

    def answers(prompt: Rendered) -> str | Generated:
        text = asked(prompt)
        calls.append(text)
        gold = next(row.label for row in ROWS if row.text == text)
        return lost if text == ROWS[5].text and calls.count(text) < 3 else gold

    sink = Disk()
    rows = ask(writing(answers), sink)
    assert [row.score for row in rows] == [1.0] * 24
    assert sink.batches[-2:] == [[5], [5]]
    assert calls.count(ROWS[5].text) == 3


def test_the_budget_cuts_between_batches_and_keeps_what_is_finished() -> None:
    sink = Disk()
    with pytest.raises(Stopped, match="after 8 of 24 rows") as caught:
        ask(scoring(), sink, budget=Budget(1e-9))
    assert caught.value.cut
    assert sink.batches == [[*range(8)]]
    assert len(ask(scoring(), sink, budget=Budget(None))) == 24


def test_a_budget_that_ends_with_the_last_batch_cuts_nothing() -> None:
    sink = Disk()
    ask(scoring(), sink)
    assert len(ask(scoring(), sink, budget=Budget(1e-9))) == 24


def score_of(scores: Sequence[float | None], *, metric: str = "accuracy", groups: int = 0) -> Any:
    labels = [label.name for label in TASK.labels]
    examples, rows = [], []
    for place, score in enumerate(scores):
        gold = labels[place % 3]
        said = gold if score else labels[(place + 1) % 3]
        group = f"g{place % groups}" if groups else f"r{place}"
        examples.append(Example(f"r{place}", f"text {place}", (gold,), group))
        status = Status.ERROR if score is None else Status.OK
        rows.append(RowResult(f"r{place}", group, Answer(said, status, said), score))
    return summarise(
        rows, examples, load_metric(metric), TASK.brief, candidate="c", split="dev", seed=7
    )


def test_zero_rows_give_no_number() -> None:
    nothing: list[list[float | None]] = [[], [None, None]]
    for scores in nothing:
        measured = score_of(scores)
        assert measured.score is None
        assert measured.interval is None
        assert measured.n == 0


def test_rates_have_wilson_intervals_and_grouped_or_set_level_ones_a_bootstrap() -> None:
    scores = [1.0] * 30 + [0.0] * 10
    rate = score_of(scores)
    assert rate.interval.method == "Wilson"
    assert rate.interval.low == pytest.approx(0.5981, abs=1e-4)
    assert rate.interval.high == pytest.approx(0.8581, abs=1e-4)
    assert score_of(scores, groups=8).interval.method == "group bootstrap"
    assert score_of(scores, metric="macro-f1").interval.method == "group bootstrap"
    assert score_of(scores, groups=1).interval is None
    assert score_of(scores, groups=8) == score_of(scores, groups=8)


def test_rows_outside_keep_are_counted_but_not_scored_on() -> None:
    rows = [
        RowResult(f"r{i}", f"r{i}", Answer("card", label="card"), float(i < 2)) for i in range(4)
    ]
    examples = [Example(f"r{i}", "t", ("card",), f"r{i}") for i in range(4)]
    measured = summarise(
        rows,
        examples,
        ACCURACY,
        TASK.brief,
        candidate="c",
        split="dev",
        seed=0,
        keep=range(3),
    )
    assert measured.score == pytest.approx(2 / 3)
    assert (measured.n, list(measured.kept)) == (3, [0, 1, 2])
    assert len(measured.rows) == 4
