"""Packages that some formats need, imported when such a file is read."""

from __future__ import annotations

import importlib
from typing import Any

from accordeur.core.errors import MissingDependency


def needs(module: str, what: str) -> Any:
    """The module.

    Args:
        module: of a package of the extra `rag`.
        what: needs it, in words.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependency(
            f"{what} need `{module}`.", hint="pip install 'accordeur[rag]'"
        ) from error
