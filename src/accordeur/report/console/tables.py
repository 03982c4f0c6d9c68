"""The checks before a run, and the list of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from accordeur.report.console.words import cell, lines, prose, table
from accordeur.store import RunInfo

_SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "error": ("×", "red")}
_MOST_IDS = 5


def preflight_table(checks: Sequence[Mapping[str, Any]]) -> Table:
    """The checks, as `record.json` has them."""
    made = table()
    made.add_column("Check", no_wrap=True)
    made.add_column("Level", no_wrap=True)
    made.add_column("Found", overflow="fold")
    for check in checks:
        sign, style = _SIGNS.get(check["level"], ("", ""))
        level = cell(f"{sign} {check['level']}", style)
        made.add_row(cell(check["name"]), level, lines(prose(str(check["message"])), _ids(check)))
    return made


def runs_table(rows: Sequence[RunInfo]) -> Table:
    """Runs, in the order given."""
    made = table()
    made.add_column("Run", overflow="fold")
    made.add_column("Task", overflow="fold")
    made.add_column("Phase", overflow="fold")
    made.add_column("Pick", overflow="fold")
    made.add_column("Updated", no_wrap=True)
    for run in rows:
        phase = cell(run.phase or "not begun")
        if run.live:
            phase = lines(phase, Text("running now", style="green"))
        pick = run.state.get("pick")
        made.add_row(
            cell(run.name, "bold"),
            cell(run.task),
            phase,
            cell(pick) if pick else Text("–", style="dim"),
            cell(run.updated.replace("T", " ").replace("+00:00", "").removesuffix("Z")[:16]),
        )
    return made


def _ids(check: Mapping[str, Any]) -> Text | None:
    ids = [str(one) for one in check.get("ids") or ()]
    if not ids:
        return None
    more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
    return cell(", ".join(ids[:_MOST_IDS]) + more, "dim")
