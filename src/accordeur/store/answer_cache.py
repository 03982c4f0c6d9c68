"""Model calls that need not be made again: one SQLite file in the user's cache folder.

A cache must never end a run. A damaged file is moved aside and a fresh one begun; a full disk, a
folder that cannot be written or a file of a newer version switches the cache off. Each is said
once. Several processes and threads may use the same file at once.

Values are JSON, compressed; the key is a hash of everything that could change the answer. Entries
are never changed: an answer, once given, stays with its first-run seconds and tokens.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from accordeur.core.errors import StoreError
from accordeur.core.fingerprint import digest
from accordeur.core.paths import cache_folder
from accordeur.store.database import busy, connect, damaged, inode, move_aside, transaction
from accordeur.store.journal import Warn

T = TypeVar("T")

FILE = "answers.sqlite"

_CHUNK = 500  # keys of one statement; older SQLite allows 999
_DAY = 86_400.0


def cache_key(
    *,
    model: Mapping[str, Any],
    parts: str,
    request: Any,
    decoding: Mapping[str, Any],
    engine: str,
    dtype: str,
    batch_policy: Any,
    repeat: int = 0,
) -> str:
    """Hash of everything that could change an answer (DESIGN section 8), 64 hexadecimal digits.

    Args:
        model: identity: resolved name, digest or system fingerprint, template.
        parts: the candidate's fingerprint.
        request: the exact rendered request, plain data.
        decoding: sampling settings, or the continuations scored.
        engine: name and version of the code that runs the model.
        dtype: of the computation.
        batch_policy: how batches are formed, and the batch where companions change the result.
        repeat: number of this repeat of the same request; each repeat has its own entry.

    Raises:
        TypeError: something is not plain data.
    """
    return digest(
        {
            "model": dict(model),
            "parts": parts,
            "request": request,
            "decoding": dict(decoding),
            "engine": engine,
            "dtype": dtype,
            "batch_policy": batch_policy,
            "repeat": repeat,
        }
    )


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE answers"
        " (key TEXT PRIMARY KEY, value BLOB NOT NULL, created REAL NOT NULL, used REAL NOT NULL)"
    )


def _index_by_use(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX answers_used ON answers (used)")


MIGRATIONS = [_create, _index_by_use]
"""Numbered by position; only ever added to."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What the cache holds and how it served this process.

    Attributes:
        path: the file.
        enabled: false when it was switched off.
        entries: answers it holds.
        bytes: their size, compressed.
        hits, misses: keys this process asked for.
        oldest, newest: seconds since the epoch; `None` when it is empty.
    """

    path: Path
    enabled: bool
    entries: int
    bytes: int
    hits: int
    misses: int
    oldest: float | None
    newest: float | None


class SqliteAnswerCache:
    """The answer cache of `core.cache.AnswerCache`, on disk.

    Args:
        path: the file; default `answers.sqlite` in the user's cache folder.
        warn: told when the cache is begun anew or switched off.
    """

    def __init__(self, path: Path | None = None, *, warn: Warn | None = None) -> None:
        self.path = path if path is not None else cache_folder() / FILE
        self._warn = warn
        self._thread = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._hits = 0
        self._misses = 0
        with self._thread:
            self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def enabled(self) -> bool:
        """It works; false after it was switched off or closed."""
        return self._database is not None

    def close(self) -> None:
        """Finish; asking it afterwards finds nothing."""
        with self._thread:
            if self._database is not None:
                with suppress(sqlite3.Error):
                    self._database.close()
            self._database = None

    def get_many(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The entries that are there, by key."""
        nothing: dict[str, dict[str, Any]] = {}
        found = self._attempt(lambda database: self._get(database, keys), nothing)
        with self._thread:
            self._hits += len(found)
            self._misses += len(set(keys)) - len(found)
        return found

    def put_many(self, entries: Mapping[str, dict[str, Any]]) -> None:
        """Add entries; those already there stay as they are.

        Raises:
            TypeError, ValueError: a value is not JSON, or holds NaN.
        """
        now = time.time()
        rows = [(key, _pack(value), now, now) for key, value in entries.items()]
        if rows:
            self._attempt(lambda database: self._put(database, rows), None)

    def prune(self, *, older_than_days: float | None = None, max_bytes: int | None = None) -> int:
        """Forget entries not used for long, then those used longest ago until the rest fits.

        Args:
            older_than_days: age of the last use, to the day; `None` keeps all.
            max_bytes: size of all values together; `None` is unlimited.

        Returns:
            Entries forgotten.
        """

        def work(database: sqlite3.Connection) -> int:
            before = database.total_changes
            with transaction(database):
                if older_than_days is not None:
                    limit = time.time() - older_than_days * _DAY
                    database.execute("DELETE FROM answers WHERE used < ?", (limit,))
                if max_bytes is not None:
                    database.execute(
                        "DELETE FROM answers WHERE key IN (SELECT key FROM (SELECT key, "
                        "SUM(LENGTH(value)) OVER (ORDER BY used DESC, created DESC, key) AS total "
                        "FROM answers) WHERE total > ?)",
                        (max_bytes,),
                    )
            removed = database.total_changes - before
            if removed:
                with suppress(sqlite3.OperationalError):  # needs room and nobody reading
                    database.execute("VACUUM")
            return removed

        return self._attempt(work, 0)

    def stats(self) -> CacheStats:
        """What it holds and how it served this process."""

        def work(database: sqlite3.Connection) -> tuple[Any, ...]:
            query = "SELECT COUNT(*), TOTAL(LENGTH(value)), MIN(created), MAX(created) FROM answers"
            row: tuple[Any, ...] = database.execute(query).fetchone()
            return row

        entries, size, oldest, newest = self._attempt(work, (0, 0.0, None, None))
        return CacheStats(
            path=self.path,
            enabled=self.enabled,
            entries=int(entries),
            bytes=int(size),
            hits=self._hits,
            misses=self._misses,
            oldest=oldest,
            newest=newest,
        )

    def _get(self, database: sqlite3.Connection, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        broken: list[str] = []
        stale: list[str] = []
        yesterday = time.time() - _DAY
        for chunk in _chunks(list(dict.fromkeys(keys))):
            query = f"SELECT key, value, used FROM answers WHERE key IN ({_marks(chunk)})"
            for key, value, used in database.execute(query, chunk):
                try:
                    found[key] = _unpack(value)
                except (zlib.error, ValueError, TypeError):
                    broken.append(key)
                    continue
                if used < yesterday:  # once a day is enough for pruning, and keeps reads reads
                    stale.append(key)
        if broken or stale:
            with transaction(database):
                for chunk in _chunks(broken):
                    database.execute(f"DELETE FROM answers WHERE key IN ({_marks(chunk)})", chunk)
                for chunk in _chunks(stale):
                    database.execute(
                        f"UPDATE answers SET used = ? WHERE key IN ({_marks(chunk)})",
                        [time.time(), *chunk],
                    )
        return found

    def _put(
        self, database: sqlite3.Connection, rows: list[tuple[str, bytes, float, float]]
    ) -> None:
        with transaction(database):
            database.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", rows)

    def _attempt(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do it; when the file is damaged, begin a fresh one and do it there."""
        with self._thread:
            for _ in range(2):
                if self._database is None:
                    return otherwise
                try:
                    return work(self._database)
                except sqlite3.ProgrammingError:
                    raise
                except sqlite3.Error as error:
                    if damaged(error):
                        self._begin_anew(error)
                    elif busy(error):
                        self._say(f"The answer cache `{self.path}` is busy; going on without.")
                        return otherwise
                    else:
                        self._switch_off(error)
            return otherwise

    def _open(self, *, again: bool = False) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._inode = inode(self.path)
            self._database = connect(self.path, MIGRATIONS)
            self._inode = inode(self.path)
        except sqlite3.Error as error:
            if damaged(error) and not again:
                self._begin_anew(error)
            else:
                self._switch_off(error)
        except (OSError, StoreError) as error:
            self._switch_off(error)

    def _begin_anew(self, error: sqlite3.Error) -> None:
        self.close()
        try:
            aside = move_aside(self.path, self._inode)
        except (OSError, StoreError) as problem:
            self._switch_off(problem)
            return
        if aside is not None:
            self._say(
                f"The answer cache `{self.path}` is damaged ({error}); it was moved to "
                f"`{aside.name}` and a fresh one is begun."
            )
        self._open(again=True)

    def _switch_off(self, error: Exception) -> None:
        self.close()
        reason = error.message if isinstance(error, StoreError) else error
        self._say(f"The answer cache `{self.path}` is switched off for this run: {reason}")

    def _say(self, message: str) -> None:
        if self._warn is not None:
            self._warn(message)


def _pack(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return zlib.compress(text.encode("ascii"), 6)


def _unpack(value: bytes) -> dict[str, Any]:
    data = json.loads(zlib.decompress(value))
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _marks(keys: list[str]) -> str:
    return ",".join("?" * len(keys))
