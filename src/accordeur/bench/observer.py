"""What a run tells while it works: plain calls, so a terminal, a log or a test can listen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """One line of the plan.

    Attributes:
        name, title: of the entry.
        floor: a floor.
        seconds: forecast.
    """

    name: str
    title: str
    floor: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class PlanView:
    """The plan as shown before anything is spent.

    Attributes:
        run: the run's folder name; `folder` its path.
        entries: in order.
        refused: (name, reason) of what cannot be pulled.
        seconds: forecast of the whole run.
        rows: counts per split.
        model: its name and dtype, or "none".
        resumed: rows or entries of an earlier, interrupted run of this plan will be reused.
    """

    run: str
    folder: str
    entries: Sequence[PlannedEntry]
    refused: Sequence[tuple[str, str]]
    seconds: float
    rows: Mapping[str, int]
    model: str
    effort: int
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class EntryView:
    """A finished (or stopped, cut, failed) entry, for the live table.

    Attributes:
        status: finished, stopped, cut or failed.
        dev, low, high, n: score on dev with its interval; `None` without one.
        cold_seconds: of one query.
        configuration: the best one.
        reason: why it did not finish.
        reused: taken from an earlier run of this plan.
    """

    name: str
    title: str
    status: str
    dev: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    configuration: str = ""
    fit_seconds: float | None = None
    cold_seconds: float | None = None
    reason: str = ""
    reused: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


class Observer(Protocol):
    """Someone who watches a run."""

    def phase(self, name: str) -> None:
        """A phase begins: loading, checks, levers, decision, held-out, forgetting, report."""
        ...

    def preflight(self, checks: Sequence[Mapping[str, Any]], first_prompt: str) -> None:
        """Results of the checks, as `record.json` has them, before anything is spent."""
        ...

    def planned(self, plan: PlanView) -> None:
        """The plan is fixed."""
        ...

    def progress(self, entry: str, configuration: str, finished: int, rows: int) -> None:
        """Rows of one configuration are done (split is told by the phase)."""
        ...

    def entry(self, view: EntryView) -> None:
        """An entry came to its end."""
        ...

    def log(self, message: str) -> None:
        """One line."""
        ...


class Silent:
    """Nobody watches."""

    def phase(self, name: str) -> None:
        """Nothing."""

    def preflight(self, checks: Sequence[Mapping[str, Any]], first_prompt: str) -> None:
        """Nothing."""

    def planned(self, plan: PlanView) -> None:
        """Nothing."""

    def progress(self, entry: str, configuration: str, finished: int, rows: int) -> None:
        """Nothing."""

    def entry(self, view: EntryView) -> None:
        """Nothing."""

    def log(self, message: str) -> None:
        """Nothing."""
