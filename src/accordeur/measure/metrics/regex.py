"""Regular expressions: the accepted answers are patterns, one of which must occur in the text.

Patterns come from data, and Python's matcher can take exponential time. Refused before matching:
patterns over 1,000 characters, and an unbounded repeat inside an unbounded repeat such as `(a+)+`
(make the inner one possessive, `(a++)+`, or bound it). Only the first 20,000 characters of a text
are searched. This stops accidents, not an enemy: overlapping alternatives such as `(a|a)*` pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from accordeur.core.answer import Answer
from accordeur.core.errors import TaskError
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import best_reference

LONGEST_PATTERN = 1_000
LONGEST_TEXT = 20_000

_TOKEN = re.compile(
    r"""
      (?P<escape>\\.)
    | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<open>\()
    | (?P<close>\))
    | (?P<repeat>[*+]|\{\d*,\}) (?P<possessive>\+)?
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def repeats_a_repeat(pattern: str) -> bool:
    """Whether an unbounded repeat stands inside another, neither of them possessive.

    Reads the pattern from left to right with one flag per open group: does it hold such a repeat?
    """
    holds = [False]
    closed = False  # the flag of the group that ended just before this token
    for token in _TOKEN.finditer(pattern):
        if token["open"]:
            holds.append(False)
            closed = False
        elif token["close"]:
            closed = holds.pop() if len(holds) > 1 else False
            holds[-1] |= closed
        else:
            if token["repeat"] and not token["possessive"]:
                if closed:
                    return True
                holds[-1] = True
            closed = False
    return False


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled once.

    Raises:
        TaskError: it is too long, repeats a repeat, or is not a regular expression.
    """
    shown = pattern if len(pattern) <= 60 else pattern[:60] + "…"
    if len(pattern) > LONGEST_PATTERN:
        raise TaskError(
            f"The expected pattern `{shown}` has {len(pattern):,} characters;"
            f" at most {LONGEST_PATTERN:,} are matched.",
            hint="split it into several accepted answers",
        )
    if repeats_a_repeat(pattern):
        raise TaskError(
            f"The expected pattern `{shown}` repeats a repeat, which can take forever to match.",
            hint="make the inner repeat possessive, `(a++)+`, or bound it, `(a{1,9})+`",
        )
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise TaskError(
            f"The expected pattern `{shown}` is not a regular expression: {error}.",
            hint="write the pattern as for Python's `re.search`, or use the metric `contains`",
        ) from error


def matches(text: str, pattern: str) -> float:
    """1.0 when the pattern occurs anywhere in the text, else 0.0. Raises as `compiled`."""
    return float(compiled(pattern).search(text[:LONGEST_TEXT]) is not None)


class Regex:
    """1 when any expected pattern is found; flags go inside the pattern: `(?i)paris`."""

    name = "regex"
    title = "regex"
    unit_interval = True
    rate = True
    kinds: frozenset[TaskKind] = frozenset({"text"})

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """1.0 or 0.0.

        Raises:
            TaskError: a pattern is refused.
        """
        return best_reference(answer, example, matches, graded=False)

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None
