"""A run on a terminal: a table that fills as entries finish, redrawn in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live as Redrawn
from rich.text import Text

from accordeur.bench.observer import EntryView, PlanView
from accordeur.cli.figures import about
from accordeur.cli.tables.entries import entries_table
from accordeur.cli.tables.plan import show_plan
from accordeur.cli.tables.preflight import show_preflight
from accordeur.cli.terminal import console, one_line
from accordeur.cli.watching.lines import running
from accordeur.cli.watching.progress import Progress

_PHASES = {
    "loading": "Loading the task and the model",
    "checks": "Checking the data",
    "levers": "Pulling the levers",
    "decision": "Deciding",
    "held-out": "Measuring on the held-out rows",
    "forgetting": "Measuring what trained entries forgot",
    "report": "Writing the report",
}


_AROUND = 6
"""Lines of the picture that are no entries."""


class Live:
    """An observer that redraws on stderr. `close` leaves the last picture standing.

    Args:
        progress: where what happened is kept.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.state = progress or Progress()
        self._console = console(stderr=True)
        self._started = False
        self._redrawn = Redrawn(
            get_renderable=self._picture,
            console=self._console,
            refresh_per_second=4,
            # Prints of libraries would tear the picture; they go above it instead.
            redirect_stdout=False,
            redirect_stderr=True,
            vertical_overflow="crop",
        )

    def phase(self, name: str) -> None:
        """A phase begins."""
        self.state.enter(name)
        if not self._started:
            self._started = True
            self._redrawn.start()

    def preflight(self, checks: Sequence[Mapping[str, Any]], first_prompt: str) -> None:
        """The table of checks and the first prompt."""
        show_preflight(self._console, checks, first_prompt)

    def planned(self, plan: PlanView) -> None:
        """The plan with its estimated time."""
        self.state.fix(plan)
        show_plan(self._console, plan)

    def progress(self, entry: str, configuration: str, finished: int, rows: int) -> None:
        """Rows are done; the next picture shows it."""
        self.state.advance(entry, configuration, finished, rows)

    def entry(self, view: EntryView) -> None:
        """An entry came to its end."""
        self.state.finish(view)

    def log(self, message: str) -> None:
        """One line above the table."""
        self._console.print(Text(one_line(message), style="dim"))

    def close(self) -> None:
        """Draw a last time and let go of the screen."""
        if self._started:
            self._started = False
            self._redrawn.stop()

    def _picture(self) -> RenderableType:
        status = self._status() if self._started else []
        if self.state.plan is None:
            return Group(*status)
        entries = entries_table(self.state, self._console.width)
        if entries.row_count + _AROUND > self._console.height:
            return Group(*status, entries)  # what is cut off then are the entries that wait
        return Group(entries, Text(""), *status)

    def _status(self) -> list[Text]:
        state = self.state
        words = [_PHASES.get(state.phase, one_line(state.phase))]
        if state.entry:
            words.append(running(state))
        times = [f"{about(state.elapsed)} so far"]
        if state.left:
            times.append(f"about {about(state.left)} left")
        return [
            Text(" · ".join(words), no_wrap=True, overflow="ellipsis"),
            Text(" · ".join(times), style="dim"),
        ]
