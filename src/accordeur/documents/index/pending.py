"""Vectors of a build that is not finished, so that a killed one does not embed the same text twice.

A file of its own beside the index, with transactions of its own: the index itself changes in one
transaction at the very end. When that is done, the file goes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from accordeur.core.model import FloatArray
from accordeur.store.database import connect, transaction

FILE = "unfinished.sqlite"
_SIDES = ("", "-wal", "-shm", "-journal")
_AT_ONCE = 500


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE embedder (key TEXT NOT NULL)")
    connection.execute(
        "CREATE TABLE vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
    )


class PendingVectors:
    """Vectors by the hash of their text.

    Args:
        folder: of the index.
        key: of the embedder; what another one left is thrown away.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / FILE
        try:
            self._database = self._open(key)
        except sqlite3.DatabaseError:  # damaged: it holds nothing that cannot be made again
            self.discard(folder)
            self._database = self._open(key)

    def _open(self, key: str) -> sqlite3.Connection:
        database = connect(self._path, [_create])
        with transaction(database):
            if database.execute("SELECT key FROM embedder").fetchall() != [(key,)]:
                database.execute("DELETE FROM embedder")
                database.execute("DELETE FROM vectors")
                database.execute("INSERT INTO embedder VALUES (?)", (key,))
        return database

    def add(self, hashes: Iterable[bytes], vectors: FloatArray) -> None:
        """Keep vectors, from now on even through `kill -9`."""
        rows = [
            (key, vector.tobytes())
            for key, vector in zip(hashes, vectors.astype("<f4"), strict=True)
        ]
        with transaction(self._database):
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def known(self, hashes: Sequence[bytes]) -> dict[bytes, FloatArray]:
        """Those that are there."""
        found: dict[bytes, FloatArray] = {}
        for start in range(0, len(hashes), _AT_ONCE):
            some = hashes[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = self._database.execute(
                f"SELECT hash, vector FROM vectors WHERE hash IN ({marks})", some
            )
            found.update((key, np.frombuffer(vector, dtype="<f4")) for key, vector in rows)
        return found

    def close(self) -> None:
        """Finish; the vectors stay."""
        with suppress(sqlite3.Error):
            self._database.close()

    @staticmethod
    def discard(folder: Path) -> None:
        """Remove what an unfinished build left."""
        for side in _SIDES:
            with suppress(FileNotFoundError):
                (folder / f"{FILE}{side}").unlink()
