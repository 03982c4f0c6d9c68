"""The vectors of a build: what is there is used again, the rest is embedded, all in a new file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.core.errors import ModelError
from accordeur.core.model import Embedder, FloatArray
from accordeur.documents.index.build_report import BuildReport
from accordeur.documents.index.pending import PendingVectors
from accordeur.documents.index.settings import EmbedderInfo
from accordeur.documents.index.titles import embedded_text
from accordeur.documents.index.vector_file import VectorsLost, map_vectors, write_vectors

Progress = Callable[[str, int, int], None]
"""Told a phase (`reading` files, `embedding` passages), how many are done, and of how many."""

BATCH = 64
"""Texts embedded between two looks at the clock; a killed build loses one batch at most."""

_BLOCK = 4_096
_OFF = 1e-3
"""From 1, the length of a vector; search relies on it (`documents.vectors.UNIT`)."""

# Passages of documents that are there, in the order of their numbers to be.
_ORDER = (
    "SELECT p.id, p.hash, p.number FROM passages p JOIN (SELECT content, MIN(name) AS name"
    " FROM documents WHERE content IS NOT NULL GROUP BY content) d ON d.content = p.content"
    " ORDER BY d.name, p.start, p.end"
)


def place_vectors(
    connection: sqlite3.Connection,
    folder: Path,
    embedder: Embedder | None,
    before: Mapping[str, Any],
    report: BuildReport,
    progress: Progress,
) -> str | None:
    """Number the passages and give each its vector.

    Args:
        connection: within the transaction; passages that were there have their old numbers.
        folder: of the index.
        embedder: of passages, if there are vectors.
        before: the facts of the index as it was.
        report: told what was embedded.
        progress: told how far it is.

    Returns:
        Name of the file of vectors, not yet named by the index; `None` without an embedder.
    """
    rows = connection.execute(_ORDER).fetchall()
    name = None
    if embedder is not None:
        name = _vectors(connection, folder, embedder, before, report, progress, rows)
    moved = [(at, key) for at, (key, _, number) in enumerate(rows) if number != at]
    connection.executemany("UPDATE passages SET number = ? WHERE id = ?", moved)
    return name


def _vectors(
    connection: sqlite3.Connection,
    folder: Path,
    embedder: Embedder,
    before: Mapping[str, Any],
    report: BuildReport,
    progress: Progress,
    rows: Sequence[tuple[int, bytes, int | None]],
) -> str:
    info = EmbedderInfo.of(embedder)
    old = _old_vectors(folder, before, info)
    there = before.get("vectors")
    if old is not None and there and [row[2] for row in rows] == list(range(len(old))):
        return str(there)  # nothing to do with them
    places = _places(connection, rows) if old is not None else {}
    missing = list(dict.fromkeys(key for _, key, _ in rows if key not in places))
    pending = PendingVectors(folder, info.key)
    try:
        pending.keep_only(missing)
        _embed(connection, embedder, missing, pending, report, progress)

        def blocks() -> Iterator[FloatArray]:
            for start in range(0, len(rows), _BLOCK):
                keys = [key for _, key, _ in rows[start : start + _BLOCK]]
                fresh = pending.known(list({key for key in keys if key not in places}))
                block = np.empty((len(keys), info.dimension), dtype=np.float32)
                for at, key in enumerate(keys):
                    block[at] = fresh[key] if key in fresh else _row(old, places[key])
                yield block

        return write_vectors(folder, (len(rows), info.dimension), blocks())
    finally:
        pending.close()


def _row(old: FloatArray | None, place: int) -> FloatArray:
    assert old is not None
    row: FloatArray = old[place]
    return row


def _old_vectors(folder: Path, before: Mapping[str, Any], info: EmbedderInfo) -> FloatArray | None:
    """The vectors the index has, where they are of this embedder."""
    was = before.get("embedder")
    if not was or EmbedderInfo(**was).key != info.key:
        return None
    return map_vectors(folder / before["vectors"], (before["passages"], info.dimension))


def whole_vectors(folder: Path, before: Mapping[str, Any]) -> bool:
    """Whether the vectors that an index names can be used."""
    was = before.get("embedder")
    if not was:
        return False
    try:
        return _old_vectors(folder, before, EmbedderInfo(**was)) is not None
    except VectorsLost:
        return False


def _places(
    connection: sqlite3.Connection, rows: Sequence[tuple[int, bytes, int | None]]
) -> dict[bytes, int]:
    """Where the old file has the vector of a text; texts of dropped passages count, too."""
    found = {key: number for _, key, number in rows if number is not None}
    for _, key, number in rows:
        if number is None and key not in found:
            row = connection.execute(
                "SELECT number FROM passages WHERE hash = ? AND number IS NOT NULL LIMIT 1", (key,)
            ).fetchone()
            if row is not None:
                found[key] = row[0]
    return found


def _embed(
    connection: sqlite3.Connection,
    embedder: Embedder,
    missing: Sequence[bytes],
    pending: PendingVectors,
    report: BuildReport,
    progress: Progress,
) -> None:
    """Vectors of texts, into `pending`; what an unfinished build left there is not made again."""
    left: list[bytes] = []
    for start in range(0, len(missing), _BLOCK):
        some = missing[start : start + _BLOCK]
        known = pending.known(some)
        left += [key for key in some if key not in known]
    report.kept = len(missing) - len(left)
    for start in range(0, len(left), BATCH):
        keys = left[start : start + BATCH]
        progress("embedding", report.kept + start, len(missing))
        texts = [_text(connection, key) for key in keys]
        pending.add(keys, _checked(embedder, embedder.embed(texts), len(texts)))
        report.embedded += len(keys)
    if missing:
        progress("embedding", len(missing), len(missing))


def _checked(embedder: Embedder, vectors: FloatArray, texts: int) -> FloatArray:
    """What an embedder gave, before it is kept for long.

    Raises:
        ModelError: it is not a unit vector for each text.
    """
    lengths = np.linalg.norm(vectors, axis=-1)
    if vectors.shape != (texts, embedder.dimension) or not (abs(lengths - 1) < _OFF).all():
        raise ModelError(
            f"`{embedder.identity.name}` did not give a vector of length 1 for every text.",
            hint="choose another embedder: accordeur index build NAME DOCS... --embedder MODEL",
        )
    return vectors


def _text(connection: sqlite3.Connection, key: bytes) -> str:
    row = connection.execute(
        "SELECT titles, text FROM passages WHERE hash = ? LIMIT 1", (key,)
    ).fetchone()
    return embedded_text(*row)
