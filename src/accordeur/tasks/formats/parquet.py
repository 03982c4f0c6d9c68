"""Parquet, behind the `data` extra."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accordeur.core.errors import MissingDependency, TaskError
from accordeur.tasks.formats.lines import open_data
from accordeur.tasks.formats.table import ROW_LIMIT, RawRow, RawTable, row_too_large

_BATCH = 1024


def read(path: Path) -> RawTable:
    """The rows of a Parquet file.

    Raises:
        MissingDependency: pyarrow is not installed.
        TaskError: the file cannot be read, or a row is over `ROW_LIMIT`.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependency(
            f"`{path}` is a Parquet file, and `pyarrow` is not installed.",
            hint="pip install 'accordeur[data]'",
        ) from error
    with open_data(path) as file:
        try:
            table = pyarrow.parquet.ParquetFile(file)
            rows = tuple(_rows(path, table))
            columns = tuple(table.schema_arrow.names)
        except (pyarrow.ArrowException, OSError) as error:
            raise TaskError(
                f"`{path}` is not a Parquet file that can be read: {str(error).splitlines()[0]}",
                hint="write it again, or name the file by the format it really has",
            ) from error
    return RawTable(path, rows, columns)


def _rows(path: Path, table: Any) -> Iterator[RawRow]:
    number = 0
    for batch in table.iter_batches(batch_size=_BATCH):
        for cells in batch.to_pylist():
            number += 1
            where = f"{path} row {number}"
            if sum(len(cell) for cell in cells.values() if isinstance(cell, str)) > ROW_LIMIT:
                raise row_too_large(where)
            yield RawRow(where, cells)
