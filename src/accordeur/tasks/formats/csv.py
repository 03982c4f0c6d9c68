"""CSV: comma, semicolon, tab or bar between cells, found by looking."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

from accordeur.tasks.formats.delimited import read_delimited
from accordeur.tasks.formats.lines import read_lines
from accordeur.tasks.formats.table import RawTable

DELIMITERS = ",;\t|"
_LINES = 50


def read(path: Path) -> RawTable:
    """The rows of a CSV file (RFC 4180, other delimiters allowed). Errors as `read_delimited`."""
    return read_delimited(path, sniff_delimiter(path))


def sniff_delimiter(path: Path) -> str:
    """The delimiter under which most of the first rows are as wide as the header.

    `csv.Sniffer` is not used: it picks letters on short files and fails on one column.

    Raises:
        TaskError: the file cannot be read.
    """
    lines = [line for _, line in islice(read_lines(path), _LINES)]
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            records = [cells for cells in csv.reader(lines, delimiter=delimiter) if cells]
        except csv.Error:
            continue
        if len(lines) == _LINES:
            records = records[:-1]  # The last one may have been cut in the middle.
        width = len(records[0]) if records else 0
        if width > 1:
            same = sum(len(cells) == width for cells in records) / len(records)
            if (same, width) > best_score:
                best, best_score = delimiter, (same, width)
    return best
