"""Files that are wholly on disk or not at all.

A new content is written beside its place, forced to the disk, and moved over the old one; then the
folder is forced to the disk, so that the move itself survives. Whatever stops the writer (an
exception, `kill -9`, a full disk, a power cut), a reader finds the old content or the new one.

Errors of the operating system become a `StoreError` that says what is kept and what to do.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accordeur.core.errors import StoreError

TEMPORARY_SUFFIX = ".tmp"

KEPT = "Everything finished before is kept."

_FULL = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EFBIG: "The largest allowed file size is reached",
}

_NO_HARD_LINKS = frozenset(
    code
    for name in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "ENOSYS")
    if (code := getattr(errno, name, None)) is not None
)


def disk_error(error: OSError, path: Path, kept: str = KEPT) -> StoreError:
    """The message for an operating system error met while writing `path`."""
    if error.errno in _FULL:
        return StoreError(
            f"{_FULL[error.errno]}: `{path}` could not be written. {kept}",
            hint=f"free some space (`df -h {path.parent}` shows how much is left) "
            "and run the same command again; it continues where it stopped",
        )
    reason = error.strerror or str(error)
    return StoreError(
        f"`{path}` could not be written: {reason}. {kept}",
        hint="make the folder writable, then run the same command again; "
        "ACCORDEUR_RUNS and ACCORDEUR_CACHE move the folders",
    )


@contextmanager
def disk_errors(path: Path, kept: str = KEPT) -> Iterator[None]:
    """Turn `OSError` inside the block into `disk_error`."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path, kept) from error


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; a nearly full disk takes some of them before it refuses the rest."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the disk, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot sync a folder, and then need not
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each new entry forced to the disk.

    Raises:
        StoreError: it cannot be made.
    """
    with disk_errors(folder):
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            new.mkdir(exist_ok=True)
            sync_folder(new.parent)


def write_atomic(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Give a file a new content, or leave it as it was.

    Args:
        path: the file; its folder exists.
        data: the content, or its pieces in order.

    Raises:
        StoreError: the content could not be written; the old one is untouched.
    """
    with disk_errors(path, "The file is as it was before."):
        temporary = _write_temporary(path, data)
        try:
            temporary.replace(path)
        except BaseException:
            _discard(temporary)
            raise
        sync_folder(path.parent)


def append_line(path: Path, row: Mapping[str, Any]) -> None:
    """Append plain data as a line of a JSONL file, on a line of its own whatever stood there.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        line = json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can hold
        line = json.dumps(row).encode("ascii")
    with disk_errors(path, "The file is as it was before."):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            unfinished = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            write_all(descriptor, b"\n" * unfinished + line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def create_exclusive(path: Path, data: bytes) -> bool:
    """Write a file unless it is there; false, and nothing changed, when it was.

    Of several processes that try at once exactly one succeeds, and no reader sees half a file.

    Raises:
        StoreError: the content could not be written.
    """
    with disk_errors(path):
        temporary = _write_temporary(path, data)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            # Without hard links (exFAT, some network folders) the check and the move are two
            # steps; callers hold the run's lock, so nobody comes in between.
            if error.errno not in _NO_HARD_LINKS:
                raise
            if path.exists():
                return False
            temporary.replace(path)
        finally:
            _discard(temporary)
        sync_folder(path.parent)
    return True


def pretty_json(value: Mapping[str, Any]) -> bytes:
    """Plain data as a JSON file people can read; equal data give equal bytes.

    Raises:
        TypeError: the value holds something JSON has no word for.
        ValueError: the value holds NaN or an infinity.
    """
    arguments: dict[str, Any] = {"sort_keys": True, "indent": 2, "allow_nan": False}
    try:
        text = json.dumps(value, ensure_ascii=False, **arguments).encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can hold
        text = json.dumps(value, **arguments).encode("ascii")
    return text + b"\n"


def timestamp() -> str:
    """Now, in UTC, to the second, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write_temporary(path: Path, data: bytes | Iterable[bytes]) -> Path:
    """The content in a hidden file of the same folder, forced to the disk."""
    temporary = path.with_name(f".{os.getpid()}-{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        try:
            for piece in (data,) if isinstance(data, bytes) else data:
                write_all(descriptor, piece)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        _discard(temporary)
        raise
    return temporary


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
