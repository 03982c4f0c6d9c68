"""SQLite files that may be thrown away: opened in WAL mode, migrated, replaced when damaged.

A schema is a list of numbered functions, only ever added to; the file remembers how many have run
(`PRAGMA user_version`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from accordeur.core.errors import StoreError
from accordeur.store.file_lock import FileLock

Migration = Callable[[sqlite3.Connection], None]

BUSY_SECONDS = 30.0
"""How long a writer waits for another process's transaction."""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SIDE_FILES = ("-wal", "-shm", "-journal")


class NewerSchema(StoreError):
    """A newer version of Accordeur wrote this file."""


def connect(path: Path | str, migrations: Sequence[Migration]) -> sqlite3.Connection:
    """Open a database and bring its schema up to date. Transactions are explicit.

    Args:
        path: the file, made when missing, or `:memory:`.
        migrations: the schema; number n brings version n to n + 1.

    Raises:
        NewerSchema: the file has seen migrations we do not know.
        sqlite3.Error: anything else; `damaged` and `busy` tell what kind.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        if _version(connection) != len(migrations):
            _migrate(connection, path, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All statements of the block, or none of them."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # some errors have rolled back already
            connection.execute("ROLLBACK")
        raise


def damaged(error: sqlite3.Error) -> bool:
    """The file is no database, or a broken one."""
    return _code(error) in _DAMAGED


def busy(error: sqlite3.Error) -> bool:
    """Another process kept the database for longer than we wait."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def inode(path: Path) -> int | None:
    """Which file stands at a path, to notice that another process has replaced it."""
    with suppress(OSError):
        return path.stat().st_ino
    return None


def move_aside(path: Path, seen: int | None) -> Path | None:
    """Rename a damaged database and its side files, so that a fresh one can be made.

    Args:
        path: the database.
        seen: `inode` of the file that was found damaged; when another process has already put a
            fresh one in its place, nothing is done.

    Returns:
        The new name `<path>.corrupt-<time>`, or `None` when nothing was done.

    Raises:
        StoreError: it cannot be moved.
        OSError: it cannot be moved.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    if not lock.acquire(wait=5.0):
        return None
    try:
        if inode(path) is None or inode(path) != seen:
            return None
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        aside = path.with_name(f"{path.name}.corrupt-{stamp}")
        for suffix in _SIDE_FILES:
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
        path.rename(aside)
        return aside
    finally:
        lock.release()


def _code(error: sqlite3.Error) -> int:
    """Primary result code; 0 for errors of the Python module itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait for other openers here, so we do."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not busy(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(
    connection: sqlite3.Connection, path: Path | str, migrations: Sequence[Migration]
) -> None:
    with transaction(connection):  # asked again inside: another process may have been faster
        version = _version(connection)
        if version > len(migrations):
            raise NewerSchema(
                f"`{path}` was written by a newer version of Accordeur.",
                hint="pip install --upgrade accordeur",
            )
        for number in range(version, len(migrations)):
            migrations[number](connection)
            connection.execute(f"PRAGMA user_version = {number + 1}")
