"""How far an evaluation is: a line on stderr every few seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from accordeur.cli.failures import note
from accordeur.cli.figures import about, plural

if TYPE_CHECKING:
    from accordeur.bench.matrix.plan import Plan

EVERY = 5.0
"""Seconds between two lines."""


class Cells:
    """Counts what is done and says so now and then."""

    def __init__(self) -> None:
        self.total = self.done = self.errors = 0
        self._before: int | None = None
        self._start = self._last = time.monotonic()

    def planned(self, plan: Plan) -> None:
        """Say what there is to do."""
        self.total = plan.cells
        columns = plural(len(plan.columns), "column")
        repeats = f", each asked {plan.repeat} times" if plan.repeat > 1 else ""
        note(f"{plural(plan.cases, 'case')} under {columns}{repeats}: {plan.cells:,} answers")
        if plan.unchecked:
            note(f"{plural(plan.unchecked, 'case')} without an assertion: any answer passes")

    def tell(self, done: int, errors: int) -> None:
        """So many are done, so many of them with an error."""
        now = time.monotonic()
        if self._before is None:
            self._before, self._start = done, now
            if done:
                note(f"{done:,} were done before")
        self.done, self.errors = done, errors
        if now - self._last < EVERY or done >= self.total:
            return
        self._last = now
        fresh = done - self._before
        pace = (now - self._start) / fresh if fresh else 0.0
        left = f", about {about(pace * (self.total - done))} left" if fresh else ""
        lost = f", {plural(errors, 'error')}" if errors else ""
        note(f"{done:,} of {self.total:,} answers{lost}{left}")

    def stopped(self) -> str:
        """What to say when it ends early."""
        return f"Stopped. {self.done:,} of {self.total:,} answers are done and kept."
