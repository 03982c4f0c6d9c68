"""Lever `critique`: answer, list the deductions, check each, answer again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.parts.decoding import REASONING
from accordeur.parts.pattern import Critique
from accordeur.parts.pattern.critique import ASK_AGAIN, CRITIQUE
from accordeur.parts.pattern.limits import reply_limit


@dataclass(frozen=True, slots=True)
class CritiqueLever:
    """Self-correction, beside a placebo that only asks again.

    The report counts how many answers each turned from wrong to right and from right to wrong.

    Args:
        max_tokens: limit of each reply; default what the task's answers take and 128 more.
    """

    name: ClassVar[str] = "critique"
    title: ClassVar[str] = "self-correction"
    writes: ClassVar[frozenset[Slot]] = frozenset({"pattern"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError("`max_tokens` must be positive")

    @property
    def settings(self) -> Mapping[str, Any]:
        """As plain data."""
        return {"max_tokens": self.max_tokens}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """The critique; its placebo, a control, is counted with it."""
        calls = 1 + len(CRITIQUE) + len(ASK_AGAIN)  # they share the draft
        return (Forecast(calls=calls, new_tokens=calls * (self.max_tokens or REASONING)),)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with self-correction. The placebo is measured and cannot be chosen."""
        limit = self.max_tokens or reply_limit(context.task, train, context.model.count_tokens)
        made = candidate.with_part(Critique(limit))
        context.evaluate(made, Critique(limit).describe())
        placebo = Critique(limit, ASK_AGAIN)
        context.evaluate(candidate.with_part(placebo), placebo.describe(), control=True)
        return made
