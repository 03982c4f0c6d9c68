"""Gold places of a row: a list of `{document, start, end}`, each with its `quote` if it has one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from accordeur.core.errors import TaskError
from accordeur.core.span import Span
from accordeur.tasks.formats.table import RawRow

_HINT = (
    'a place is {"document": "guide.md", "start": 0, "end": 12, "quote": "what stands there"}; '
    "a column of that name that holds something else is left alone with `fields: {spans: null}`"
)
_NAMES = {"document", "start", "end", "quote"}


def read_spans(row: RawRow, column: str | None) -> tuple[tuple[Span, ...], tuple[str, ...]]:
    """The places of a row in their order, each once, and their quotes.

    Quotes are as many as places, or none where no place has one. Files that hold only text, such
    as CSV, write the list as JSON.

    Raises:
        TaskError: the cell holds something else, or a place that cannot be one.
    """
    value = None if column is None else row.cells.get(column)
    if isinstance(value, str):
        value = _parsed(value, row.where, column)
    if value is None:
        return (), ()
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list):
        raise TaskError(
            f"`{row.where}`: the column `{column}` holds no list of places.", hint=_HINT
        )
    found = dict(_place(item, row.where, column) for item in reversed(value))
    spans = tuple(reversed(found))
    quotes = tuple(found[span] for span in spans)
    return spans, quotes if any(quotes) else ()


def _parsed(text: str, where: str, column: str | None) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise TaskError(
            f"`{where}`: the column `{column}` holds a text that is no JSON list of places.",
            hint=_HINT,
        ) from error


def _place(item: Any, where: str, column: str | None) -> tuple[Span, str]:
    try:
        if not isinstance(item, Mapping):
            raise ValueError("it is no object")
        if set(item) - _NAMES:
            raise ValueError(f"it has no `{min(set(item) - _NAMES)}`")
        document, start, end = item["document"], item["start"], item["end"]
        quote = item.get("quote") or ""
        if not (isinstance(document, str) and document and isinstance(quote, str)):
            raise ValueError("`document` and `quote` are texts")
        if any(isinstance(at, bool) or not isinstance(at, int) for at in (start, end)):
            raise ValueError("`start` and `end` are whole numbers")
        return Span(document, start, end), quote
    except KeyError as error:
        reason = f"it lacks `{error.args[0]}`"
    except ValueError as error:
        reason = str(error)
    raise TaskError(f"`{where}`: a place in `{column}` cannot be read: {reason}.", hint=_HINT)
