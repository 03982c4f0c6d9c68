"""How train and dev are spread over the labels."""

from __future__ import annotations

from collections import Counter

from accordeur.core.task import Task
from accordeur.tasks.answers import names_alike
from accordeur.tasks.checks.check import Check

MOST_UNEVEN = 20
"""Rows of the commonest label per row of the rarest, above which accuracy hides the rare one."""


def check_label_balance(task: Task) -> Check | None:
    """Warn about labels with fewer than two train rows, none in dev, or far too few; `None` for
    text tasks.
    """
    if task.kind != "labels":
        return None
    train = Counter(row.label for row in task.train)
    dev = Counter(row.label for row in task.dev)
    names = [label.name for label in task.labels]
    common = max(names, key=lambda name: train[name])
    rare = min(names, key=lambda name: train[name])
    message = (
        f"{len(names)} labels; train rows from {train[rare]} (`{rare}`) to {train[common]} "
        f"(`{common}`, {train[common] / len(task.train):.0%})."
    )
    warnings = []
    if few := [name for name in names if train[name] < 2]:
        warnings.append(f"Fewer than two train rows: {_listed(few)}.")
    if unseen := [name for name in names if not dev[name]]:
        warnings.append(f"No dev row: {_listed(unseen)}.")
    if train[rare] and train[common] > MOST_UNEVEN * train[rare]:
        warnings.append("Uneven: `metric: macro-f1` counts every label the same.")
    if alike := names_alike(names):
        first, second = alike[0]
        warnings.append(f"`{first}` and `{second}` differ only in case or punctuation.")
    return Check("label balance", "warn" if warnings else "ok", " ".join([message, *warnings]))


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
