"""Rows as tokens, their order, and the learning rate."""

from __future__ import annotations

import pytest

from accordeur.core.errors import TaskError
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.local.model import LocalModel
from accordeur.training.rows import TrainingRow, training_rows
from accordeur.training.schedule import Schedule, batches

WORDS = "Which team should answer?\n\n"


def prompt(lead: Segment, text: str = "Where is my card?") -> Rendered:
    return Rendered((Message("user", (lead, Segment(text, "data", trim=True))),))


def test_rows_without_room_or_answer_are_refused(tiny: LocalModel) -> None:
    words = prompt(Segment(WORDS, shared=True), "a long row " * 40)
    with pytest.raises(TaskError, match="do not fit"):
        training_rows(tiny.chat, [words], ["Billing"], 60)
    with pytest.raises(TaskError, match="empty answer"):
        training_rows(tiny.chat, [words], [""], 1024)
    (row,) = training_rows(tiny.chat, [words], ["Billing"], 1024)
    assert tiny.chat.decode(row.answer, special=True) == "Billing<|im_end|>"


def test_every_pass_shows_every_row_once_and_batches_share_a_prefix() -> None:
    rows = [TrainingRow((i % 2, 7), (i, *range(i % 5)), (1, 2)) for i in range(20)]
    shown = list(batches(rows, Schedule(12, 4, 0.1), seed=3))
    assert len(shown) == 12
    assert all(len({row.prefix for row in batch}) == 1 for batch in shown)
    first = [row for batch in shown[:6] for row in batch]
    assert sorted(first, key=lambda row: row.row) == sorted(rows, key=lambda row: row.row)
    assert shown != list(batches(rows, Schedule(12, 4, 0.1), seed=4))


def test_the_rate_rises_then_falls() -> None:
    schedule = Schedule(20, 4, 1.0, warmup=0.2)
    rates = [schedule.rate(step) for step in range(20)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.1
