"""The same input with two labels, in train and dev."""

from __future__ import annotations

from collections import defaultdict

from accordeur.core.task import Example, Task
from accordeur.tasks.checks.check import MOST_IDS, Check, rows_word
from accordeur.tasks.splits import question_key


def check_conflicts(task: Task) -> Check | None:
    """Warn about inputs that have two labels: no candidate can answer both; `None` for text tasks.

    Held-out answers are not looked at.
    """
    if task.kind != "labels":
        return None
    rows: dict[str, list[Example]] = defaultdict(list)
    for row in (*task.train, *task.dev):
        rows[question_key(row)].append(row)
    ids = tuple(
        row.id for same in rows.values() if len({row.label for row in same}) > 1 for row in same
    )
    if not ids:
        return Check("conflicting labels", "ok", "No input of train and dev has two labels.")
    message = f"{rows_word(len(ids))} of train and dev share an input with a row of another label."
    return Check("conflicting labels", "warn", message, ids[:MOST_IDS])
