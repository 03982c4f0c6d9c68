"""Readers of data files, one per format, chosen by the file's ending and loaded on first use.

A new format is a module with `read(path) -> RawTable` and a line in the table.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from accordeur.core.errors import TaskError
from accordeur.tasks.formats.table import RawRow, RawTable

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".parquet": "parquet",
}

__all__ = ["FORMATS", "RawRow", "RawTable", "read_table"]


def read_table(path: Path) -> RawTable:
    """The rows of a data file.

    Raises:
        TaskError: the ending is not known, or the file cannot be read.
        MissingDependency: the format needs a package that is not installed.
    """
    name = FORMATS.get(path.suffix.lower())
    if name is None:
        ending = f"ends in `{path.suffix}`" if path.suffix else "has no ending"
        raise TaskError(
            f"`{path}` {ending}, which says no data format.",
            hint=f"known: {', '.join(FORMATS)}",
        )
    module = importlib.import_module(f"accordeur.tasks.formats.{name}")
    return cast(RawTable, module.read(path))
