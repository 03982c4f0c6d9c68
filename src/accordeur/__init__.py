"""Accordeur: one task, one language model, every way of adapting it, one honest measurement.

Public names resolve on first use, so importing the package loads neither torch nor numpy.
"""

from __future__ import annotations

from typing import Any

from accordeur._version import __version__

_PUBLIC: dict[str, str] = {}

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        import importlib

        module, _, attribute = _PUBLIC[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'accordeur' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*_PUBLIC, "__version__"])
