"""Build an index, or bring it up to date with its files.

1. Every file of the sources is compared with the ledger; what was touched is read and hashed, what
   is new is read by its reader and cut into passages.
2. Texts without a vector are embedded; each batch is kept at once in `unfinished.sqlite`.
3. The vectors are written to a new file, in the order of passages.
4. One SQLite transaction, begun before 1, makes all of it count: documents, passages, words, and
   the name of the file of vectors. Whatever stops the program before that moment (an exception, a
   full disk, `kill -9`) leaves the index as it was; who searches meanwhile sees the old one.

Passages are numbered by document and place, so an index that grew by updates is the same, down to
its fingerprint, as one that was built at once.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from accordeur.core.errors import StoreError, UsageError
from accordeur.core.model import Embedder
from accordeur.documents.index.build_report import BuildReport
from accordeur.documents.index.embedding import Progress, place_vectors, whole_vectors
from accordeur.documents.index.files import exists, index_errors, sweep, writing
from accordeur.documents.index.ledger import Ledger
from accordeur.documents.index.pending import PendingVectors
from accordeur.documents.index.scanning import check_sources
from accordeur.documents.index.schema import FILE, MIGRATIONS, fingerprint, read_facts, write_fact
from accordeur.documents.index.settings import VERSION, EmbedderInfo, IndexSettings, passages_key
from accordeur.store.database import connect, transaction
from accordeur.store.durable import timestamp


def build_index(
    sources: Sequence[Path],
    folder: Path,
    settings: IndexSettings | None = None,
    embedder: Embedder | None = None,
    *,
    progress: Progress | None = None,
    again: bool = False,
) -> BuildReport:
    """Make an index of files, or bring one that is there up to date with them.

    Args:
        sources: folders and files.
        folder: of the index; made when missing.
        settings: how documents are read and cut.
        embedder: of passages; without one, words alone are indexed.
        progress: told what is done.
        again: begin anew, whatever the index was built with. Until the new one is complete the old
            one answers.

    Raises:
        UsageError: no sources, or one that is not there.
        StoreError: the index was built otherwise and `again` is not set; another process changes
            it; it cannot be written.
    """
    wanted = settings or IndexSettings()
    places = check_sources(sources)
    with writing(folder), index_errors(folder):
        connection = connect(folder / FILE, MIGRATIONS)
        try:
            if not again:
                _refuse_mixing(connection, folder, wanted, embedder)
            again = again or _older(read_facts(connection))
            return _change(connection, folder, places, wanted, embedder, progress, again)
        finally:
            connection.close()


def update_index(
    folder: Path, embedder: Embedder | None = None, *, progress: Progress | None = None
) -> BuildReport:
    """Bring an index up to date with the files it was built from, by its own settings.

    Args:
        folder: of the index.
        embedder: the one it was built with.
        progress: told what is done.

    Raises:
        StoreError: there is no index, it was built with another embedder, another process changes
            it, or it cannot be written.
        UsageError: a source is not there any more.
    """
    if not exists(folder):
        raise no_index(folder)
    with writing(folder), index_errors(folder):
        connection = connect(folder / FILE, MIGRATIONS)
        try:
            facts = read_facts(connection)
            if not facts:
                raise no_index(folder)
            settings = IndexSettings.from_json(facts["settings"])
            _refuse_mixing(connection, folder, settings, embedder)
            places = check_sources([Path(one) for one in facts["sources"]])
            again = _older(facts)
            return _change(connection, folder, places, settings, embedder, progress, again)
        finally:
            connection.close()


def no_index(folder: Path) -> StoreError:
    """The message where there is none."""
    return StoreError(
        f"There is no index in `{folder}`.", hint=f"accordeur index build {folder} DOCS..."
    )


def _refuse_mixing(
    connection: sqlite3.Connection,
    folder: Path,
    settings: IndexSettings,
    embedder: Embedder | None,
) -> None:
    facts = read_facts(connection)
    info = EmbedderInfo.of(embedder) if embedder is not None else None
    if not facts:
        return
    key = passages_key(settings.size(embedder), info, _version(facts))
    if facts["passages_key"] == key:
        return
    was, now = facts["embedder"], info.to_json() if info else None
    if was != now:
        told = f"with {_embedder_words(was)}, not with {_embedder_words(now)}"
    else:
        size = facts["size"]
        told = f"in chunks of {size['tokens']} tokens with an overlap of {size['overlap']}"
    raise StoreError(
        f"The index `{folder}` was built {told}; the two cannot be mixed.",
        hint=f"accordeur index build {folder} DOCS... --again",
    )


def _version(facts: Mapping[str, Any]) -> int:
    return int(facts.get("version", 1))


def _older(facts: Mapping[str, Any]) -> bool:
    """Whether an index was made by a program that cut or embedded otherwise."""
    return bool(facts) and _version(facts) < VERSION


def _embedder_words(info: dict[str, object] | None) -> str:
    if info is None:
        return "words alone"
    return f"`{info['name']}` ({str(info['digest'])[:8]}, {info['dtype'] or 'unknown dtype'})"


def _change(
    connection: sqlite3.Connection,
    folder: Path,
    sources: tuple[Path, ...],
    settings: IndexSettings,
    embedder: Embedder | None,
    progress: Progress | None,
    again: bool,
) -> BuildReport:
    begun = time.monotonic()
    report = BuildReport()
    # A vector file goes only after the transaction that no longer names it is on the disk.
    connection.execute("PRAGMA synchronous = FULL")
    before = read_facts(connection)
    if again and not whole_vectors(folder, before):
        before = {}
    sweep(folder, before.get("vectors"))
    tell = progress or _silent
    with transaction(connection):
        size = settings.size(embedder)
        ledger = Ledger(connection, folder, sources, settings, size, embedder, report)
        if again:
            ledger.forget_all()
        ledger.read(tell)
        vectors = place_vectors(connection, folder, embedder, before, report, tell)
        ledger.drop_unused()
        info = EmbedderInfo.of(embedder) if embedder is not None else None
        for name, value in {
            "settings": settings.to_json(),
            "size": {"tokens": size.tokens, "overlap": size.overlap},
            "sources": [str(source) for source in sources],
            "embedder": info.to_json() if info else None,
            "passages_key": passages_key(size, info),
            "version": VERSION,
            "vectors": vectors,
            "updated": timestamp(),
        }.items():
            write_fact(connection, name, value)
        ledger.count(size)
        write_fact(connection, "fingerprint", fingerprint(connection))
    sweep(folder, vectors)
    PendingVectors.discard(folder)
    with suppress(sqlite3.Error):  # somebody reads the old one: it is done later
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    report.seconds = time.monotonic() - begun
    return report


def _silent(phase: str, done: int, total: int) -> None:
    """Nobody is told."""


__all__ = ["UsageError", "build_index", "no_index", "update_index"]
