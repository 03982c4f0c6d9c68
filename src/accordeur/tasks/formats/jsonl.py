"""JSON Lines: one object per line, blank lines skipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accordeur.core.errors import TaskError
from accordeur.tasks.formats.lines import read_lines
from accordeur.tasks.formats.table import RawRow, RawTable, refuse_half_characters


def read(path: Path) -> RawTable:
    """The rows of a JSON Lines file. `NaN`, which JSON does not know, is read as missing.

    Raises:
        TaskError: the file cannot be read or a line is not a JSON object.
    """
    return RawTable.of(path, (RawRow(*one) for one in objects(path)))


def objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and content of each line, one at a time. Errors as `read`."""
    for number, line in read_lines(path):
        if line.strip():
            where = f"{path}:{number}"
            cells = _parse(line, where, first=number == 1)
            refuse_half_characters(where, cells)
            yield where, cells


def _parse(line: str, where: str, *, first: bool) -> dict[str, Any]:
    looks_like_list = first and line.lstrip().startswith("[")
    hint = (
        "this looks like one JSON list: name the file `.json`"
        if looks_like_list
        else 'each line holds one JSON object: {"input": "...", "expected": "..."}'
    )
    try:
        value = json.loads(line, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        reason = f"{error.msg}, column {error.colno}"
        raise TaskError(f"`{where}` is not valid JSON: {reason}.", hint=hint) from error
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, or brackets nested thousands deep.
        raise TaskError(f"`{where}` holds JSON that cannot be read.", hint=hint) from error
    if not isinstance(value, dict):
        raise TaskError(f"`{where}` holds {_kind(value)}, not a JSON object.", hint=hint)
    return value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(value), "a number")
