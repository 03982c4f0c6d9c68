"""The folder of an index: who may write into it, and what SQLite's errors mean there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from accordeur.core.errors import StoreError
from accordeur.documents.index.schema import FILE
from accordeur.documents.index.vector_file import PATTERN
from accordeur.store.database import busy, damaged
from accordeur.store.durable import TEMPORARY_SUFFIX, make_folder
from accordeur.store.file_lock import FileLock

LOCK = "index.lock"

_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the only one who changes an index; its folder is made when it is missing.

    Raises:
        StoreError: another process does already, or the folder cannot be made.
    """
    make_folder(folder)
    lock = FileLock(folder / LOCK)
    if not lock.acquire():
        raise StoreError(
            f"Another process is changing the index `{folder}`: {lock.holder()}.",
            hint="wait for it to end; searching goes on meanwhile",
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def index_errors(folder: Path) -> Iterator[None]:
    """Turn what SQLite says inside the block into a message.

    Raises:
        StoreError: the file is damaged, busy, or there is no room.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _FULL:
            raise StoreError(
                f"There is no room for the index `{folder}` ({error}). It is as it was before.",
                hint=f"free some space (`df -h {folder}` shows how much is left) "
                "and run the same command again",
            ) from error
        if damaged(error):
            raise StoreError(
                f"The index `{folder}` is damaged ({error}).",
                hint=f"accordeur index rm {folder}, then build it again",
            ) from error
        if busy(error):
            raise StoreError(
                f"Another process kept the index `{folder}` for too long.",
                hint="run the same command again",
            ) from error
        raise StoreError(f"The index `{folder}` could not be used: {error}.") from error


def sweep(folder: Path, vectors: str | None) -> None:
    """Remove what killed builds left. Only who holds the lock may do so.

    Args:
        folder: of the index.
        vectors: name of the file of vectors that counts.
    """
    for path in (*folder.glob(PATTERN), *folder.glob(f".*{TEMPORARY_SUFFIX}")):
        if path.name != vectors:
            with suppress(OSError):
                path.unlink()


def exists(folder: Path) -> bool:
    """Whether an index lies there."""
    return (folder / FILE).is_file()
