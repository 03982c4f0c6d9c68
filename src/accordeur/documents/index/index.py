"""An index as it is searched: one state of it, whatever happens to the folder meanwhile.

Opening takes a snapshot: a read transaction that stays open, and the file of vectors that belongs
to it. An update that is finished later is seen by whoever opens the index again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from accordeur.core.errors import StoreError, UsageError
from accordeur.core.model import Embedder, FloatArray
from accordeur.core.span import Span
from accordeur.documents.document import Document, Heading
from accordeur.documents.filtering import fits
from accordeur.documents.index.build import no_index
from accordeur.documents.index.files import exists, index_errors
from accordeur.documents.index.schema import FILE, MIGRATIONS, read_facts
from accordeur.documents.index.settings import EmbedderInfo, IndexSettings
from accordeur.documents.index.vector_file import VectorsLost, map_vectors
from accordeur.documents.passage import Filter, Found, Passage, Ranking
from accordeur.documents.ranking.expression import match_expression
from accordeur.documents.ranking.order import (
    NO_SCORES,
    Scores,
    asks_vectors,
    asks_words,
    candidates,
    check_ranking,
    found,
)
from accordeur.documents.vectors import UNIT, VectorIndex
from accordeur.store.database import NewerSchema

_TRIES = 5


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A document of an index.

    Attributes:
        name: first of its names in the order of letters.
        also: other names under which the same content stands.
        characters: of its text.
        passages: it was cut into.
        metadata: of it.
    """

    name: str
    also: tuple[str, ...]
    characters: int
    passages: int
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Content:
    names: tuple[str, ...]
    metadata: Mapping[str, str]


