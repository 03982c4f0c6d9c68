"""What every reader returns: raw rows that remember where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordeur.core.errors import TaskError

ROW_LIMIT = 10 * 1024 * 1024
"""Bytes one row may take. A row beyond this is a whole document or an unclosed quote."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as the file has it.

    Attributes:
        where: place for messages, `train.jsonl:12`.
        cells: column name to value.
    """

    where: str
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RawTable:
    """The rows of one file.

    Attributes:
        path: the file.
        rows: in file order.
        columns: in order of first appearance.
        notes: what was odd but usable.
    """

    path: Path
    rows: tuple[RawRow, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path, rows: Iterable[RawRow]) -> RawTable:
        """A table whose columns are gathered from its rows."""
        kept = tuple(rows)
        return cls(path, kept, tuple(dict.fromkeys(name for row in kept for name in row.cells)))


def row_too_large(where: str) -> TaskError:
    """The error for a row over `ROW_LIMIT`; raised before the rest of the row is read."""
    return TaskError(
        f"`{where}`: this row is larger than {ROW_LIMIT // 2**20} MB.",
        hint="a row is one question or one text: cut it, split it into several rows, "
        "or look for a quote that is never closed",
    )


def refuse_half_characters(where: str, cells: Mapping[str, Any]) -> None:
    """Refuse text that cannot be written as UTF-8: half of a surrogate pair, as JSON may escape.

    Raises:
        TaskError: a value holds such a text.
    """
    pending: list[Any] = [*cells, *cells.values()]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if any("\ud800" <= character <= "\udfff" for character in value):
                raise TaskError(
                    f"`{where}`: a text holds half of a character (an unpaired `\\ud800` escape).",
                    hint="write the file again with the text repaired, best without \\u escapes",
                )
        elif isinstance(value, Mapping):
            pending.extend([*value, *value.values()])
        elif isinstance(value, list | tuple):
            pending.extend(value)
