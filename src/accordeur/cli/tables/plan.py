"""The plan, before anything is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.bench.observer import PlanView
from accordeur.cli.figures import about, plural, split_rows
from accordeur.cli.terminal import one_line, table

if TYPE_CHECKING:
    from rich.console import Console


def show_plan(console: Console, plan: PlanView) -> None:
    """Print it: the estimate first, then the entries."""
    rows = split_rows(plan.rows)
    counted = plural(len(plan.entries), "entry")
    console.print()
    console.print(f"Plan: {counted}, about {about(plan.seconds)} in all.")
    console.print(f"model {one_line(plan.model)} · rows: {rows} · effort {plan.effort}")
    console.print(f"run {one_line(plan.run)}")
    if plan.resumed:
        console.print("An earlier run of this plan was interrupted; what it computed is used.")
    made = table("entry", "~what it does", ">about")
    for entry in plan.entries:
        kind = f"{one_line(entry.title)} (floor)" if entry.floor else one_line(entry.title)
        made.add_row(one_line(entry.name, 32), kind, about(entry.seconds))
    for name, reason in plan.refused:
        made.add_row(one_line(name, 32), f"not possible: {one_line(reason)}", "-")
    console.print()
    console.print(made)
    console.print()
