"""Where a chain of reasoning first leaves the worked steps of its row.

A chain is compared line by line, case, spaces and full stops folded. What a chain says in other
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
from itertools import pairwise
from typing import Any

from accordeur.core.measurement import Measurement
from accordeur.core.task import Example

_SUMS = re.compile(
    r"(?:(?<![0-9A-Za-z)\s])-|(?<=\s)-(?=[0-9(]))?"
    r"[0-9(][0-9.,'+\-*/x\u00d7\u00f7\u2212() =]*=[0-9.,'+\-*/x\u00d7\u00f7\u2212() =]*[0-9)]"
)
"""A run of numbers and operators with an equals sign in it."""
_TOKEN = re.compile(r"\s*(?:([0-9]+(?:[,'][0-9]{3})*(?:\.[0-9]+)?|\.[0-9]+)|([-+*/()]))")
_ANSWER = re.compile(r"\s*answer\s*:", re.IGNORECASE)
_SIGNS = str.maketrans({"x": "*", "\u00d7": "*", "\u00f7": "/", "\u2212": "-"})
_CURRENCY = re.compile(r"[$\u20ac\u00a3\u00a5]")


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
    steps = [line.strip() for step in steps for line in step.splitlines() if line.strip()]
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
    """Every equation in a line is true; a line without any is, and what cannot be read is let pass.

    Sides are sums in the usual order of operations. A side that is a number alone counts as rounded
    to the places it is written with: `20 / 3 = 6.67` holds.
    """
    for found in _SUMS.finditer(_CURRENCY.sub("", line)):
        sides = [_value(side) for side in found[0].translate(_SIGNS).split("=")]
        for left, right in pairwise(sides):
            if left is None or right is None:
                continue
            slack = max(left.slack, right.slack) + 1e-9 * max(1.0, abs(left.value))
            if not math.isfinite(left.value) or abs(left.value - right.value) > slack:
                return False
    return True


@dataclass(frozen=True, slots=True)
class _Side:
    """A side of an equation: what it comes to, and by how much it may be rounded."""

    value: float
    slack: float


def _value(text: str) -> _Side | None:
    """A side of an equation; `None` when it is no sum."""
    tokens, place = [], 0
    text = text.strip().rstrip(".,")
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            return None
        tokens.append(found[1] or found[2])
        place = found.end()
    try:
        value, rest = _sum(tokens)
    except (IndexError, ValueError):
        return None
    if rest:
        return None
    places = len(tokens[0].partition(".")[2]) if len(tokens) == 1 else None
    return _Side(value, 0.0 if not places else 0.5 * 10.0**-places)


def _sum(tokens: list[str]) -> tuple[float, list[str]]:
    value, rest = _product(tokens)
    while rest and rest[0] in "+-":
        more, after = _product(rest[1:])
        value, rest = (value + more if rest[0] == "+" else value - more), after
    return value, rest


def _product(tokens: list[str]) -> tuple[float, list[str]]:
    value, rest = _atom(tokens)
    while rest and rest[0] in "*/":
        more, after = _atom(rest[1:])
        if rest[0] == "/":
            value = value / more if more else math.inf
        else:
            value *= more
        rest = after
    return value, rest


def _atom(tokens: list[str]) -> tuple[float, list[str]]:
    first = tokens[0]
    if first == "-":
        value, rest = _atom(tokens[1:])
        return -value, rest
    if first == "(":
        value, rest = _sum(tokens[1:])
        if rest[0] != ")":
            raise ValueError("an open bracket")
        return value, rest[1:]
    return float(first.replace(",", "").replace("'", "")), tokens[1:]


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