class Index:
    """A `Searchable` on disk. Any number of threads may use one. Made by `open_index`."""

    def __init__(
        self,
        folder: Path,
        connection: sqlite3.Connection,
        facts: Mapping[str, Any],
        vectors: FloatArray | None,
        embedder: Embedder | None,
    ) -> None:
        self.folder = folder
        self.settings = IndexSettings.from_json(facts["settings"])
        self.embedder = EmbedderInfo(**facts["embedder"]) if facts["embedder"] else None
        self.sources = tuple(Path(one) for one in facts["sources"])
        self.updated = str(facts["updated"])
        self.ranking = Ranking("fusion" if self.embedder is not None else "lexical")
        self.facts = facts
        self.connection = connection
        self.vectors = vectors
        self._near = None if vectors is None else VectorIndex(vectors, longest=UNIT)
        self._embed = embedder
        self._lock = threading.Lock()
        self._contents = _contents(connection)
        rows = connection.execute("SELECT content FROM passages ORDER BY number").fetchall()
        self._content_of = np.array([row[0] for row in rows], dtype=np.int64)

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
        """Finish."""
        with self._lock, suppress(sqlite3.Error):
            self.connection.close()

    @property
    def fingerprint(self) -> str:
        """Hash of documents, cut and embedder: everything that can change what is found."""
        return str(self.facts["fingerprint"])

    def __len__(self) -> int:
        """Passages."""
        return int(self.facts["passages"])

    def search(
        self,
        questions: Sequence[str],
        k: int,
        *,
        ranking: Ranking | None = None,
        where: Filter | None = None,
    ) -> list[list[Found]]:
        """The k best passages of each question; see `Searchable`.

        A content that stands under several names is found once, under the first of them that
        `where` lets through.

        Raises:
            ValueError: k is below 1.
            UsageError: the ranking cannot be done.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        how = ranking or self.ranking
        check_ranking(how, vectors=self.vectors is not None)
        names = self._names(where or Filter())
        among = None if len(names) == len(self._contents) else list(names)
        n = candidates(how, k)
        nothing = [NO_SCORES] * len(questions)
        lexical = self._by_words(questions, n, among) if asks_words(how) else nothing
        dense = self._by_vectors(questions, n, among) if asks_vectors(how) else nothing
        return [
            found(how, k, words, vectors, lambda number: self._passage(number, names))
            for words, vectors in zip(lexical, dense, strict=True)
        ]

    def documents(self) -> list[IndexedDocument]:
        """All documents by name."""
        rows = self._query(
            "SELECT c.id, length(c.text), (SELECT COUNT(*) FROM passages WHERE content = c.id)"
            " FROM contents c"
        )
        made = [
            IndexedDocument(known.names[0], known.names[1:], characters, passages, known.metadata)
            for content, characters, passages in rows
            for known in (self._contents[content],)
        ]
        return sorted(made, key=lambda one: one.name)

    def document(self, name: str) -> Document:
        """A document whole, as its reader gave it.

        Raises:
            UsageError: there is none of this name.
        """
        rows = self._query(
            "SELECT c.text, c.pages, c.headings, c.metadata, c.notes FROM documents d"
            " JOIN contents c ON c.id = d.content WHERE d.name = ?",
            (name,),
        )
        if not rows:
            raise UsageError(
                f"The index has no document `{name}`.",
                hint=f"accordeur index inspect {self.folder}",
            )
        text, pages, headings, metadata, notes = rows[0]
        return Document(
            name,
            text,
            pages=tuple(json.loads(pages)),
            headings=tuple(Heading(*one) for one in json.loads(headings)),
            metadata=json.loads(metadata),
            notes=tuple(json.loads(notes)),
        )

    def passages(self, name: str) -> list[Passage]:
        """The passages of a document in order, under this name. Errors as `document`."""
        self.document(name)
        rows = self._query(
            "SELECT p.number, p.content FROM passages p JOIN documents d ON d.content = p.content"
            " WHERE d.name = ? ORDER BY p.number",
            (name,),
        )
        return [self._passage(number, {content: name}) for number, content in rows]

    def passage(self, number: int) -> Passage:
        """The passage of a number.

        Raises:
            UsageError: there is none.
        """
        if not 0 <= number < len(self):
            raise UsageError(
                f"There is no passage {number}; the index has {len(self):,}, numbered from 0."
            )
        content = int(self._content_of[number])
        return self._passage(number, {content: self._contents[content].names[0]})

    def also(self, name: str) -> tuple[str, ...]:
        """Other names under which the same content stands."""
        same = next((one.names for one in self._contents.values() if name in one.names), ())
        return tuple(one for one in same if one != name)

    def _names(self, where: Filter) -> dict[int, str]:
        """Contents that may be found, each with the name it is found under."""
        found: dict[int, str] = {}
        for content, known in self._contents.items():
            for name in known.names:
                if fits(where, name, known.metadata):
                    found[content] = name
                    break
        return found

    def _by_words(self, questions: Sequence[str], n: int, among: list[int] | None) -> list[Scores]:
        return [self._asked(match_expression(question), n, among) for question in questions]

    def _asked(self, expression: str, n: int, among: list[int] | None) -> Scores:
        """FTS5's `bm25` is lower for the better."""
        if not expression:
            return NO_SCORES
        only = "" if among is None else " AND p.content IN (SELECT value FROM json_each(:among))"
        rows = self._query(
            "SELECT p.number, -bm25(passage_words) AS score FROM passage_words"
            " JOIN passages p ON p.id = passage_words.rowid"
            f" WHERE passage_words MATCH :asked{only} ORDER BY score DESC, p.number LIMIT :n",
            {"asked": expression, "n": n, "among": json.dumps(among)},
        )
        return dict(rows)

    def _by_vectors(
        self, questions: Sequence[str], n: int, among: list[int] | None
    ) -> list[Scores]:
        assert self._near is not None
        if self._embed is None:
            raise UsageError("The index was opened without its embedder; only words can be asked.")
        numbers = None if among is None else self._numbers(among)
        if not questions or not len(self if numbers is None else numbers):
            return [NO_SCORES] * len(questions)
        found = self._near.search(self._embed.embed(questions), n, only=numbers)
        return [
            dict(zip(row.tolist(), scores.tolist(), strict=True))
            for row, scores in zip(*found, strict=True)
        ]

    def _numbers(self, among: list[int]) -> Any:
        return np.flatnonzero(np.isin(self._content_of, among))

    def _passage(self, number: int, names: Mapping[int, str]) -> Passage:
        content, start, end, page, headings, text = self._query(
            "SELECT content, start, end, page, headings, text FROM passages WHERE number = ?",
            (number,),
        )[0]
        return Passage(
            number,
            Span(names[content], start, end),
            text,
            page,
            tuple(json.loads(headings)),
            self._contents[content].metadata,
        )

    def _query(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        with self._lock, index_errors(self.folder):
            return self.connection.execute(statement, values).fetchall()


def open_index(folder: Path, embedder: Embedder | None = None) -> Index:
    """Open an index for searching.

    Args:
        folder: of the index.
        embedder: the one it was built with; without it only words can be asked.

    Raises:
        StoreError: there is no index, it is damaged, or it was built with another embedder.
    """
    if not exists(folder):
        raise no_index(folder)
    for _ in range(_TRIES):
        connection, facts = _snapshot(folder)
        try:
            _refuse_other(folder, facts, embedder)
            vectors = _vectors(folder, facts)
            with index_errors(folder):
                return Index(folder, connection, facts, vectors, embedder)
        except VectorsLost:
            connection.close()
            if not _changed(folder, facts):
                raise  # else an update came between the two, and the next look sees it
        except BaseException:
            connection.close()
            raise
    raise StoreError(f"The index `{folder}` changes all the time.", hint="try again")


def _snapshot(folder: Path) -> tuple[sqlite3.Connection, dict[str, Any]]:
    """A connection with an open read transaction, and the facts in it."""
    with index_errors(folder):
        connection = _connected(folder / FILE)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise NewerSchema(
                    f"`{folder}` was written by a newer version of Accordeur.",
                    hint="pip install --upgrade accordeur",
                )
            connection.execute("BEGIN")
            facts = read_facts(connection) if version else {}
        except BaseException:
            connection.close()
            raise
    if not facts:
        connection.close()
        raise no_index(folder)
    return connection, facts


def _connected(path: Path) -> sqlite3.Connection:
    """Read only; where nothing may be written beside the file, it is taken as never changing."""
    place = path.absolute().as_uri()
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(
            f"{place}?{mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=30
        )
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            cannot = error.sqlite_errorcode & 0xFF in (
                sqlite3.SQLITE_CANTOPEN,
                sqlite3.SQLITE_READONLY,
            )
            if cannot and mode == "mode=ro":
                continue
            raise
        return connection
    raise AssertionError("unreachable")


def embedder_info(folder: Path) -> EmbedderInfo | None:
    """The embedder of an index; `None` where words alone are indexed, or there is no index yet."""
    with suppress(StoreError), open_index(folder) as index:
        return index.embedder
    return None


def _vectors(folder: Path, facts: Mapping[str, Any]) -> FloatArray | None:
    if not facts["vectors"]:
        return None
    shape = (facts["passages"], facts["embedder"]["dimension"])
    return map_vectors(folder / facts["vectors"], shape)


def _changed(folder: Path, facts: Mapping[str, Any]) -> bool:
    connection, now = _snapshot(folder)
    connection.close()
    return bool(now["vectors"] != facts["vectors"])


def _refuse_other(folder: Path, facts: Mapping[str, Any], embedder: Embedder | None) -> None:
    if embedder is None or facts["embedder"] is None:
        return
    was, now = EmbedderInfo(**facts["embedder"]), EmbedderInfo.of(embedder)
    if was.key != now.key:
        raise StoreError(
            f"The index `{folder}` was built with {was.words}, not with {now.words}; their"
            " vectors cannot be compared.",
            hint=f"accordeur index build {folder} DOCS... --again",
        )


def _contents(connection: sqlite3.Connection) -> dict[int, _Content]:
    names: dict[int, list[str]] = {}
    rows = connection.execute(
        "SELECT content, name FROM documents WHERE content IS NOT NULL ORDER BY name"
    )
    for content, name in rows.fetchall():
        names.setdefault(content, []).append(name)
    rows = connection.execute("SELECT id, metadata FROM contents")
    return {
        content: _Content(tuple(names[content]), json.loads(metadata))
        for content, metadata in rows.fetchall()
    }
