"""An append-only JSONL file whose lines are wholly there or not.

Each line is one JSON object that starts with a checksum of the rest of the line:

    {"crc":"1c291ca3","batch":0,"rows":[...]}

A line is written with one call and forced to the disk before `append` returns. What can go wrong:

- the writer dies inside a line: the file does not end in a line end; the tail is dropped by the
  next writer and reported;
- the disk is full inside a line: the file is cut back to its last whole line at once;
- a byte changes later: the checksum differs; that line is reported by `file:line` and read as if
  it were not there, the others stand.

Any JSON reader can read the file; only we need the checksum. One writer at a time: callers hold a
lock over `append`. Readers need none.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordeur.core.errors import StoreError
from accordeur.store.durable import disk_error, disk_errors, make_folder, sync_folder, write_all

Warn = Callable[[str], None]

_HEAD = b'{"crc":"'
_BODY = len(_HEAD) + 8 + 2  # checksum, quote, comma


@dataclass(frozen=True, slots=True)
class Damage:
    """A line that cannot be used.

    Attributes:
        path: the file.
        line: its number, from 1.
        reason: `unfinished` for a last line without its end, else what is wrong with it.
    """

    path: Path
    line: int
    reason: str

    @property
    def unfinished(self) -> bool:
        """The writer stopped inside this line, or is still writing it."""
        return self.reason == "unfinished"

    def __str__(self) -> str:
        return f"`{self.path}:{self.line}` is {self.reason}"


def encode_line(record: Mapping[str, Any]) -> bytes:
    """One line of a journal.

    Raises:
        TypeError: the record holds something JSON has no word for.
        ValueError: it is empty, has a key `crc`, or holds NaN or an infinity.
    """
    if not record or "crc" in record:
        raise ValueError("a journal record has at least one key and none named `crc`")
    arguments: dict[str, Any] = {"separators": (",", ":"), "allow_nan": False}
    try:
        body = json.dumps(record, ensure_ascii=False, **arguments).encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can hold
        body = json.dumps(record, **arguments).encode("ascii")
    return b'%s%08x",%s\n' % (_HEAD, zlib.crc32(body[1:]), body[1:])


def decode_line(line: bytes) -> dict[str, Any]:
    """Inverse of `encode_line`; the line comes without its end.

    Raises:
        ValueError: the checksum differs or it is no journal line; the message completes
            "the line is ...".
    """
    if not line.startswith(_HEAD) or len(line) <= _BODY:
        raise ValueError("damaged (it does not start with a checksum)")
    body = line[_BODY:]
    if line[len(_HEAD) : _BODY] != b'%08x",' % zlib.crc32(body):
        raise ValueError("damaged (its checksum differs)")
    record = json.loads(b"{" + body)
    if not isinstance(record, dict):
        raise ValueError("damaged (it is not a JSON object)")
    return record


class Journal:
    """One append-only file.

    Args:
        path: the file; its folder is made at the first append.
        warn: told about each damaged or dropped line, once.
    """

    def __init__(self, path: Path, *, warn: Warn | None = None) -> None:
        self.path = path
        self._warn = warn
        self._told: set[tuple[int, str]] = set()
        self._whole = False  # the file is known to end with a whole line
        self._thread = threading.Lock()

    def read(self) -> tuple[list[dict[str, Any]], list[Damage]]:
        """All whole records in order, and what could not be used. Changes nothing.

        Raises:
            StoreError: the file is there but cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return [], []
        except OSError as error:
            raise StoreError(
                f"`{self.path}` could not be read: {error.strerror or error}."
            ) from error
        records: list[dict[str, Any]] = []
        damage: list[Damage] = []
        *lines, tail = data.split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                records.append(decode_line(line))
            except ValueError as error:
                damage.append(Damage(self.path, number, str(error)))
        if tail:
            damage.append(Damage(self.path, len(lines) + 1, "unfinished"))
        return records, damage

    def records(self) -> list[dict[str, Any]]:
        """All whole records; damaged lines are told to `warn`.

        An unfinished last line is left out in silence: another process may be writing it. `repair`
        is where a writer drops and reports one.
        """
        records, damage = self.read()
        for item in damage:
            if not item.unfinished:
                self._tell(item.line, f"{item}; it is read as if it were not there.")
        return records

    def repair(self) -> bool:
        """Drop an unfinished last line; true when there was one. Only for the one writer.

        Raises:
            StoreError: the file cannot be cut.
        """
        with self._thread:
            return self._repair()

    def append(self, record: Mapping[str, Any], *, sync: bool = True) -> None:
        """Add one record, wholly or not at all.

        Args:
            record: plain data.
            sync: force it to the disk before returning. Without, a power cut may lose it; the
                death of this process may not.

        Raises:
            StoreError: it could not be written; the file ends where it ended before.
            TypeError, ValueError: as `encode_line`.
        """
        self.append_all([record], sync=sync)

    def append_all(self, records: Sequence[Mapping[str, Any]], *, sync: bool = True) -> list[int]:
        """Add records with one write; all of them or none. Arguments and errors as `append`.

        Returns:
            Where each begins, in bytes from the start of the file, for `at`.
        """
        lines = [encode_line(record) for record in records]
        with self._thread:
            self._repair()
            make_folder(self.path.parent)
            new = not self.path.exists()
            with disk_errors(self.path):
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                begin = self._append(descriptor, b"".join(lines), sync=sync)
                if new:
                    sync_folder(self.path.parent)
            finally:
                os.close(descriptor)
        places = []
        for line in lines:
            places.append(begin)
            begin += len(line)
        return places

    def stream(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Place and content of each whole record, one at a time; damaged lines are told to `warn`.

        Raises:
            StoreError: the file is there but cannot be read.
        """
        try:
            with open(self.path, "rb") as file:
                place = 0
                for number, line in enumerate(file, 1):
                    if not line.endswith(b"\n"):
                        return
                    try:
                        yield place, decode_line(line[:-1])
                    except ValueError as error:
                        found = Damage(self.path, number, str(error))
                        self._tell(number, f"{found}; it is read as if it were not there.")
                    place += len(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(
                f"`{self.path}` could not be read: {error.strerror or error}."
            ) from error

    def _append(self, descriptor: int, line: bytes, *, sync: bool) -> int:
        before = os.fstat(descriptor).st_size
        self._whole = False
        try:
            write_all(descriptor, line)
            if sync:
                os.fsync(descriptor)
        except BaseException as error:
            # Half a line must not stay; if even the cut fails, the next append repairs.
            with suppress(OSError):
                os.ftruncate(descriptor, before)
            if isinstance(error, OSError):
                raise disk_error(error, self.path) from error
            raise
        self._whole = True
        return before

    def _repair(self) -> bool:
        if self._whole or not self.path.exists():
            return False
        with disk_errors(self.path):
            end = _end_of_lines(self.path)
            if end is not None:
                descriptor = os.open(self.path, os.O_WRONLY)
                try:
                    os.ftruncate(descriptor, end)
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        self._whole = True
        if end is None:
            return False
        with disk_errors(self.path), open(self.path, "rb") as file:
            line = sum(1 for _ in file) + 1
        self._tell(
            line,
            f"`{self.path}:{line}` was interrupted while it was written; it is dropped and its "
            "rows are computed again.",
        )
        return True

    def _tell(self, line: int, message: str) -> None:
        if self._warn is not None and (line, message) not in self._told:
            self._told.add((line, message))
            self._warn(message)


_PIECE = 1 << 16


def _end_of_lines(path: Path) -> int | None:
    """Where the last whole line ends; `None` when nothing follows it. Reads from the back."""
    with open(path, "rb") as file:
        size = place = file.seek(0, os.SEEK_END)
        while place > 0:
            begin = max(0, place - _PIECE)
            file.seek(begin)
            found = file.read(place - begin).rfind(b"\n")
            if found >= 0:
                end = begin + found + 1
                return None if end == size else end
            place = begin
    return 0 if size else None
