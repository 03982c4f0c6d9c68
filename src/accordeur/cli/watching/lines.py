"""A run as lines of a log: for pipes, files, continuous integration."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.bench.observer import EntryView, PlanView
from accordeur.cli.figures import about
from accordeur.cli.tables.plan import show_plan
from accordeur.cli.tables.preflight import show_preflight
from accordeur.cli.terminal import console, one_line
from accordeur.cli.watching.progress import Progress
from accordeur.report.numbers import interval, points, seconds

EVERY = 10.0
"""Seconds between two lines about the same configuration."""


class Lines:
    """An observer that writes one line for each thing that happens, to stderr.

    Args:
        progress: where what happened is kept.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.state = progress or Progress()
        self._last = self.state.clock()

    def phase(self, name: str) -> None:
        """A phase begins."""
        self.state.enter(name)
        self._write(one_line(name))

    def preflight(self, checks: Sequence[Mapping[str, Any]], first_prompt: str) -> None:
        """The table of checks and the first prompt."""
        show_preflight(console(stderr=True), checks, first_prompt)

    def planned(self, plan: PlanView) -> None:
        """The plan with its estimated time."""
        self.state.fix(plan)
        show_plan(console(stderr=True), plan)

    def progress(self, entry: str, configuration: str, finished: int, rows: int) -> None:
        """A line now and then."""
        self.state.advance(entry, configuration, finished, rows)
        now = self.state.clock()
        if now - self._last < EVERY or finished >= rows:
            return
        self._write(f"{running(self.state)}{self._left()}")

    def entry(self, view: EntryView) -> None:
        """An entry came to its end."""
        self.state.finish(view)
        self._write(f"{finished_line(view)}{self._left()}")

    def log(self, message: str) -> None:
        """One line."""
        self._write(one_line(message))

    def close(self) -> None:
        """Nothing is left on the screen that would have to be ended."""

    def _left(self) -> str:
        left = self.state.left
        return f" · about {about(left)} left" if left else ""

    def _write(self, line: str) -> None:
        self._last = self.state.clock()
        minutes, seconds = divmod(int(self.state.elapsed), 60)
        print(f"[{minutes:02}:{seconds:02}] {line}", file=sys.stderr, flush=True)


def running(state: Progress) -> str:
    """What is being computed, on one line."""
    if not state.entry:
        return one_line(state.phase)
    what = one_line(f"{state.entry}: {state.configuration}".rstrip(": "), 60)
    return f"{what}, {state.rows_done} of {state.rows}"


def finished_line(view: EntryView) -> str:
    """An entry that came to its end, on one line."""
    name = one_line(view.name)
    if view.status != "finished":
        reason = f": {one_line(view.reason)}" if view.reason else ""
        return f"{name} {view.status}{reason}"
    words = [f"{name}: {score_of(view)} on {view.n} dev rows"]
    if view.configuration:
        words.append(one_line(view.configuration))
    if view.cold_seconds is not None:
        words.append(f"{seconds(view.cold_seconds)} a query")
    words.append("from before" if view.reused else f"took {seconds(view.fit_seconds)}")
    return ", ".join(words)


def score_of(view: EntryView) -> str:
    """The dev score with its interval, as reports write it."""
    if view.low is None or view.high is None:
        return points(view.dev)
    return f"{points(view.dev)} {interval({'low': view.low, 'high': view.high})}"
