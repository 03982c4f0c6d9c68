"""The ledger: which file gave which content, and what has become of each since the last time."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from accordeur.core.fingerprint import digest_bytes
from accordeur.core.model import Embedder
from accordeur.documents.chunking import ChunkSize, chunk, words_and_marks
from accordeur.documents.document import Document
from accordeur.documents.index.build_report import BuildReport
from accordeur.documents.index.embedding import Progress
from accordeur.documents.index.scanning import SourceFile, scan, signature
from accordeur.documents.index.schema import write_fact
from accordeur.documents.index.settings import IndexSettings
from accordeur.documents.index.titles import embedded_text, titles_over
from accordeur.documents.readers import Reader, Unreadable, reader_for
from accordeur.documents.readers.files import content_hash, read_whole

SETTLED = 2_000_000_000
"""Nanoseconds. A file touched less long ago may be touched again under the same time stamp, so its
content is compared next time, too (the "racy" entries of git's index)."""


@dataclass(frozen=True, slots=True)
class Known:
    """A document as the ledger has it.

    Attributes:
        content: of it; `None` for a file that was skipped.
        reason: why it was skipped.
        signature: of the file, its reader and the limits; empty when it must be looked at again.
    """

    content: int | None
    reason: str
    signature: str


class Ledger:
    """The documents of an index, changed within a transaction.

    Args:
        connection: in a transaction.
        folder: of the index.
        sources: absolute paths.
        settings: how documents are read.
        size: of chunks.
        embedder: counts tokens; without one, words and marks are counted.
        report: told what changed.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        folder: Path,
        sources: Sequence[Path],
        settings: IndexSettings,
        size: ChunkSize,
        embedder: Embedder | None,
        report: BuildReport,
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._sources = sources
        self._settings = settings
        self._size = size
        self._count = embedder.count_tokens if embedder is not None else words_and_marks
        self._most = embedder.max_tokens if embedder is not None else 0
        self._report = report
        self._gone: dict[str, int] = {}

    def forget_all(self) -> None:
        """Begin anew. Old passages stay without a document until `drop_unused`: their vectors may
        be used again."""
        self._connection.execute("DELETE FROM documents")
        self._connection.execute("UPDATE contents SET reader = 'gone/' || id")

    def read(self, progress: Progress) -> None:
        """Compare all files with the ledger, read what is new or changed, forget what is gone."""
        known = known_documents(self._connection)
        files = list(scan(self._sources, self._settings.exclude, self._folder))
        skipped: dict[str, str] = {}
        added: dict[str, int] = {}
        for at, file in enumerate(files):
            progress("reading", at, len(files))
            now = self._look(file, known.get(file.name))
            if now.content is None:
                skipped[file.name] = now.reason
            self._note_change(file.name, known.get(file.name), now, added)
        progress("reading", len(files), len(files))
        self._forget(known, {file.name for file in files})
        self._find_moves(added)
        self._report.skipped = skipped

    def drop_unused(self) -> None:
        """Remove contents that no document has any more, with their passages."""
        unused = "SELECT id FROM contents WHERE id NOT IN (SELECT content FROM documents"
        unused += " WHERE content IS NOT NULL)"
        self._connection.execute(f"DELETE FROM passages WHERE content IN ({unused})")
        self._connection.execute(f"DELETE FROM contents WHERE id IN ({unused})")

    def count(self, size: ChunkSize) -> None:
        """Fill in what the report says of the whole index."""
        report, connection = self._report, self._connection
        (report.documents,) = connection.execute(
            "SELECT COUNT(*) FROM documents WHERE content IS NOT NULL"
        ).fetchone()
        report.passages, report.tokens, report.cut = connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(tokens), 0), COUNT(*) FILTER (WHERE tokens > ?)"
            " FROM passages",
            (self._most or size.tokens,),
        ).fetchone()
        shared = connection.execute(
            "SELECT json_group_array(name) FROM documents WHERE content IS NOT NULL"
            " GROUP BY content HAVING COUNT(*) > 1 ORDER BY MIN(name)"
        ).fetchall()
        report.duplicates = [tuple(sorted(json.loads(names))) for (names,) in shared]
        notes = connection.execute(
            "SELECT d.name, c.notes FROM documents d JOIN contents c ON c.id = d.content"
            " WHERE c.notes != '[]' ORDER BY d.name"
        ).fetchall()
        report.notes = {name: "; ".join(json.loads(told)) for name, told in notes}
        write_fact(connection, "passages", report.passages)

    def _look(self, file: SourceFile, known: Known | None) -> Known:
        """What the ledger is to have of a file."""
        try:
            if file.fault:
                raise Unreadable(f"the folder cannot be looked into: {file.fault}")
            reader = reader_for(file.name)
            rest = f"{reader.key}:{self._settings.max_file_size}"
            if known is not None and known.signature == _touched(file.path, rest):
                return known
            data, status = read_whole(file.path, self._settings.max_file_size)
        except Unreadable as error:
            return self._skip(file, error.reason, "")
        fresh = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < SETTLED
        mark = "" if fresh else f"{signature(status)}:{rest}"
        try:
            content = self._content(reader, content_hash(data), data, file.name)
        except Unreadable as error:
            return self._skip(file, error.reason, mark if error.lasting else "")
        return Known(content, "", mark)

    def _skip(self, file: SourceFile, reason: str, mark: str) -> Known:
        return Known(None, reason, mark)

    def _content(self, reader: Reader, key: bytes, data: bytes, name: str) -> int:
        """The content of these bytes, read and cut now unless it is there."""
        row = self._connection.execute(
            "SELECT id FROM contents WHERE hash = ? AND reader = ?", (key, reader.key)
        ).fetchone()
        if row is not None:
            return int(row[0])
        document = reader.read(data, name)
        chunks = chunk(document, self._size, self._count, markdown=reader.module in ("markdown",))
        if not chunks:
            raise Unreadable("it holds no text")
        content = self._connection.execute(
            "INSERT INTO contents (hash, reader, text, pages, headings, metadata, notes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (key, reader.key, document.text, *_described(document)),
        ).fetchone()[0]
        self._connection.executemany(
            "INSERT INTO passages (content, start, end, page, headings, text, tokens, titles,"
            " hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    content,
                    one.start,
                    one.end,
                    document.page(one.start),
                    json.dumps(one.headings),
                    text := document.text[one.start : one.end],
                    one.tokens,
                    titles := titles_over(document, one, self._count, self._most),
                    bytes.fromhex(digest_bytes(embedded_text(titles, text).encode())),
                )
                for one in chunks
            ),
        )
        return int(content)

    def _note_change(
        self, name: str, known: Known | None, now: Known, added: dict[str, int]
    ) -> None:
        if now != known:
            self._connection.execute(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)",
                (name, now.content, now.reason, now.signature),
            )
        was = known.content if known is not None else None
        if now.content == was:
            self._report.unchanged += now.content is not None
        elif now.content is None:
            self._report.deleted.append(name)
        elif was is None:
            added[name] = now.content
        else:
            self._report.changed.append(name)

    def _forget(self, known: Mapping[str, Known], there: set[str]) -> None:
        for name in [name for name in known if name not in there]:
            content = known[name].content
            if content is not None:
                self._gone[name] = content
            self._connection.execute("DELETE FROM documents WHERE name = ?", (name,))

    def _find_moves(self, added: dict[str, int]) -> None:
        """A content that left one name and came under another has moved."""
        waiting: dict[int, list[str]] = {}
        for name, content in added.items():
            waiting.setdefault(content, []).append(name)
        for name, content in self._gone.items():
            if waiting.get(content):
                new = waiting[content].pop(0)
                del added[new]
                self._report.moved.append((name, new))
            else:
                self._report.deleted.append(name)
        self._report.added = list(added)


def known_documents(connection: sqlite3.Connection) -> dict[str, Known]:
    """The ledger by name."""
    rows = connection.execute(
        "SELECT name, content, reason, signature FROM documents ORDER BY name"
    )
    return {name: Known(*rest) for name, *rest in rows.fetchall()}


def _touched(path: Path, rest: str) -> str:
    try:
        return f"{signature(os.lstat(path))}:{rest}"
    except OSError:
        return "gone"


def _described(document: Document) -> tuple[str, str, str, str]:
    headings = [[one.start, one.level, one.title] for one in document.headings]
    return (
        json.dumps(document.pages),
        json.dumps(headings),
        json.dumps(dict(document.metadata)),
        json.dumps(document.notes),
    )
