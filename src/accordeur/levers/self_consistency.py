"""Lever `self-consistency`: several sampled answers, the most frequent of them given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.parts.decoding import Decoding, answer_limit


@dataclass(frozen=True, slots=True)
class SelfConsistency:
    """A vote over samples (Wang et al. 2022).

    Args:
        samples: answers per request.
        temperature: of sampling.
        top_p: nucleus of sampling.
    """

    name: ClassVar[str] = "self-consistency"
    title: ClassVar[str] = "vote over samples"
    writes: ClassVar[frozenset[Slot]] = frozenset({"decoding"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    samples: int = 5
    temperature: float = 0.7
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if self.samples < 2 or not self.temperature > 0 or not 0 < self.top_p <= 1:
            raise PlanError(
                "Lever `self-consistency` needs two samples at least, a temperature above 0 and "
                "`top_p` above 0 and at most 1.",
                hint="--set self-consistency.samples=5 --set self-consistency.temperature=0.7",
            )

    @property
    def settings(self) -> Mapping[str, Any]:
        """As plain data."""
        return {"samples": self.samples, "temperature": self.temperature, "top_p": self.top_p}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration of so many answers a row."""
        return (Forecast(samples=self.samples),)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate, voting."""
        before = candidate.part(Decoding) or Decoding("generate")
        limit = before.max_tokens
        if before.mode == "score":
            # Labels that were scored until now are written, sampled and read.
            labels = [label.text for label in context.task.labels]
            limit = answer_limit(labels, context.model.count_tokens)
        votes = replace(
            before,
            mode="generate",
            max_tokens=limit,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=context.seed % 2**31,
            samples=self.samples,
            choose="" if before.choose == "top" else before.choose,  # the top is always the same
        )
        made = candidate.with_part(votes)
        context.evaluate(made, f"{self.samples} samples")
        return made
