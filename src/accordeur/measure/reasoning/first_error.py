"""Where a chain of reasoning first leaves the worked steps of its row.

A chain is compared line by line, case, spaces and punctuation folded. What a chain says in other
words counts as another step, so the view means something for candidates that were shown or trained
on steps of that form; for others it tells where equations are wrong and where nothing was worked.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accordeur.core.measurement import Measurement
from accordeur.core.task import Example

_EQUATION = re.compile(
    r"(?P<left>-?[0-9]+(?:\.[0-9]+)?)\s*(?P<sign>[-+*/x\u00d7\u00f7\u2212])\s*"
    r"(?P<right>-?[0-9]+(?:\.[0-9]+)?)\s*=\s*(?P<value>-?[0-9]+(?:\.[0-9]+)?)"
)
_ANSWER = re.compile(r"\s*answer\s*:", re.IGNORECASE)
_SIGNS = {"x": "*", "\u00d7": "*", "\u00f7": "/", "\u2212": "-"}


class Kind(StrEnum):
    """What the first error is."""

    CALCULATION = "calculation"
    STEP = "step"
    MISSING = "missing"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class FirstError:
    """The first error of a chain.

    Attributes:
        step: of the worked steps, from 1; one more than there are when only the answer is wrong.
        kind: an equation that does not hold, another step, no step where one was due, or a wrong
            answer behind right steps.
        line: the chain's line; empty where it is missing.
        expected: the worked step that was due.
    """

    step: int
    kind: Kind
    line: str
    expected: str


def first_error(chain: str, steps: Sequence[str], right: bool) -> FirstError | None:
    """The first error of a chain, or `None` when it follows the worked steps to a right answer.

    Args:
        chain: what the model wrote; lines from `Answer:` on are not part of it.
        steps: worked steps of the row.
        right: the answer is right.
    """
    lines = _lines(chain)
    for number, expected in enumerate(steps, start=1):
        if number > len(lines):
            return FirstError(number, Kind.MISSING, "", expected)
        line = lines[number - 1]
        if not holds(line):
            return FirstError(number, Kind.CALCULATION, line, expected)
        if _fold(line) != _fold(expected):
            return FirstError(number, Kind.STEP, line, expected)
    if right:
        return None
    return FirstError(len(steps) + 1, Kind.ANSWER, "", "")


def holds(line: str) -> bool:
    """Every equation of two numbers in a line is true; a line without any is."""
    for found in _EQUATION.finditer(line):
        left, right, value = (float(found[name]) for name in ("left", "right", "value"))
        sign = _SIGNS.get(found["sign"], found["sign"])
        if sign == "/" and right == 0:
            return False
        made = {"+": left + right, "-": left - right, "*": left * right}.get(sign)
        if made is None:
            made = left / right
        if not math.isclose(made, value, rel_tol=1e-6, abs_tol=1e-9):
            return False
    return True


def first_errors(one: Measurement, examples: Sequence[Example]) -> dict[str, Any] | None:
    """Counts over rows with worked steps and a chain, and one chain to read for every kind.

    `None` when no row has both.
    """
    kinds: Counter[str] = Counter()
    places: Counter[int] = Counter()
    shown: dict[str, dict[str, Any]] = {}
    n = sound = detours = 0
    for place in one.kept:
        row, example = one.rows[place], examples[place]
        chain = next((r.text for r in row.answer.trace if r.name == "reasoning"), None)
        if chain is None or not example.steps or row.score is None:
            continue
        n += 1
        right = row.score >= 0.5
        error = first_error(chain, example.steps, right)
        if error is None:
            sound += 1
        elif right:
            detours += 1
        else:
            kinds[error.kind] += 1
            places[error.step] += 1
            shown.setdefault(
                error.kind,
                {
                    "row": example.id,
                    "step": error.step,
                    "line": error.line,
                    "expected": error.expected,
                    "chain": chain,
                },
            )
    if not n:
        return None
    return {
        "n": n,
        "sound": sound,
        "detours": detours,
        "wrong": sum(kinds.values()),
        "kinds": {str(kind): kinds[kind] for kind in Kind if kinds[kind]},
        "places": {str(step): places[step] for step in sorted(places)},
        "shown": {str(kind): shown[kind] for kind in Kind if kind in shown},
    }


def _lines(chain: str) -> list[str]:
    found = []
    for line in chain.splitlines():
        if _ANSWER.match(line):
            break
        if line.strip():
            found.append(line.strip())
    return found


def _fold(line: str) -> str:
    return re.sub(r"[\s.]+", " ", line.casefold()).strip()
