"""What checks know of a row: ids and hashes. This is all that leaves the held-out split.

A question is known by its hash alone, and held-out rows tell nothing of their answers, so no check
can depend on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accordeur.core.fingerprint import digest_bytes
from accordeur.core.task import Example, Task
from accordeur.tasks.splits import question_key

HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Fact:
    """One row.

    Attributes:
        id, group: of the row.
        question: hash of its folded input and context.
        empty: the input holds nothing but white space.
    """

    id: str
    group: str
    question: str
    empty: bool


def facts_of(rows: Sequence[Example]) -> tuple[Fact, ...]:
    """The facts of some rows."""
    return tuple(
        Fact(
            id=row.id,
            group=row.group,
            question=digest_bytes(question_key(row).encode("utf-8")),
            empty=_is_empty(row),
        )
        for row in rows
    )


def facts_by_split(task: Task) -> dict[str, tuple[Fact, ...]]:
    """The facts of train, dev and, if there is one, the held-out split."""
    facts = {"train": facts_of(task.train), "dev": facts_of(task.dev)}
    if task.held_out is not None:
        facts[HELD_OUT] = task.held_out.audit(facts_of)
    return facts


def _is_empty(row: Example) -> bool:
    if isinstance(row.input, str):
        return not row.input.strip()
    if isinstance(row.input, Mapping):
        return not any(value.strip() for value in row.input.values())
    return not any(turn.content.strip() for turn in row.input)
