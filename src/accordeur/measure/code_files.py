"""Python that a task or a config names, imported. Callers have asked for leave (`--allow-code`)."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from accordeur.core.errors import PlanError
from accordeur.core.fingerprint import digest


def module_from_file(place: str, what: str, folder: Path, *, home: str) -> ModuleType:
    """A module in a file.

    Args:
        place: the file, relative to the folder.
        what: what names it, such as "the metric `metrics.py:score`".
        folder: files must lie inside it.
        home: what that folder is called, such as "the task's folder".

    Raises:
        PlanError: there is no such file, or it lies outside the folder.
    """
    root = folder.resolve()
    path = (root / place).resolve()
    if not path.is_relative_to(root):
        raise PlanError(
            f"The file of {what} lies outside {home}.",
            hint=f"put it into {root}, or install it as a module: module:function",
        )
    if not path.is_file():
        raise PlanError(
            f"There is no file `{place}` in {root}, which {what} names.",
            hint=f"write the path relative to {home}",
        )
    spec = importlib.util.spec_from_file_location(f"accordeur_code_{digest(str(path))[:12]}", path)
    if spec is None or spec.loader is None:
        raise PlanError(f"The file of {what} cannot be read as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses of the module look themselves up here
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


def module_from_name(place: str, what: str, *, hint: str) -> ModuleType:
    """An installed module.

    Raises:
        PlanError: there is none.
    """
    try:
        return importlib.import_module(place)
    except (ModuleNotFoundError, ValueError, TypeError) as error:
        # A module missing *inside* the user's module is their mistake and keeps its traceback.
        missing = getattr(error, "name", None)
        if missing is not None and not f"{place}.".startswith(f"{missing}."):
            raise
        raise PlanError(f"There is no module `{place}`, which {what} names.", hint=hint) from error
