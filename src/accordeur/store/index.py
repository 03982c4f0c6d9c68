"""A list of the runs: an SQLite file beside them that can always be rebuilt from the folders.

The folders are the truth. Every reading first compares them with the index (one `stat` or two for
each run) and reads again only those that changed; a missing, stale or damaged index costs time,
never a run. Where no file can be written, the index lives in memory.
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from accordeur.core.errors import RunInUse, StoreError
from accordeur.core.paths import runs_folder
from accordeur.store.database import connect, inode, move_aside, transaction
from accordeur.store.durable import TEMPORARY_SUFFIX, disk_errors
from accordeur.store.file_lock import locked
from accordeur.store.journal import Warn
from accordeur.store.json_files import read_object
from accordeur.store.run_folder import LOCK, PLAN, STATE, RunFolder

T = TypeVar("T")

FILE = "index.sqlite"

_SEEN = (PLAN, "manifest.json", STATE)  # what an entry is made of
_SHORTEST_HASH = 4


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run in a list.

    Attributes:
        name: of its folder.
        folder: where it lies.
        task: name of its task.
        plan: hash of its plan; empty when its manifest is damaged.
        phase: how far it is; empty before the first phase.
        created, updated: ISO 8601, UTC.
        live: a process works on it now.
        state: everything in `state.json`.
    """

    name: str
    folder: Path
    task: str
    plan: str
    phase: str
    created: str
    updated: str
    live: bool = False
    state: dict[str, Any] = field(default_factory=dict)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE runs (name TEXT PRIMARY KEY, signature TEXT NOT NULL, task TEXT NOT NULL,"
        " plan TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL, state TEXT NOT NULL)"
    )


MIGRATIONS = [_create]
"""Numbered by position; only ever added to."""


