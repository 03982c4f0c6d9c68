"""Lines of a UTF-8 file, one at a time, never more than one row in memory.

A byte order mark at the start and Windows line ends are fine. What is not UTF-8 is refused with its
position and the command that converts it, because a guessed encoding corrupts text silently.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from accordeur.core.errors import TaskError
from accordeur.tasks.formats.table import ROW_LIMIT, row_too_large

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def open_data(path: Path) -> BinaryIO:
    """The file, open for reading bytes.

    Raises:
        TaskError: it is missing, not a file, empty or may not be read.
    """
    try:
        if not path.exists():
            raise missing_file(path)
        if not path.is_file():
            raise TaskError(f"`{path}` is not a file.", hint="name one data file per split")
        if path.stat().st_size == 0:
            raise TaskError(f"`{path}` is empty.", hint="write at least one row into it")
        return path.open("rb")
    except OSError as error:
        raise TaskError(f"`{path}` cannot be read: {error.strerror or error}.") from error


def missing_file(path: Path) -> TaskError:
    """The error for a file that is not there, with files of a similar name beside it."""
    beside = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=3, cutoff=0.5)
    offer = f"did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
    if not path.parent.is_dir():
        offer = f"there is no folder `{path.parent}` either; paths count from task.yaml's folder"
    return TaskError(f"There is no file `{path}`.", hint=offer or f"look with: ls {path.parent}")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and decoded lines, line ends kept.

    Raises:
        TaskError: the file cannot be opened, is not UTF-8, or a line is over `ROW_LIMIT`.
    """
    with open_data(path) as file:
        offset = 0
        number = 0
        while line := file.readline(ROW_LIMIT + 1):
            number += 1
            if len(line) > ROW_LIMIT:
                raise row_too_large(f"{path}:{number}")
            text = decode(line, path, offset=offset, line=number)
            yield number, text.removeprefix("\ufeff") if number == 1 else text
            offset += len(line)


def decode(data: bytes, path: Path, *, offset: int = 0, line: int = 1) -> str:
    """The bytes as text.

    Args:
        data: a piece of the file.
        path: the file, for messages.
        offset: position of the piece in the file.
        line: number of the piece's first line.

    Raises:
        TaskError: they are not UTF-8.
    """
    if (offset == 0 and data[:2] in _UTF16_MARKS) or b"\0" in data:
        raise TaskError(
            f"`{path}` is not UTF-8 text: it looks like UTF-16 or a binary file.",
            hint=_iconv(path, "UTF-16"),
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line += data.count(b"\n", 0, error.start)
        raise TaskError(
            f"`{path}` is not UTF-8: byte 0x{data[error.start]:02X} at position "
            f"{offset + error.start} (line {line}).",
            hint=_iconv(path, "WINDOWS-1252"),
        ) from error


def _iconv(path: Path, encoding: str) -> str:
    target = path.with_name(f"{path.stem}.utf8{path.suffix}")
    return (
        f"iconv -f {encoding} -t UTF-8 {shlex.quote(str(path))} > {shlex.quote(str(target))} "
        f"(if it was written as {encoding})"
    )
