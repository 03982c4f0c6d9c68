"""Spreadsheets: each sheet under its name, its rows as those of a CSV file; values, no formulas."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from accordeur.documents.document import Document, Heading
from accordeur.documents.readers.csv import as_lines
from accordeur.documents.readers.decoding import whole
from accordeur.documents.readers.docx import properties
from accordeur.documents.readers.packages import needs
from accordeur.documents.readers.unreadable import Unreadable

VERSION = 1


def read(data: bytes, name: str) -> Document:
    """The values of all sheets.

    Raises:
        Unreadable: it is broken or encrypted.
        MissingDependency: openpyxl is not installed.
    """
    openpyxl = needs("openpyxl", "Spreadsheets")
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [(sheet.title, _rows(sheet)) for sheet in book.worksheets]
        told = properties(data)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise Unreadable(f"it is no spreadsheet that can be read ({error})") from error
    text, headings = "", []
    for title, rows in sheets:
        if rows:
            text += "\n\n" if text else ""
            headings.append(Heading(len(text), 1, whole(" ".join(title.split()))))
            text += whole("\n".join([title, *as_lines(rows)]))
    return Document(name, text, headings=tuple(headings), metadata=told)


def _rows(sheet: Any) -> list[list[str]]:
    rows = [
        ["" if cell is None else str(cell) for cell in row]
        for row in sheet.iter_rows(values_only=True)
    ]
    return [row for row in rows if any(cell.strip() for cell in row)]
