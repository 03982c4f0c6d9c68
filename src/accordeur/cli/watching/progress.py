"""What has happened in a run so far, and how long it will still take. Prints nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from accordeur.bench.observer import EntryView, PlannedEntry, PlanView

_TRUST = 5.0
"""Seconds of forecast that count as already confirmed, so one quick floor moves little."""


@dataclass(slots=True)
class Progress:
    """The state of a run.

    Attributes:
        clock: seconds, monotonic.
        plan: once it is fixed.
        phase: the present one.
        finished: entries that came to their end, in order.
        entry, configuration, rows_done, rows: what is being computed; empty between.
    """

    clock: Callable[[], float] = time.monotonic
    plan: PlanView | None = None
    phase: str = ""
    finished: dict[str, EntryView] = field(default_factory=dict)
    entry: str = ""
    configuration: str = ""
    rows_done: int = 0
    rows: int = 0
    _start: float = field(init=False)
    _since: float = field(init=False)
    _actual: float = 0.0
    _forecast: float = 0.0

    def __post_init__(self) -> None:
        self._start = self._since = self.clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.clock() - self._start

    def enter(self, phase: str) -> None:
        """A phase begins."""
        self.phase = phase
        self.entry, self.configuration = "", ""
        self._since = self.clock()

    def fix(self, plan: PlanView) -> None:
        """The plan is known."""
        self.plan = plan
        self._since = self.clock()

    def advance(self, entry: str, configuration: str, finished: int, rows: int) -> None:
        """Rows are done."""
        self.entry, self.configuration = entry, configuration
        self.rows_done, self.rows = finished, rows

    def finish(self, view: EntryView) -> None:
        """An entry came to its end."""
        planned = self._planned(view.name)
        if planned is not None and view.name not in self.finished and not view.reused:
            self._actual += self.clock() - self._since
            self._forecast += planned.seconds
        self.finished[view.name] = view
        self.entry, self.configuration = "", ""
        self._since = self.clock()

    @property
    def waiting(self) -> Sequence[PlannedEntry]:
        """Entries that have not come to their end, the running one first."""
        if self.plan is None:
            return ()
        return [entry for entry in self.plan.entries if entry.name not in self.finished]

    @property
    def spent(self) -> float:
        """Seconds since the running entry, or the phase, began."""
        return self.clock() - self._since

    @property
    def pace(self) -> float:
        """Seconds that really pass for one of the forecast."""
        return (self._actual + _TRUST) / (self._forecast + _TRUST)

    @property
    def left(self) -> float | None:
        """Seconds still to go; `None` before the plan is known."""
        if self.plan is None:
            return None
        after = max(0.0, self.plan.seconds - sum(entry.seconds for entry in self.plan.entries))
        waiting = self.waiting
        if not waiting:
            return max(0.0, self.pace * after - self.spent)
        running = max(0.0, self.pace * waiting[0].seconds - self.spent)
        return running + self.pace * (sum(entry.seconds for entry in waiting[1:]) + after)

    def _planned(self, name: str) -> PlannedEntry | None:
        entries = self.plan.entries if self.plan is not None else ()
        return next((entry for entry in entries if entry.name == name), None)
