"""TSV: tabs between cells."""

from __future__ import annotations

from pathlib import Path

from accordeur.core.errors import TaskError
from accordeur.tasks.formats.delimited import read_delimited
from accordeur.tasks.formats.table import RawTable


def read(path: Path) -> RawTable:
    """The rows of a TSV file.

    Spreadsheets quote cells, the registered format (text/tab-separated-values) knows no quotes:
    read with quotes first, and without where that fails.

    Raises:
        TaskError: as `read_delimited`; the message is that of the quoted reading.
    """
    try:
        return read_delimited(path, "\t")
    except TaskError as error:
        try:
            return read_delimited(path, "\t", quoted=False)
        except TaskError:
            raise error from None
