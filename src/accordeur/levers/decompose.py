"""Lever `decompose`: smaller questions first, then the whole (least-to-most)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.parts.decoding import REASONING
from accordeur.parts.pattern import LeastToMost
from accordeur.parts.pattern.limits import reply_limit


@dataclass(frozen=True, slots=True)
class Decompose:
    """Least-to-most (Zhou et al. 2022).

    Args:
        questions: smaller questions at most.
        max_tokens: limit of each reply; default what the task's answers take and 128 more.
    """

    name: ClassVar[str] = "decompose"
    title: ClassVar[str] = "smaller questions first"
    writes: ClassVar[frozenset[Slot]] = frozenset({"pattern"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    questions: int = 3
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.questions < 1 or (self.max_tokens is not None and self.max_tokens < 1):
            raise ValueError("`questions` and `max_tokens` must be positive")

    @property
    def settings(self) -> Mapping[str, Any]:
        """As plain data."""
        return {"questions": self.questions, "max_tokens": self.max_tokens}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration of many calls."""
        calls = 2 + self.questions
        return (Forecast(calls=calls, new_tokens=calls * (self.max_tokens or REASONING)),)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate that splits a question before it answers."""
        limit = self.max_tokens or reply_limit(context.task, train, context.model.count_tokens)
        made = candidate.with_part(LeastToMost(limit, self.questions))
        context.evaluate(made, f"at most {self.questions} questions")
        return made
