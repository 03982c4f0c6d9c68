"""Accordeur: one task, one language model, every way of adapting it, one honest measurement.

Public names resolve on first use, so importing the package loads neither torch nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accordeur._version import __version__

_PUBLIC = {
    "Run": "accordeur.bench.finished:Run",
    "load": "accordeur.parts.loaded:load",
    "load_task": "accordeur.tasks:load_task",
    "open_run": "accordeur.bench.finished:open_run",
    "resume": "accordeur.bench.run:resume",
    "run": "accordeur.bench.run:run",
}
"""Public name -> where it stands."""

__all__ = ["Run", "__version__", "load", "load_task", "open_run", "resume", "run"]

if TYPE_CHECKING:
    from accordeur.bench.finished import Run, open_run
    from accordeur.bench.run import resume, run
    from accordeur.parts.loaded import load
    from accordeur.tasks import load_task


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        import importlib

        module, _, attribute = _PUBLIC[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'accordeur' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*_PUBLIC, "__version__"])
