"""How many rows there are, and what that allows."""

from __future__ import annotations

from accordeur.core.task import Task
from accordeur.tasks.checks.check import Check, Level

FEWEST = 20
"""Under this many labelled rows only floors and as-is are measured (DESIGN P1)."""


def check_counts(task: Task) -> Check:
    """Warn where there are too few rows for levers, or nothing is held out."""
    held_out = task.held_out.count if task.held_out is not None else 0
    total = len(task.train) + len(task.dev) + held_out
    parts = [f"train {len(task.train)}", f"dev {len(task.dev)}", f"held-out {held_out}"]
    if task.unlabelled:
        parts.append(f"unlabelled {len(task.unlabelled)}")
    message = f"{', '.join(parts)} ({task.splits})."
    level: Level = "ok"
    if total < FEWEST:
        level = "warn"
        message += (
            f" Under {FEWEST} rows only floors and the prompt as given are measured: "
            f"label {FEWEST - total} more."
        )
    elif not held_out:
        level = "warn"
        message += " Nothing is held out, so the verdict stays unconfirmed."
    return Check("counts", level, message)
