"""The lever `courtesy`: asks kindly, in as many ways as there is effort for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.parts.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Courtesy:
    """Puts kind words before the instruction.

    Attributes:
        words: to try, in this order.
    """

    name: ClassVar[str] = "courtesy"
    title: ClassVar[str] = "kind words"
    writes: ClassVar[frozenset[Slot]] = frozenset({"prompt"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    words: tuple[str, ...] = ("Please answer with care.", "Kindly think of the customer.")

    @property
    def settings(self) -> Mapping[str, Any]:
        """As plain data."""
        return {"words": list(self.words)}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration per wording."""
        return tuple(Forecast() for _ in self.words[: max(1, effort)])

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The wording that scores best on dev; the first one on a tie."""
        prompt = candidate.part(Prompt) or Prompt(context.task.instruction)
        scored = []
        for words in self.words[: max(1, context.effort)]:
            made = candidate.with_part(replace(prompt, instruction=f"{words} {prompt.instruction}"))
            scored.append((context.evaluate(made, words).rank, made))
        return max(scored, key=lambda pair: pair[0])[1]
