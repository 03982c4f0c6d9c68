"""CSV and TSV: a line for each row, `column: value; column: value`; empty cells are left out."""

from __future__ import annotations

import csv
import io

from accordeur.documents.document import Document
from accordeur.documents.readers.decoding import decode
from accordeur.documents.readers.unreadable import Unreadable
from accordeur.tasks.formats.delimited import is_header

VERSION = 1

LONGEST_CELL = 10_000_000
"""Characters; a longer one is an unclosed quote."""

_DELIMITERS = ",;\t|"


def read(data: bytes, name: str) -> Document:
    """The rows of a table, its first row taken as the names of columns where it reads like that.

    Raises:
        Unreadable: it is no text, or no table.
    """
    text, notes = decode(data)
    rows = parsed(text, "\t" if name.lower().endswith((".tsv", ".tab")) else _delimiter(text))
    return Document(name, "\n".join(as_lines(rows)), notes=notes)


def parsed(text: str, delimiter: str) -> list[list[str]]:
    """The rows that hold anything.

    Raises:
        Unreadable: a cell is too long.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [row for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Unreadable(f"it is no table: {error}") from error


def as_lines(rows: list[list[str]]) -> list[str]:
    """A line for each row, the header told in each."""
    if len(rows) > 1 and is_header(rows):
        names = [" ".join(cell.split()) for cell in rows[0]]
        return [_line(names, row) for row in rows[1:]]
    return [_line([], row) for row in rows]


def _line(names: list[str], row: list[str]) -> str:
    told = []
    for at, cell in enumerate(row):
        value = " ".join(cell.split())
        column = names[at] if at < len(names) else ""
        if value:
            told.append(f"{column}: {value}" if column else value)
    return "; ".join(told)


def _delimiter(text: str) -> str:
    """The one of which the first line has most."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=first.count)
