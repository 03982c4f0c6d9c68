"""Rows of a file as requests for a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from accordeur.core.errors import TaskError

if TYPE_CHECKING:
    from accordeur.core.rendering import Request
    from accordeur.tasks.formats import RawRow, RawTable

NAMES = ("input", "messages", "fields")


def read_requests(path: Path) -> tuple[list[str], list[Request]]:
    """Ids and requests, in file order.

    Each row says what it asks as `input` (a text, fields, or turns), `messages` (turns) or `fields`
    (name to text); without these, one column of a common name (`text`, `question`, ...) is taken.

    Raises:
        TaskError: the file cannot be read, is empty, or a row asks nothing.
    """
    from accordeur.core.rendering import Request
    from accordeur.tasks.columns import Columns
    from accordeur.tasks.formats import read_table
    from accordeur.tasks.rows import Ids, example_from

    table = read_table(path)
    if not table.rows:
        raise TaskError(f"`{path}` has no rows.", hint='write one: {"input": "your text"}')
    ids = Ids()
    examples = [
        example_from(
            row,
            Columns(
                input=_column(row, table),
                id="id" if "id" in row.cells else None,
                context="context" if "context" in row.cells else None,
                documents="documents" if "documents" in row.cells else None,
            ),
            ids,
            labelled=False,
        )
        for row in table.rows
    ]
    return [one.id for one in examples], [Request.from_example(one) for one in examples]


def _column(row: RawRow, table: RawTable) -> str:
    from accordeur.tasks.columns import resolve_columns
    from accordeur.tasks.config import FieldsConfig

    for name in NAMES:
        if row.cells.get(name) is not None:
            return name
    taken = resolve_columns(
        FieldsConfig.model_validate({"expected": None}), table.columns, str(table.path)
    )
    return taken.input_columns[0]
