"""Settings of the lever and its `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError, TaskError
from accordeur.core.fingerprint import seed_for
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.few_shot.nearest import nearest_part
from accordeur.levers.few_shot.search import neighbour
from accordeur.parts.demonstrations import Demonstration, FixedDemonstrations
from accordeur.parts.demonstrations.draw import stratified_draw

Choose = Literal["draw", "nearest", "search"]
WAYS: tuple[Choose, ...] = get_args(Choose)


@dataclass(frozen=True, slots=True)
class FewShot:
    """Adds demonstrations.

    Attributes:
        k: numbers of demonstrations to try, each drawn once and shown as a curve.
        choose: `draw` (seeded, stratified), `nearest` (to the query), `search` (subsets and orders
            around the best draw, as many as the plan's effort leaves).
        nearest_k: numbers of nearest demonstrations to try.

    Raises:
        PlanError: a setting is out of range.
    """

    name: ClassVar[str] = "few-shot"
    title: ClassVar[str] = "demonstrations"
    writes: ClassVar[frozenset[Slot]] = frozenset({"demonstrations"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    k: tuple[int, ...] = (4, 8, 16)
    choose: tuple[Choose, ...] = WAYS
    nearest_k: tuple[int, ...] = (1, 4)

    def __post_init__(self) -> None:
        if not self.k or any(k < 1 for k in (*self.k, *self.nearest_k)):
            raise PlanError(
                "Setting `k` of lever `few-shot` must be positive numbers.",
                hint="--set few-shot.k=4,8,16",
            )
        if set(self.choose) == {"nearest"} and not self.nearest_k:
            raise PlanError(
                "Setting `nearest_k` of lever `few-shot` is empty: nothing would be tried.",
                hint="--set few-shot.nearest_k=4",
            )
        unknown = [way for way in self.choose if way not in WAYS]
        if unknown or not self.choose:
            raise PlanError(
                f"Lever `few-shot` cannot choose by `{', '.join(unknown) or '(nothing)'}`.",
                hint=f"--set few-shot.choose={','.join(WAYS)}",
            )

    @property
    def settings(self) -> Mapping[str, Any]:
        """As plain data."""
        return {
            "k": list(self.k),
            "choose": list(self.choose),
            "nearest_k": list(self.nearest_k),
        }

    def _steps(self, available: int) -> list[tuple[Literal["draw", "nearest"], int]]:
        """Draws and nearest sets by turns, so that a small effort tries one of each.

        The draws go from the middle size outwards, sizes cut to what so many rows can fill.
        """
        wanted = {"draw", "search"} & set(self.choose)
        sizes = sorted({min(k, max(1, available - 1)) for k in self.k}) if wanted else []
        near = list(dict.fromkeys(self.nearest_k)) if "nearest" in self.choose else []
        pairs = zip_longest(_middle_out(sizes), near)
        steps: list[tuple[Literal["draw", "nearest"], int]] = []
        for draw, nearest in pairs:
            if draw is not None:
                steps.append(("draw", draw))
            if nearest is not None:
                steps.append(("nearest", nearest))
        return steps

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """Draws and nearest sets, then search steps, as many as `effort` has room for."""
        planned = [
            Forecast(shown_per_row=min(k, train_rows) if way == "nearest" else 0)
            for way, k in self._steps(train_rows)
        ]
        if "search" in self.choose:
            planned += [Forecast() for _ in range(effort - len(planned))]
        return tuple(planned[: max(1, effort)])

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with the demonstrations that scored best on dev; the first on a tie.

        The order is fixed: draws and nearest sets by turns, then search steps around the best draw
        so far, until the plan's effort is used up.

        Raises:
            TaskError: no train row has an answer to show.
        """
        groups = len({row.group for row in train if row.expected})
        if not groups:
            raise TaskError(
                f"No train row of `{context.task.name}` has an answer to show.",
                hint="add labelled rows to `data.train` in task.yaml",
            )
        left = len(self.forecast(context.task, len(train), context.effort))
        scored: list[tuple[float, Candidate]] = []
        best_draw: tuple[float, list[Example]] | None = None
        for way, k in self._steps(groups)[:left]:
            if way == "nearest":
                made = candidate.with_part(nearest_part(train, k, context.embedder))
                scored.append((context.evaluate(made, f"k={k} nearest").rank, made))
                continue
            rng = np.random.default_rng(seed_for(context.seed, "draw", str(k)))
            rows = stratified_draw(train, k, context.task.kind, rng)
            made, score = _try_rows(candidate, rows, context, f"k={len(rows)} drawn")
            scored.append((score, made))
            if best_draw is None or score > best_draw[0]:
                best_draw = (score, rows)
        if "search" in self.choose and best_draw is not None:
            rng = np.random.default_rng(seed_for(context.seed, "search"))
            for step in range(1, left - len(scored) + 1):
                rows = neighbour(best_draw[1], train, context.task.kind, rng)
                name = f"k={len(rows)} search {step}"
                made, score = _try_rows(candidate, rows, context, name)
                scored.append((score, made))
                if score > best_draw[0]:
                    best_draw = (score, rows)
        return max(scored, key=lambda pair: pair[0])[1]


def _middle_out(sizes: Sequence[int]) -> list[int]:
    """Sizes by distance from the middle one, so that a small effort tries a moderate size."""
    middle = len(sizes) // 2
    return [sizes[i] for i in sorted(range(len(sizes)), key=lambda i: (abs(i - middle), i))]


def _try_rows(
    candidate: Candidate, rows: Sequence[Example], context: FitContext, name: str
) -> tuple[Candidate, float]:
    part = FixedDemonstrations(tuple(Demonstration.from_example(row) for row in rows))
    made = candidate.with_part(part)
    return made, context.evaluate(made, name).rank
