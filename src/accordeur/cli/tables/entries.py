"""The entries of a plan as they finish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.bench.observer import EntryView
from accordeur.cli.figures import about
from accordeur.cli.terminal import one_line, table
from accordeur.cli.watching.lines import score_of
from accordeur.cli.watching.progress import Progress
from accordeur.report.numbers import seconds

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

WIDE = 100
"""Columns from which the interval and the time of one query have room."""

_STYLES = {"stopped": "yellow", "cut": "yellow", "failed": "red", "refused": "yellow"}


def entries_table(state: Progress, width: int) -> Table:
    """What is done with its dev score, what runs, what waits.

    Args:
        state: of the run.
        width: columns of the terminal.
    """
    wide = width >= WIDE
    made = table("entry", "dev, 95 %", ">took", *([">a query"] if wide else []), "~")
    if state.plan is None:
        return made
    waiting = [entry.name for entry in state.waiting]
    now = state.entry or (waiting[0] if waiting and state.phase == "levers" else "")
    for planned in state.plan.entries:
        name = one_line(planned.name, 32 if wide else 24)
        view = state.finished.get(planned.name)
        if view is not None:
            cells, query, note = _done(view)
        elif planned.name == now:
            cells, query, note = ["…", ""], "", _running(state)
        else:
            cells, query = ["", ""], ""
            note = f"waits, about {about(state.pace * planned.seconds)}"
        made.add_row(name, *cells, *([query] if wide else []), _styled(note, view))
    return made


def _done(view: EntryView) -> tuple[list[str], str, str]:
    took = "before" if view.reused else seconds(view.fit_seconds)
    query = seconds(view.cold_seconds)
    note = one_line(view.configuration)
    if view.status != "finished":
        note = f"{view.status}: {one_line(view.reason)}" if view.reason else view.status
    return [score_of(view), took], query, note


def _running(state: Progress) -> str:
    if not state.entry:
        return f"working for {about(state.spent)}"
    return f"{one_line(state.configuration)} {state.rows_done}/{state.rows} rows".strip()


def _styled(note: str, view: EntryView | None) -> Text:
    from rich.text import Text

    if view is None:
        return Text(note, style="dim")
    return Text(note, style=_STYLES.get(view.status, ""))
