"""Settings of the lever and its `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from accordeur.core.answer import Status
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError, PlanError
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.calibration.content_free import (
    CONTENT_FREE,
    content_free_bias,
    content_free_rows,
)
from accordeur.levers.calibration.fitted import ROWS, calibration_rows, fitted_bias
from accordeur.parts.calibration import Calibration, Method
from accordeur.parts.demonstrations import FixedDemonstrations

METHODS: tuple[Method, ...] = ("fitted", "content-free")


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Adds one bias per label to whatever candidate it is stacked on.

    Attributes:
        methods: which of `fitted` and `content-free` to score on dev, in this order and as many as
            the plan's effort allows; the better one stays.

    Raises:
        PlanError: an unknown method.
    """

    name: ClassVar[str] = "calibration"
    title: ClassVar[str] = "label calibration"
    writes: ClassVar[frozenset[Slot]] = frozenset({"calibration"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL, Need.LOGPROBS, Need.LABELS})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels"})

    methods: tuple[Method, ...] = METHODS

    def __post_init__(self) -> None:
        unknown = [name for name in self.methods if name not in METHODS]
        if unknown or not self.methods:
            raise PlanError(
                f"Lever `calibration` has no method `{', '.join(unknown) or '(none)'}`.",
                hint=f"methods: {', '.join(METHODS)}",
            )

    @property
    def settings(self) -> Mapping[str, Any]:
        """As plain data."""
        return {"methods": list(self.methods)}

    def _within(self, effort: int) -> tuple[Method, ...]:
        return tuple(dict.fromkeys(self.methods))[: max(1, effort)]

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One per method; the scores of dev are those of the candidate beneath."""
        rows = {"content-free": len(CONTENT_FREE), "fitted": min(ROWS, train_rows)}
        return tuple(
            Forecast(new_prompts=False, train_rows=rows[name]) for name in self._within(effort)
        )

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with the bias that scored best on dev; the first one on a tie.

        Raises:
            ValueError: the candidate does not score labels.
        """
        best: tuple[float, Candidate] | None = None
        for method in self._within(context.effort):
            if method == "content-free":
                bias = content_free_bias(
                    list(_scores(candidate, content_free_rows(train), context).values())
                )
            else:
                bias = self._fitted(candidate, train, context)
            names = tuple(label.name for label in context.task.labels)
            made = candidate.with_part(
                Calibration(method, names, tuple(float(value) for value in bias))
            )
            score = context.evaluate(made, method).rank
            if best is None or score > best[0]:
                best = (score, made)
        assert best is not None
        return best[1]

    def _fitted(
        self, candidate: Candidate, train: Sequence[Example], context: FitContext
    ) -> npt.NDArray[np.float64]:
        shown = candidate.parts.get("demonstrations")
        held = shown.shown if isinstance(shown, FixedDemonstrations) else ()
        # A row of a shown group would be asked without that demonstration: another prompt.
        groups = {one.group for one in held}
        free = [row for row in train if row.group not in groups]
        rows = calibration_rows(free, {one.row for one in held}, context.seed)
        if not rows:
            return np.zeros(len(context.task.labels))
        position = {label.name: i for i, label in enumerate(context.task.labels)}
        gold = np.array([position[row.label] for row in rows], dtype=np.intp)
        scores = _scores(candidate, rows, context)
        return fitted_bias(np.array(list(scores.values())), gold[list(scores)])


def _scores(
    candidate: Candidate, rows: Sequence[Example], context: FitContext
) -> dict[int, tuple[float, ...]]:
    """Scores by place of the row; a row that an endpoint lost has none.

    Raises:
        ModelError: all are lost.
        ValueError: the candidate does not score labels.
    """
    raw = candidate.without("calibration")
    scores, lost = {}, ""
    for place, answer in enumerate(context.answer(raw, rows)):
        if answer.status is Status.ERROR:
            lost = answer.error
        elif answer.scores is None:
            raise ValueError("calibration needs a candidate that scores labels")
        else:
            scores[place] = answer.scores
    if not scores:
        raise ModelError(f"No row to calibrate by was answered: {lost}")
    return scores
