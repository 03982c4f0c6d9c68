"""Tasks: examples in, checked, split and sealed.

Reads `task.yaml` folders and data files into `accordeur.core.task.Task`. Runs no model. Public
names resolve on first use, so importing this package loads neither pydantic nor yaml nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accordeur.tasks.checks import Check, raise_errors, run_checks
    from accordeur.tasks.checks.near_leakage import NearPair, check_near_leakage, near_duplicates
    from accordeur.tasks.load import load_task
    from accordeur.tasks.scaffold import Choices, Guess, choices_from, guess, write_task
    from accordeur.tasks.starter import write_starter
    from accordeur.tasks.write import write_rows

_PUBLIC = {
    "Check": "checks",
    "Choices": "scaffold",
    "Guess": "scaffold",
    "NearPair": "checks.near_leakage",
    "check_near_leakage": "checks.near_leakage",
    "choices_from": "scaffold",
    "guess": "scaffold",
    "load_task": "load",
    "near_duplicates": "checks.near_leakage",
    "raise_errors": "checks",
    "run_checks": "checks",
    "write_rows": "write",
    "write_starter": "starter",
    "write_task": "scaffold",
}

__all__ = [
    "Check",
    "Choices",
    "Guess",
    "NearPair",
    "check_near_leakage",
    "choices_from",
    "guess",
    "load_task",
    "near_duplicates",
    "raise_errors",
    "run_checks",
    "write_rows",
    "write_starter",
    "write_task",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        import importlib

        return getattr(importlib.import_module(f"accordeur.tasks.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'accordeur.tasks' has no attribute {name!r}")
