"""What CSV and TSV share: quoted cells over several lines, a header, rows of one width."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from accordeur.core.errors import TaskError
from accordeur.tasks.column_names import COMMON_NAMES
from accordeur.tasks.formats.lines import read_lines
from accordeur.tasks.formats.table import ROW_LIMIT, RawRow, RawTable, row_too_large

_LONGEST_NAME = 64


def read_delimited(path: Path, delimiter: str, *, quoted: bool = True) -> RawTable:
    """The rows of a delimited file; blank lines are skipped, cells left out at the end are missing.

    The first row names the columns unless it plainly is data (a long or repeated or numeric cell,
    or a cell that stands again below itself); then they are `column_1`, `column_2`, ...

    Args:
        path: the file.
        delimiter: one character.
        quoted: cells may stand in double quotes.

    Raises:
        TaskError: the file cannot be read, a quote is not closed, a row has too many cells, or two
            columns have one name.
    """
    read = list(records(path, delimiter, quoted=quoted))
    if not read:
        raise TaskError(f"`{path}` holds no row.", hint="write a header and at least one row")
    notes: tuple[str, ...] = ()
    if is_header([cells for _, cells in read]):
        header = _names(path, read[0][1])
        read = read[1:]
    else:
        width = max(len(cells) for _, cells in read)
        header = [f"column_{number}" for number in range(1, width + 1)]
        notes = (
            f"`{path}` seems to have no header: its columns are called {', '.join(header[:3])}"
            f"{' ...' if width > 3 else ''}.",
        )
    rows = tuple(RawRow(where, _cells(where, header, cells)) for where, cells in read)
    # Spreadsheets like to leave nameless, empty columns at the right.
    unused = {name for name in header if name.startswith("column_")} - {
        name for row in rows for name, cell in row.cells.items() if cell
    }
    kept = tuple(name for name in header if name not in unused)
    if unused:
        rows = tuple(
            RawRow(row.where, {name: row.cells[name] for name in kept if name in row.cells})
            for row in rows
        )
    return RawTable(path, rows, kept, notes)


def is_header(records: list[list[str]]) -> bool:
    """Whether the first of these rows names the columns."""
    first = [cell.strip() for cell in records[0]]
    named = [cell for cell in first if cell]
    if any(cell.lower() in COMMON_NAMES for cell in named) or len(set(named)) < len(named):
        return True
    if any(len(cell) > _LONGEST_NAME or "\n" in cell or _is_number(cell) for cell in named):
        return False
    return not any(
        cell and position < len(row) and row[position].strip() == cell
        for row in records[1:]
        for position, cell in enumerate(first)
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip() or f"column_{number}" for number, cell in enumerate(cells, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TaskError(
            f"`{path}` has two columns named `{twice[0]}`.", hint="rename one in the first line"
        )
    return names


def _cells(where: str, header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) > len(header):
        if any(cell.strip() for cell in cells[len(header) :]):
            raise TaskError(
                f"`{where}` has {len(cells)} cells, but the file has {len(header)} columns.",
                hint='put text that holds the separator in double quotes: "one, two"',
            )
        cells = cells[: len(header)]
    return dict(zip(header, cells, strict=False))


def records(path: Path, delimiter: str, *, quoted: bool) -> Iterator[tuple[str, list[str]]]:
    """Place and cells of each row that is not blank, one at a time; the header is one of them.

    Raises:
        TaskError: the file cannot be read, or a quote is not closed.
    """
    # The limit is a setting of the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), ROW_LIMIT))
    start = 1
    taken = 0

    def feed() -> Iterator[str]:
        nonlocal taken
        for _, line in read_lines(path):
            taken += len(line)
            if taken > ROW_LIMIT:
                raise row_too_large(f"{path}:{start}")
            yield line

    reader = csv.reader(
        feed(),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"{path}:{start}", cells
            start = reader.line_num + 1
            taken = 0
    except csv.Error as error:
        raise TaskError(
            f"`{path}:{start}` cannot be read: {error}.",
            hint="look for a quote that is not closed or not doubled inside a quoted cell",
        ) from error
