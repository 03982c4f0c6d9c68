"""One worked example and its line in `demonstrations.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.core.errors import BundleError
from accordeur.core.rendering import Request
from accordeur.core.task import Example, TaskBrief, Turn


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A train row shown with its answer.

    Attributes:
        row, group: of the train row, so that it can be left out of its own prompt.
        request: what was asked.
        expected: the answer shown: a label's name or a text.
        steps: worked steps that lead to it, shown where the model is to reason.
    """

    row: str
    group: str
    request: Request
    expected: str
    steps: tuple[str, ...] = ()

    @classmethod
    def from_example(cls, example: Example) -> Demonstration:
        """A labelled row as a demonstration; the first of several accepted answers is shown.

        Raises:
            ValueError: the row has no answer to show.
        """
        if not example.expected:
            raise ValueError(f"row {example.id} has no answer to show")
        request = Request.from_example(example)
        return cls(example.id, example.group, request, example.expected[0], example.steps)

    def answer_text(self, task: TaskBrief) -> str:
        """The answer as the model sees it: a label's display text, or the text itself."""
        return task.label_text(self.expected) if task.kind == "labels" else self.expected

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        example = Example(
            id=self.row,
            input=self.request.input,
            expected=(self.expected,),
            group=self.group,
            context=self.request.context,
            documents=self.request.documents,
            steps=self.steps,
        )
        return example.to_json()


def write_jsonl(shown: Sequence[Demonstration]) -> bytes:
    """One JSON object a line."""
    lines = (json.dumps(one.to_json(), ensure_ascii=False, sort_keys=True) for one in shown)
    return "".join(f"{line}\n" for line in lines).encode()


def read_jsonl(data: bytes) -> tuple[Demonstration, ...]:
    """Inverse of `write_jsonl`.

    Raises:
        BundleError: a line is not a demonstration.
    """
    shown = []
    # Not `splitlines`: it also breaks at characters such as U+2028, which JSON leaves in a text.
    lines = data.decode("utf-8", errors="replace").removesuffix("\n").split("\n") if data else []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            content = row["input"]
            if isinstance(content, list):
                content = tuple(Turn(turn["role"], str(turn["content"])) for turn in content)
            elif isinstance(content, dict):
                content = {str(name): str(value) for name, value in content.items()}
            else:
                content = str(content)
            request = Request(content, row.get("context"), tuple(row.get("documents", ())))
            steps = tuple(str(step) for step in row.get("steps", ()))
            expected = str(row["expected"][0])
            shown.append(Demonstration(str(row["id"]), str(row["group"]), request, expected, steps))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise BundleError(
                f"`demonstrations.jsonl` line {number} is not a demonstration.",
                hint='a line is {"id": ..., "group": ..., "input": ..., "expected": [...]}',
            ) from error
    return tuple(shown)
