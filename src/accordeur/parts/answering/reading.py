"""From what a model wrote to an answer: extraction and status (DESIGN P5 and P6)."""

from __future__ import annotations

from accordeur.core.answer import Answer, Status
from accordeur.core.model import Generated
from accordeur.core.task import TaskBrief
from accordeur.parts.extraction import after_answer, is_refusal, read_label


def read_text(made: Generated, task: TaskBrief, seconds: float) -> Answer:
    """The answer in a text; for a label task the label it names."""
    text = after_answer(made.text)
    label: str | None = None
    status = _status(made, text)
    if task.kind == "labels" and status in (Status.OK, Status.TRUNCATED):
        found = read_label(made.text, task.labels)
        label = found.name if found else None
        status = Status.OK if found else Status.PARSE_FAILURE
    return Answer(
        text,
        status,
        label,
        logprob=made.logprob,
        usage=made.usage,
        seconds=seconds,
        error=made.error or made.note,
    )


def _status(made: Generated, text: str) -> Status:
    if made.error:
        return Status.ERROR
    if not text:  # a model that thinks unseen may have spent its limit on that
        return Status.EMPTY if made.finished else Status.TRUNCATED
    if is_refusal(made.text):
        return Status.REFUSAL
    return Status.OK if made.finished else Status.TRUNCATED
