"""The texts of the check: general passages, and rows of two other tasks.

All of it was written for this project. The passages are of many subjects and registers; the rows
are dev rows of `examples/support` and `examples/finance`, as many of each label.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from accordeur.core.fingerprint import digest
from accordeur.core.task import Example, Label, TaskBrief
from accordeur.parts.prompt import full_instruction

OTHER_TASKS = ("support", "finance")
"""In the order in which they are tried; the rows of the first are shorter."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of general text.

    Attributes:
        id: its name, which tells its register.
        text: 60 to 100 words.
    """

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class OtherTask:
    """A task that is not the one a candidate was made for.

    Attributes:
        name: of the example it comes from.
        instruction: complete, labels included.
        labels: in their order.
        rows: labelled rows.
    """

    name: str
    instruction: str
    labels: tuple[Label, ...]
    rows: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Materials:
    """What is asked.

    Attributes:
        passages: general text.
        other: another task; `None` when both are too close to the run's own.
    """

    passages: tuple[Passage, ...]
    other: OtherTask | None

    @property
    def digest(self) -> str:
        """Hash of every text."""
        other = self.other
        return digest(
            {
                "passages": [[one.id, one.text] for one in self.passages],
                "other": other
                and {
                    "instruction": other.instruction,
                    "labels": [[label.name, label.text] for label in other.labels],
                    "rows": [row.to_json() for row in other.rows],
                },
            }
        )


@cache
def general_passages() -> tuple[Passage, ...]:
    """The passages of `general.jsonl`."""
    lines = _read("general.jsonl").splitlines()
    return tuple(Passage(**json.loads(line)) for line in lines)


def materials_for(task: TaskBrief, rows: Iterable[Example] = ()) -> Materials:
    """The passages, and the first other task that is not the run's own.

    A set is the run's own when it shares the name, the name or text of a label, or a row.

    Args:
        task: of the run.
        rows: labelled rows of the run that levers and ruler have seen.
    """
    own_labels = {word for label in task.labels for word in _words(label)}
    own_rows = {row.text.casefold() for row in rows}
    for name in OTHER_TASKS:
        other = _other_task(name)
        shared = (
            other.name == task.name.casefold()
            or any(word in own_labels for label in other.labels for word in _words(label))
            or any(row.text.casefold() in own_rows for row in other.rows)
        )
        if not shared:
            return Materials(general_passages(), other)
    return Materials(general_passages(), None)


def _words(label: Label) -> tuple[str, str]:
    return label.name.casefold(), label.text.casefold()


@cache
def _other_task(name: str) -> OtherTask:
    data: dict[str, Any] = json.loads(_read(f"{name}.json"))
    labels = tuple(Label(*pair) for pair in data["labels"].items())
    rows = tuple(
        Example(row["id"], row["input"], (row["expected"],), row["id"]) for row in data["rows"]
    )
    return OtherTask(name, full_instruction(data["instruction"], labels), labels, rows)


def _read(name: str) -> str:
    return (files("accordeur.measure.forgetting") / name).read_text(encoding="utf-8")
