"""Lever `reason`: the model thinks step by step before it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError
from accordeur.core.fingerprint import seed_for
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.parts.decoding import REASONING
from accordeur.parts.demonstrations import Demonstration, FixedDemonstrations
from accordeur.parts.demonstrations.draw import stratified_draw
from accordeur.parts.pattern import Reason
from accordeur.parts.pattern.limits import reply_limit
from accordeur.parts.pattern.reason import WORDS


@dataclass(frozen=True, slots=True)
class ReasonLever:
    """Step by step with extraction (DESIGN P5).

    Args:
        k: numbers of worked examples to show, each drawn once; only where rows carry `steps`.
        words: stand behind the instruction.
    """

    name: ClassVar[str] = "reason"
    title: ClassVar[str] = "step by step"
    writes: ClassVar[frozenset[Slot]] = frozenset({"pattern", "demonstrations"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})
    single_call: ClassVar[bool] = True  # so weights can be trained on top, on worked steps

    k: tuple[int, ...] = (4, 8)
    words: str = WORDS

    def __post_init__(self) -> None:
        if any(k < 1 for k in self.k):
            raise PlanError(
                "Setting `k` of lever `reason` must be positive numbers.", hint="--set reason.k=4,8"
            )

    @property
    def settings(self) -> Mapping[str, Any]:
        """As plain data."""
        return {"k": list(self.k), "words": self.words}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """The words alone, and every number of worked examples there is room for.

        Whether rows carry steps is not known here, so the forecast may be too long.
        """
        tried = 1 + len(self.k)
        return tuple(Forecast(new_tokens=REASONING) for _ in range(max(1, min(tried, effort))))

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The best on dev of: as many worked examples as in `k`, or words alone."""
        worked = [row for row in train if row.steps and row.expected]
        scored = []
        for k in self._tried(len(worked))[: max(1, context.effort)]:
            name = "asked in words"
            made = candidate.with_part(self._pattern(train, context))
            if k:
                rng = np.random.default_rng(seed_for(context.seed, "draw", str(k)))
                rows = stratified_draw(worked, k, context.task.kind, rng)
                name = f"{len(rows)} worked examples"
                shown = tuple(Demonstration.from_example(row) for row in rows)
                made = made.with_part(FixedDemonstrations(shown))
            scored.append((context.evaluate(made, name).rank, made))
        return max(scored, key=lambda pair: pair[0])[1]

    def _tried(self, worked: int) -> list[int]:
        """Numbers of worked examples, 0 for words alone; one can be tried where one must do."""
        sizes = list(dict.fromkeys(min(k, worked) for k in self.k)) if worked else []
        return [*sizes[:1], 0, *sizes[1:]]

    def _pattern(self, train: Sequence[Example], context: FitContext) -> Reason:
        return Reason(reply_limit(context.task, train, context.model.count_tokens), self.words)