class RunIndex:
    """The runs of one folder.

    Args:
        root: the folder of runs; default `core.paths.runs_folder()`. It need not exist.
        warn: told when the index was damaged and is rebuilt.
    """

    def __init__(self, root: Path | None = None, *, warn: Warn | None = None) -> None:
        self.root = (root if root is not None else runs_folder()).absolute()
        self.path = self.root / FILE
        self._warn = warn
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish; a later call opens the index again."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = None

    def runs(self) -> list[RunInfo]:
        """All runs, the last updated first."""
        if not self.root.is_dir():
            return []
        return self._attempt(self._refresh)

    def find(self, reference: str) -> RunInfo:
        """The run that a name, the start of one, of a plan's hash, or a folder's path means.

        Raises:
            StoreError: none or several are meant; the hint names the nearest.
        """
        runs = self.runs()
        text = self._as_name(reference)
        exact = [run for run in runs if run.name == text]
        if exact:
            return exact[0]
        matches = [run for run in runs if text and run.name.startswith(text)]
        if not matches and len(text) >= _SHORTEST_HASH:
            matches = [run for run in runs if run.plan.startswith(text)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            names = ", ".join(f"`{run.name}`" for run in matches[:5])
            raise StoreError(
                f"`{reference}` means {len(matches)} runs.", hint=f"write more of one: {names}"
            )
        raise StoreError(f"There is no run `{reference}`.", hint=_nearest(text, runs))

    def latest(self) -> RunInfo:
        """The run that was updated last.

        Raises:
            StoreError: there is none.
        """
        runs = self.runs()
        if not runs:
            raise StoreError(f"There are no runs in `{self.root}`.", hint=_nearest("", runs))
        return runs[0]

    def delete(self, reference: str) -> RunInfo:
        """Remove a run for good.

        Raises:
            RunInUse: a process works on it.
            StoreError: none or several are meant, or it cannot be removed.
        """
        info = self.find(reference)
        run = RunFolder(info.folder, warn=self._warn or (lambda _: None))
        trash = self.root / f".{info.name[:80]}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
        try:
            with run.lock(), disk_errors(info.folder):
                # Gone at once for everybody; removing its files may take its time.
                info.folder.rename(trash)
        except RunInUse as error:
            raise RunInUse(
                error.message, hint=f"wait for it to end or stop it, then: runs rm {info.name}"
            ) from error
        with disk_errors(trash, "The run is no longer listed."):
            shutil.rmtree(trash)
        self.runs()
        return info

    def _as_name(self, reference: str) -> str:
        """A path of a run's folder, as a shell completes it, means the run."""
        path = Path(reference)
        if len(path.parts) > 1 and path.absolute().parent.resolve() == self.root.resolve():
            return path.name
        return reference

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it with the index on disk; with a fresh one when it is damaged; else in memory."""
        for _ in range(2):
            seen = inode(self.path)
            try:
                if self._database is None:
                    self._database = connect(self.path, MIGRATIONS)
                return work(self._database)
            except (sqlite3.Error, StoreError) as error:
                self.close()
                if not self._move_aside(error, seen):
                    break
        memory = connect(":memory:", MIGRATIONS)
        try:
            return work(memory)
        finally:
            memory.close()

    def _move_aside(self, error: Exception, seen: int | None) -> bool:
        """Make room for a fresh index; false when that would not help."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_BUSY) & 0xFF
        # SQLITE_ERROR: a table is missing or has other columns.
        if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            return False
        try:
            aside = move_aside(self.path, seen)
        except (OSError, StoreError):
            return False
        if aside is not None and self._warn is not None:
            self._warn(
                f"The index `{self.path}` is damaged ({error}); it was moved to `{aside.name}` and "
                "is rebuilt from the run folders."
            )
        return True

    def _refresh(self, database: sqlite3.Connection) -> list[RunInfo]:
        there = {folder.name: _signature(folder) for folder in self._folders()}
        known = dict(database.execute("SELECT name, signature FROM runs").fetchall())
        changed = [name for name, signature in there.items() if known.get(name) != signature]
        gone = [name for name in known if name not in there]
        if changed or gone:
            with transaction(database):
                database.executemany("DELETE FROM runs WHERE name = ?", [(name,) for name in gone])
                database.executemany(
                    "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(name, there[name], *_read(self.root / name)) for name in changed],
                )
        rows = database.execute(
            "SELECT name, task, plan, created, updated, state FROM runs"
            " ORDER BY updated DESC, created DESC, name"
        ).fetchall()
        return [self._info(*row) for row in rows]

    def _info(
        self, name: str, task: str, plan: str, created: str, updated: str, state: str
    ) -> RunInfo:
        details = json.loads(state)
        return RunInfo(
            name=name,
            folder=self.root / name,
            task=task,
            plan=plan,
            phase=str(details.get("phase", "")),
            created=created,
            updated=updated,
            live=locked(self.root / name / LOCK),
            state=details,
        )

    def _folders(self) -> list[Path]:
        return [
            Path(entry.path)
            for entry in os.scandir(self.root)
            if not entry.name.startswith(".")
            and entry.is_dir(follow_symlinks=False)
            and Path(entry.path, PLAN).is_file()
        ]


def _signature(folder: Path) -> str:
    """Changes whenever a file that an entry is made of is replaced."""
    parts = []
    for name in _SEEN:
        with suppress(OSError):
            status = (folder / name).stat()
            parts.append(f"{name}:{status.st_ino}:{status.st_mtime_ns}:{status.st_size}")
    return " ".join(parts)


def _read(folder: Path) -> tuple[str, str, str, str, str]:
    """Task, plan, created, updated and state of a run; damaged files give what is left."""
    manifest = read_object(folder / "manifest.json") or {}
    state = read_object(folder / STATE) or {}
    with suppress(OSError):
        changed = datetime.fromtimestamp((folder / PLAN).stat().st_mtime, UTC)
        manifest.setdefault("created", changed.isoformat(timespec="seconds"))
    created = str(manifest.get("created", ""))
    updated = max(created, str(manifest.get("updated", "")), str(state.get("updated", "")))
    task = str(manifest.get("task") or folder.name.rpartition("-")[0])
    return task, str(manifest.get("plan", "")), created, updated, json.dumps(state)


def _nearest(text: str, runs: list[RunInfo]) -> str:
    if not runs:
        return "accordeur run TASK makes one"
    names = [run.name for run in runs]
    near = difflib.get_close_matches(text, names, n=3, cutoff=0.3) or names[:3]
    return f"did you mean {' or '.join(f'`{name}`' for name in near)}? accordeur runs list"
