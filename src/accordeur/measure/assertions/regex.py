"""`regex`: the pattern occurs anywhere in the answer.

Python's patterns, with the limits of the metric `regex`: patterns that repeat a repeat are refused,
and the first 20,000 characters are searched. A pattern made from a case that cannot be used leaves
the answer unjudged.
"""

from __future__ import annotations

from accordeur.core.errors import TaskError
from accordeur.measure.assertions.assertion import (
    Asked,
    Finding,
    Kind,
    Said,
    decided,
    shown,
    unjudged,
)
from accordeur.measure.metrics.regex import compiled, matches


def check(said: Said, asked: Asked) -> Finding:
    """A search, not a match of the whole."""
    pattern = str(asked.value)
    try:
        found = bool(matches(said.text, pattern))
    except TaskError as error:
        return unjudged(error.message)
    return decided(found, f"`{shown(pattern)}` is not found")


def _valid(value: object) -> None:
    compiled(str(value))


REGEX = Kind("the pattern occurs in the answer", "text", check=check, valid=_valid)
