"""JSON: a list of objects, or an object whose `data` is such a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accordeur.core.errors import TaskError
from accordeur.tasks.formats.lines import decode, open_data
from accordeur.tasks.formats.table import (
    ROW_LIMIT,
    RawRow,
    RawTable,
    refuse_half_characters,
    row_too_large,
)

FILE_LIMIT = 256 * 1024 * 1024
"""Bytes of a JSON file, which is read whole; JSON Lines has no such limit."""

_SPACE = " \t\r\n"
_HINT = 'write a list of objects, [{"input": "...", "expected": "..."}, ...], or {"data": [...]}'


def read(path: Path) -> RawTable:
    """The rows of a JSON file. `NaN`, which JSON does not know, is read as missing.

    Raises:
        TaskError: the file cannot be read, is not JSON, too large, or not a list of objects.
    """
    with open_data(path) as file:
        data = file.read(FILE_LIMIT + 1)
    if len(data) > FILE_LIMIT:
        raise TaskError(
            f"`{path}` is larger than {FILE_LIMIT // 2**20} MB.",
            hint=f"write it as JSON Lines: jq -c '.[]' {path} > {path.with_suffix('.jsonl')}",
        )
    text = decode(data, path).removeprefix("\ufeff")
    items = _list_items(text, path) if text.lstrip(_SPACE).startswith("[") else _data(text, path)
    return RawTable.of(path, (_row(where, value) for where, value in items))


def _row(where: str, value: Any) -> RawRow:
    if not isinstance(value, dict):
        raise TaskError(f"`{where}` is not a JSON object.", hint=_HINT)
    refuse_half_characters(where, value)
    return RawRow(where, value)


def _list_items(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    """Element by element, so that each row knows its line."""
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    position = _skip(text, text.index("[") + 1)
    line, counted = 1, 0
    first = True
    while text[position : position + 1] != "]":
        if not first:
            if text[position : position + 1] != ",":
                raise _broken(path, text, position, "a comma or `]` is missing")
            position = _skip(text, position + 1)
        first = False
        line, counted = line + text.count("\n", counted, position), position
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise _broken(path, text, error.pos, error.msg) from error
        except (ValueError, RecursionError) as error:
            raise _broken(path, text, position, "this row cannot be read") from error
        if end - position > ROW_LIMIT:
            raise row_too_large(f"{path}:{line}")
        yield f"{path}:{line}", value
        position = _skip(text, end)
    rest = _skip(text, position + 1)
    if rest != len(text):
        raise _broken(path, text, rest, "something stands after the list")


def _data(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    try:
        whole = json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        raise _broken(path, text, error.pos, error.msg) from error
    except (ValueError, RecursionError) as error:
        raise _broken(path, text, 0, "it cannot be read") from error
    rows = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(rows, list):
        raise TaskError(f"`{path}` is not a list of rows.", hint=_HINT)
    for number, value in enumerate(rows, start=1):
        where = f"{path} item {number}"
        if len(text) > ROW_LIMIT and len(json.dumps(value)) > ROW_LIMIT:
            raise row_too_large(where)
        yield where, value


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _broken(path: Path, text: str, position: int, reason: str) -> TaskError:
    line = text.count("\n", 0, position) + 1
    return TaskError(
        f"`{path}:{line}` is not valid JSON: {reason}.",
        hint="one object per line without a list around them is JSON Lines: name it `.jsonl`",
    )
