"""Checks of a task's data that need no model, one file each.

`run_checks` runs all but near leakage, which needs embeddings: `bench` calls `near_leakage` with
an embedder.
"""

from __future__ import annotations

from accordeur.core.errors import LeakageError
from accordeur.core.task import Task
from accordeur.tasks.checks.check import Check
from accordeur.tasks.checks.conflicts import check_conflicts
from accordeur.tasks.checks.counts import check_counts
from accordeur.tasks.checks.duplicates import check_duplicates
from accordeur.tasks.checks.empty_inputs import check_empty_inputs
from accordeur.tasks.checks.exact_leakage import check_exact_leakage, check_unlabelled_overlap
from accordeur.tasks.checks.facts import facts_by_split, facts_of
from accordeur.tasks.checks.group_separation import check_group_separation
from accordeur.tasks.checks.label_balance import check_label_balance

__all__ = ["Check", "raise_errors", "run_checks"]


def run_checks(task: Task) -> list[Check]:
    """Everything that can be said of the data without a model, in the order of the table."""
    facts = facts_by_split(task)
    found = [
        check_counts(task),
        *(Check("reading", "warn", warning) for warning in task.warnings),
        check_label_balance(task),
        check_empty_inputs(facts),
        check_duplicates(facts),
        check_conflicts(task),
        check_group_separation(facts),
        check_exact_leakage(facts, task.allow_leakage),
        check_unlabelled_overlap(facts, facts_of(task.unlabelled)),
    ]
    return [check for check in found if check is not None]


def raise_errors(checks: list[Check]) -> None:
    """Stop at the first check that is an error.

    Raises:
        LeakageError: there is one; the message holds the first ids.
    """
    for check in checks:
        if check.level == "error":
            ids = ", ".join(f"`{name}`" for name in check.ids[:5])
            more = f" and {len(check.ids) - 5} more" if len(check.ids) > 5 else ""
            raise LeakageError(
                f"{check.name}: {check.message}" + (f" Rows: {ids}{more}." if ids else ""),
                hint=f"to run all the same, add to task.yaml: allow_leakage: [{check.allow}]",
            )
