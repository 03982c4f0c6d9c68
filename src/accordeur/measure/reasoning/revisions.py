"""How often a second look turned a wrong answer right, and a right one wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.core.answer import Reply
from accordeur.core.measurement import Measurement
from accordeur.core.model import Generated, Usage
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.metric import Metric
from accordeur.parts.answering.reading import read_text

DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Revisions:
    """Counts over rows whose answer had a draft. A row is right when it has at least half a point.

    Attributes:
        n: such rows.
        draft_right, final_right: rows right before and after.
        wrong_to_right, right_to_wrong: rows that changed sides.
        changed: rows whose answer is another one, right or not.
    """

    n: int
    draft_right: int
    final_right: int
    wrong_to_right: int
    right_to_wrong: int
    changed: int

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def revisions(
    one: Measurement, examples: Sequence[Example], metric: Metric, task: TaskBrief
) -> Revisions | None:
    """Drafts beside final answers, scored by the same metric; `None` when no row has a draft."""
    n = draft_right = final_right = mended = spoiled = changed = 0
    for place in one.kept:
        row, example = one.rows[place], examples[place]
        draft = _draft(row.answer.trace)
        if draft is None or row.score is None:
            continue
        written = Generated(draft.text, draft.finished, 0.0, Usage())
        before = read_text(written, task, 0.0)
        was, now = metric.row(before, example, task) >= 0.5, row.score >= 0.5
        n += 1
        draft_right += was
        final_right += now
        mended += now and not was
        spoiled += was and not now
        changed += (before.label, before.text) != (row.answer.label, row.answer.text)
    return Revisions(n, draft_right, final_right, mended, spoiled, changed) if n else None


def _draft(trace: Sequence[Reply]) -> Reply | None:
    return next((reply for reply in trace if reply.name == DRAFT), None)
