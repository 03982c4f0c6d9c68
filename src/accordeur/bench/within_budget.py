"""What is pulled within a wall-time budget: the effort, and what `all` leaves out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from accordeur.bench.forecast import (
    DEFAULT_EFFORT,
    SAFETY,
    RowTokens,
    Speed,
    choose_effort,
    plan_seconds,
)
from accordeur.bench.stacks import LEFT_OUT_FIRST, LEFT_OUT_LAST, Refusal, Stack
from accordeur.core.errors import PlanError
from accordeur.core.task import Task

LEAST_EFFORT = 2
"""Under it trained levers take too few steps; `all` rather leaves some out."""


class Forecaster(Protocol):
    """Says how long stacks take, and with what effort they fit."""

    def effort(self, stacks: Sequence[Stack]) -> int:
        """The largest effort that fits; `PlanError` where none does."""
        ...

    def seconds(self, stacks: Sequence[Stack], effort: int) -> dict[str, float]:
        """Of every stack."""
        ...

    def enough(self, stacks: Sequence[Stack], effort: int) -> str:
        """A budget within which this effort fits, as the command line reads it."""
        ...


@dataclass(frozen=True, slots=True)
class ByTokens:
    """A plan with a language model: tokens over the machine's speed.

    Attributes:
        overhead: seconds that are certain: reckoned, not those really gone, since the same command
            must give the same plan.
        budget: seconds, or `None` for no limit.
        fixed: effort the user asked for.
    """

    task: Task
    tokens: RowTokens
    speed: Speed
    overhead: float
    budget: float | None
    fixed: int | None
    screening: bool

    def effort(self, stacks: Sequence[Stack]) -> int:
        """See `Forecaster`."""
        return self.fixed or choose_effort(
            stacks,
            self.task,
            self.tokens,
            self.speed,
            self.budget,
            overhead=self.overhead,
            screening=self.screening,
        )

    def seconds(self, stacks: Sequence[Stack], effort: int) -> dict[str, float]:
        """See `Forecaster`."""
        return plan_seconds(
            stacks, self.task, self.tokens, self.speed, effort, screening=self.screening
        )

    def enough(self, stacks: Sequence[Stack], effort: int) -> str:
        """See `Forecaster`."""
        seconds = self.overhead + sum(self.seconds(stacks, effort).values())
        return f"--budget {math.ceil(seconds / SAFETY / 60)}m"


@dataclass(frozen=True, slots=True)
class WithoutModel:
    """A plan of floors alone: seconds, whatever the effort."""

    fixed: int | None

    def effort(self, stacks: Sequence[Stack]) -> int:
        """See `Forecaster`."""
        return self.fixed or DEFAULT_EFFORT

    def seconds(self, stacks: Sequence[Stack], effort: int) -> dict[str, float]:
        """See `Forecaster`."""
        return {stack.name: 1.0 for stack in stacks}

    def enough(self, stacks: Sequence[Stack], effort: int) -> str:
        """See `Forecaster`."""
        return "--budget 1m"


def within_budget(
    floors: Sequence[Stack],
    possible: Sequence[Stack],
    forecaster: Forecaster,
    *,
    everything: bool,
    fixed: int | None,
) -> tuple[int, list[Stack], list[Refusal]]:
    """The effort, what is pulled, and what is left out because time does not suffice.

    Levers go in the order of `LEFT_OUT_FIRST` until the rest gets `LEAST_EFFORT`, then in that of
    `LEFT_OUT_LAST` until the rest fits at all; then those that fit after all come back.

    Args:
        everything: `all` was asked for; what is asked for by name is never left out.
        fixed: effort the user asked for.

    Raises:
        PlanError: the budget is too small for what was asked for by name, or for anything.
    """
    left, gone = list(possible), dict[str, str]()
    asked = {one.name for one in left} if everything else set()
    first = [name for name in LEFT_OUT_FIRST if name in asked]
    last = [name for name in LEFT_OUT_LAST if name in asked]
    while True:
        try:
            effort = forecaster.effort([*floors, *left])
            if effort >= LEAST_EFFORT or fixed is not None or not first:
                break
        except PlanError:
            if not (first or last):
                raise
        name = (first or last).pop(0)
        # With this much, leaving out would have ended here, and not earlier.
        gone[name] = forecaster.enough([*floors, *left], fixed or LEAST_EFFORT)
        left = [one for one in left if one.name != name]
    for name in reversed(list(gone)):
        # A cheap one may fit where a dear one went after it.
        more = [one for one in possible if one in left or one.name == name]
        if _keeps(forecaster, [*floors, *more], effort):
            left = more
            del gone[name]
    refused = [
        Refusal(name, f"it does not fit the budget; {enough} would do")
        for name, enough in gone.items()
    ]
    return effort, left, refused


def _keeps(forecaster: Forecaster, stacks: Sequence[Stack], effort: int) -> bool:
    try:
        return forecaster.effort(stacks) >= effort
    except PlanError:
        return False
