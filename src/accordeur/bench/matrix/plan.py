"""The first look at every case: how many there are, that each can be filled and asked, and a hash.

Cases stream: nothing of them is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accordeur.bench.matrix.filling import asked_of, rendered, variables
from accordeur.bench.matrix.matrix import Case, Column, Matrix, Prompt, columns
from accordeur.core.errors import TaskError, UsageError
from accordeur.core.fingerprint import canonical_json

VERSION = 1
"""Of what an evaluation's folder holds; part of its hash."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do.

    Attributes:
        matrix: with cases that may be gone through again.
        columns: prompts with models.
        cases: how many.
        judges: models that judge, in the order met.
        kinds: assertions that are used, in the order met.
        unchecked: cases without any assertion.
        digest: hash of everything that could change a result.
    """

    matrix: Matrix
    columns: tuple[Column, ...]
    cases: int
    judges: tuple[str, ...]
    kinds: tuple[str, ...]
    unchecked: int
    digest: str

    @property
    def repeat(self) -> int:
        """How often each question is asked."""
        return self.matrix.repeat

    @property
    def width(self) -> int:
        """Cells of one case."""
        return len(self.columns) * self.repeat

    @property
    def cells(self) -> int:
        """Answers in all."""
        return self.cases * self.width

    def to_json(self) -> Mapping[str, Any]:
        """For the folder, as plain data."""
        return {
            "version": VERSION,
            "name": self.matrix.name,
            "digest": self.digest,
            "columns": [
                {
                    "number": one.number,
                    "prompt": one.prompt.to_json(),
                    "model": one.provider.to_json(),
                }
                for one in self.columns
            ],
            "cases": self.cases,
            "repeat": self.repeat,
            "threshold": self.matrix.threshold,
            "judges": list(self.judges),
            "assertions": list(self.kinds),
        }


def make_plan(matrix: Matrix) -> Plan:
    """Go through all cases once.

    Raises:
        TaskError: a case cannot be read, or a template not filled with it; nothing was asked yet.
        UsageError: no case is left.
    """
    made = columns(matrix)
    if not made:
        raise TaskError(
            "No prompt is asked of any model.",
            hint="`prompts` of a model names labels: "
            + ", ".join(one.label for one in matrix.prompts),
        )
    prompts = list({one.prompt.label: one.prompt for one in made}.values())
    running = hashlib.sha256(canonical_json(_head(matrix, made)))
    count = unchecked = 0
    judges: dict[str, None] = {}
    kinds: dict[str, None] = {}
    for case in matrix.cases:
        count += 1
        unchecked += not case.checks
        _try_out(case, prompts)
        for check in case.checks:
            kinds.setdefault(check.name)
            if check.judge:
                judges.setdefault(check.judge)
        running.update(_bytes(case.to_json(), case.place))
    if not count:
        raise UsageError(
            "No case is left to ask.",
            hint="leave a filter out (`--filter-pattern` looks at descriptions alone), or write "
            "cases into the config",
        )
    return Plan(matrix, made, count, tuple(judges), tuple(kinds), unchecked, running.hexdigest())


def _try_out(case: Case, prompts: list[Prompt]) -> None:
    shown = variables(case)
    for prompt in prompts:
        rendered(prompt, case, shown)
    for check in case.checks:
        asked_of(check, case, shown)


def _head(matrix: Matrix, made: tuple[Column, ...]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "columns": [[one.prompt.to_json(), one.provider.to_json()] for one in made],
        "repeat": matrix.repeat,
    }


def _bytes(data: Any, place: str) -> bytes:
    try:
        return canonical_json(data)
    except (UnicodeEncodeError, TypeError, ValueError) as error:
        raise TaskError(f"{place} cannot be written as JSON: {error}.") from None
