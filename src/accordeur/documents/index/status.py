"""What an index holds, and what has changed in its files since. Nothing is written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from accordeur.documents.index.files import LOCK, index_errors
from accordeur.documents.index.index import Index, open_index
from accordeur.documents.index.ledger import Known, known_documents
from accordeur.documents.index.scanning import SourceFile, scan, signature
from accordeur.documents.readers import Unreadable, reader_for
from accordeur.documents.readers.files import content_hash, read_whole
from accordeur.store.file_lock import locked


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """An index and its files.

    Attributes:
        folder: of the index.
        sources: files and folders it was built from; those that are gone stand in `lost`.
        documents, passages, tokens: in it.
        skipped: name of a file -> why it is not in it.
        embedder: name of what made the vectors; empty when only words are indexed.
        chunk_tokens, overlap: how passages were cut.
        size: bytes on the disk.
        updated: ISO 8601, UTC.
        added, changed, deleted: names of files that the next update would read or drop.
        lost: sources that are not there any more.
        building: a process changes it now.
        fault: what is wrong with its own files; empty where all is well.
    """

    folder: str
    sources: tuple[str, ...]
    documents: int
    passages: int
    tokens: int
    skipped: Mapping[str, str]
    embedder: str
    chunk_tokens: int
    overlap: int
    size: int
    updated: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    lost: tuple[str, ...]
    building: bool
    fault: str

    @property
    def clean(self) -> bool:
        """Whole, and equal to its files."""
        return not (self.added or self.changed or self.deleted or self.lost or self.fault)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "clean": self.clean}


def index_status(folder: Path) -> IndexStatus:
    """Compare an index with its files.

    Raises:
        StoreError: there is no index, or it is damaged.
    """
    with open_index(folder) as index, index_errors(folder):
        facts, connection = index.facts, index.connection
        known = known_documents(connection)
        lost = tuple(str(source) for source in index.sources if not source.exists())
        there = [source for source in index.sources if source.exists()]
        several = len(index.sources) > 1
        files = {
            file.name: file for file in scan(there, index.settings.exclude, folder, several=several)
        }
        limit = index.settings.max_file_size
        (tokens,) = connection.execute("SELECT COALESCE(SUM(tokens), 0) FROM passages").fetchone()
        return IndexStatus(
            str(folder),
            tuple(str(source) for source in index.sources),
            sum(one.content is not None for one in known.values()),
            len(index),
            tokens,
            {name: one.reason for name, one in known.items() if one.content is None},
            index.embedder.name if index.embedder is not None else "",
            facts["size"]["tokens"],
            facts["size"]["overlap"],
            sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
            index.updated,
            tuple(name for name in files if name not in known),
            tuple(
                name
                for name, file in files.items()
                if name in known and _touched(connection, file, known[name], limit)
            ),
            tuple(name for name in known if name not in files),
            lost,
            locked(folder / LOCK),
            _fault(connection, index),
        )


def _touched(connection: sqlite3.Connection, file: SourceFile, known: Known, limit: int) -> bool:
    """Whether an update would find another content than the index has."""
    try:
        reader = reader_for(file.name)
        if known.signature == f"{signature(os.lstat(file.path))}:{reader.key}:{limit}":
            return False
        data, _ = read_whole(file.path, limit)
    except (Unreadable, OSError):
        return known.content is not None
    row = connection.execute(
        "SELECT id FROM contents WHERE hash = ? AND reader = ?", (content_hash(data), reader.key)
    ).fetchone()
    if known.content is None:  # skipped before, and perhaps again: only another file counts
        return False
    return row is None or row[0] != known.content


def _fault(connection: sqlite3.Connection, index: Index) -> str:
    """Whether words, passages and vectors belong together."""
    (numbered, words) = connection.execute(
        "SELECT COUNT(DISTINCT number), (SELECT COUNT(*) FROM passage_words_docsize) FROM passages"
    ).fetchone()
    if numbered != len(index):
        return f"{numbered:,} of {len(index):,} passages have a number of their own"
    if words != len(index):
        return f"the words of {words:,} passages are indexed, and there are {len(index):,}"
    (checked,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return "" if checked == "ok" else str(checked)
