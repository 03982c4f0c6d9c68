"""Conversations on disk: one SQLite file in the user's data folder, readable by its owner alone.

What is durable when: a question is on disk before it is asked, an answer as soon as it is complete,
whatever then happens to the process. Nothing is overwritten: what is undone, asked again or edited
is marked as superseded. `forget` is the one exception, and it leaves no byte of the text behind.

Beside the turns the file keeps *notes*: what was worked out about a conversation and costs time to
work out again (summaries, vectors). They go when their conversation goes.
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from accordeur.core.errors import StoreError
from accordeur.core.paths import data_folder
from accordeur.store.conversation import TITLE, Conversation, Role, StoredTurn
from accordeur.store.database import busy, connect, damaged, transaction
from accordeur.store.durable import disk_errors

FILE = "conversations.sqlite"

_LIST = "accordeur conversations list"
_MARK = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True)
class Found:
    """A turn that a search found, and the conversation it stands in."""

    conversation: Conversation
    turn: StoredTurn


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE conversations (id TEXT PRIMARY KEY, title TEXT NOT NULL, owner TEXT NOT NULL,"
        " candidate TEXT NOT NULL, digest TEXT NOT NULL, system TEXT NOT NULL,"
        " memory TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE turns (id INTEGER PRIMARY KEY AUTOINCREMENT, conversation TEXT NOT NULL,"
        " role TEXT NOT NULL, text TEXT NOT NULL, created TEXT NOT NULL, answers INTEGER,"
        " candidate TEXT NOT NULL, tokens INTEGER NOT NULL, cut INTEGER NOT NULL,"
        " rating TEXT NOT NULL, remark TEXT NOT NULL, superseded INTEGER NOT NULL,"
        " details TEXT NOT NULL)"
    )
    connection.execute("CREATE INDEX turns_of ON turns (conversation, id)")
    connection.execute(
        "CREATE TABLE notes (conversation TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,"
        " value BLOB NOT NULL, PRIMARY KEY (conversation, kind, key)) WITHOUT ROWID"
    )


MIGRATIONS = [_create]
"""Numbered by position; only ever added to."""

_CONVERSATION = (
    "SELECT c.id, CASE WHEN c.title != '' THEN c.title ELSE COALESCE((SELECT text FROM turns"
    " WHERE conversation = c.id AND role = 'user' AND NOT superseded ORDER BY id LIMIT 1), '') END,"
    " c.owner, c.candidate, c.digest, c.system, c.memory, c.created, c.updated,"
    " (SELECT COUNT(*) FROM turns WHERE conversation = c.id AND NOT superseded)"
    " FROM conversations c"
)
_TURN = (
    "SELECT t.id, t.role, t.text, t.created, t.answers, t.candidate, t.tokens, t.cut, t.rating,"
    " t.remark, t.superseded, t.details FROM turns t"
)


class ConversationStore:
    """The conversations of a user, or of a server's clients.

    Several processes may use one file, and several threads one store.

    Args:
        path: the file; default `conversations.sqlite` in the user's data folder. Made when missing.

    Raises:
        StoreError: it cannot be opened, is damaged, or was written by a newer version.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else data_folder() / FILE
        self._thread = threading.RLock()
        _make_private(self.path)
        with self._errors():
            self._database = connect(self.path, MIGRATIONS)
            self._database.execute("PRAGMA secure_delete = ON")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.create_function("folded", 1, _folded, deterministic=True)

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
        with self._thread, suppress(sqlite3.Error):
            self._database.close()

    def begin(
        self,
        candidate: str,
        digest: str,
        *,
        name: str = "",
        owner: str = "",
        system: str = "",
        memory: Mapping[str, Any] | None = None,
    ) -> Conversation:
        """A new conversation.

        Args:
            candidate, digest: who answers.
            name: its id, as a client chose it; default a short random one.
            owner: hash of the API key that begins it.
            system: its own system message.
            memory: kind and settings of its memory.

        Raises:
            StoreError: the id is taken.
        """
        now = _now()
        key = name or secrets.token_hex(4)
        row = (key, "", owner, candidate, digest, system, json.dumps(memory or {}), now, now)
        with self._errors():
            try:
                with transaction(self._database):
                    self._database.execute(
                        "INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row
                    )
            except sqlite3.IntegrityError:
                if not name:
                    return self.begin(candidate, digest, owner=owner, system=system, memory=memory)
                raise StoreError(f"The conversation id `{name}` is taken.") from None
        return Conversation(key, "", owner, candidate, digest, system, memory or {}, now, now)

    def get(self, key: str, owner: str = "") -> Conversation | None:
        """The conversation of this id, if it belongs to this owner."""
        rows = self._query(f"{_CONVERSATION} WHERE c.id = ? AND c.owner = ?", (key, owner))
        return _conversation(rows[0]) if rows else None

    def conversations(self, owner: str | None = "") -> list[Conversation]:
        """An owner's conversations, the last updated first; everybody's with `None`."""
        order = "ORDER BY c.updated DESC, c.id"
        if owner is None:
            rows = self._query(f"{_CONVERSATION} {order}")
        else:
            rows = self._query(f"{_CONVERSATION} WHERE c.owner = ? {order}", (owner,))
        return [_conversation(row) for row in rows]

    def find(self, reference: str, owner: str | None = "") -> Conversation:
        """The conversation that an id, the start of one, or `last` means.

        Raises:
            StoreError: none or several are meant; the hint names the nearest.
        """
        known = self.conversations(owner)
        if not known:
            raise StoreError("There are no conversations yet.", hint="accordeur chat MODEL")
        exact = [one for one in known if one.id == reference]
        if exact or reference == "last":
            return exact[0] if exact else known[0]
        matches = [one for one in known if reference and one.id.startswith(reference)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            names = ", ".join(f"`{one.id}`" for one in matches[:5])
            raise StoreError(
                f"`{reference}` means {len(matches)} conversations.",
                hint=f"write more of one: {names}",
            )
        near = difflib.get_close_matches(reference, [one.id for one in known], n=2, cutoff=0.5)
        offer = f"did you mean {' or '.join(f'`{name}`' for name in near)}? " if near else ""
        raise StoreError(f"There is no conversation `{reference}`.", hint=offer + _LIST)

    def turns(self, key: str) -> list[StoredTurn]:
        """All turns of a conversation in order, superseded ones included."""
        rows = self._query(f"{_TURN} WHERE t.conversation = ? ORDER BY t.id", (key,))
        return [_turn(row) for row in rows]

    def ask(self, key: str, text: str, *, tokens: int = 0) -> int:
        """Write a question down, before it is asked; its turn's id."""
        return self._add(key, "user", text, tokens=tokens)

    def answer(
        self,
        key: str,
        question: int,
        text: str,
        *,
        candidate: str,
        tokens: int = 0,
        cut: bool = False,
        details: Mapping[str, Any] | None = None,
    ) -> int:
        """Write an answer down; earlier answers to the question are superseded."""
        return self._add(
            key,
            "assistant",
            text,
            answers=question,
            candidate=candidate,
            tokens=tokens,
            cut=cut,
            details=details,
        )

    def supersede(self, turns: Sequence[int]) -> None:
        """Mark turns as no longer part of their conversation."""
        with self._errors(), transaction(self._database):
            self._database.executemany(
                "UPDATE turns SET superseded = 1 WHERE id = ?", [(turn,) for turn in turns]
            )

    def rate(self, turn: int, rating: str, remark: str = "") -> None:
        """Judge an answer: `good` or `bad`, with words."""
        with self._errors(), transaction(self._database):
            self._database.execute(
                "UPDATE turns SET rating = ?, remark = ? WHERE id = ?", (rating, remark, turn)
            )

    def change(
        self,
        key: str,
        *,
        title: str | None = None,
        system: str | None = None,
        memory: Mapping[str, Any] | None = None,
        candidate: tuple[str, str] | None = None,
    ) -> None:
        """Change what is known of a conversation; `candidate` is its name and digest."""
        new: dict[str, str] = {}
        if title is not None:
            new["title"] = title
        if system is not None:
            new["system"] = system
        if memory is not None:
            new["memory"] = json.dumps(memory)
        if candidate is not None:
            new["candidate"], new["digest"] = candidate
        with self._errors(), transaction(self._database):
            for name, value in {**new, "updated": _now()}.items():
                self._database.execute(
                    f"UPDATE conversations SET {name} = ? WHERE id = ?", (value, key)
                )

    def search(self, words: str, owner: str | None = "") -> list[Found]:
        """Turns that hold every word, whatever its case; of the latest conversations first."""
        wanted = [_folded(word) for word in words.split()]
        if not wanted:
            return []
        held = " AND ".join("instr(folded(t.text), ?) > 0" for _ in wanted)
        query = f"{_TURN} WHERE t.conversation = ? AND NOT t.superseded AND {held} ORDER BY t.id"
        return [
            Found(conversation, _turn(row))
            for conversation in self.conversations(owner)
            for row in self._query(query, (conversation.id, *wanted))
        ]

    def forget(self, keys: Sequence[str]) -> bool:
        """Remove conversations for good, down to the bytes of their texts in the file.

        Returns:
            Whether no byte is left. Not while another process is reading: then they are gone for
            everybody, and the bytes go with the next `forget`.
        """
        with self._errors():
            with transaction(self._database):
                for key in keys:
                    self._database.execute("DELETE FROM notes WHERE conversation = ?", (key,))
                    self._database.execute("DELETE FROM turns WHERE conversation = ?", (key,))
                    self._database.execute("DELETE FROM conversations WHERE id = ?", (key,))
            # The write-ahead log still holds the pages as they were, and copies of a page's cells
            # stay behind when its neighbours are balanced.
            with suppress(sqlite3.OperationalError):
                self._database.execute("PRAGMA temp_store = MEMORY")
                self._database.execute("VACUUM")
            blocked, _, _ = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not blocked

    def notes(self, key: str, kind: str) -> dict[str, bytes]:
        """What was worked out about a conversation, by its key."""
        rows = self._query(
            "SELECT key, value FROM notes WHERE conversation = ? AND kind = ?", (key, kind)
        )
        return {str(name): bytes(value) for name, value in rows}

    def note(self, key: str, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep what was worked out; nothing of a conversation that was forgotten meanwhile."""
        with self._errors(), transaction(self._database):
            self._database.executemany(
                "INSERT OR REPLACE INTO notes SELECT id, ?, ?, ? FROM conversations WHERE id = ?",
                [(kind, name, value, key) for name, value in values.items()],
            )

    def _add(
        self,
        key: str,
        role: Role,
        text: str,
        *,
        answers: int | None = None,
        candidate: str = "",
        tokens: int = 0,
        cut: bool = False,
        details: Mapping[str, Any] | None = None,
    ) -> int:
        now = _now()
        with self._errors(), transaction(self._database) as database:
            touched = database.execute(
                "UPDATE conversations SET updated = ? WHERE id = ?", (now, key)
            )
            if not touched.rowcount:
                raise StoreError(
                    f"The conversation `{key}` was forgotten meanwhile.",
                    hint="begin another: accordeur chat MODEL",
                )
            if answers is not None:
                database.execute(
                    "UPDATE turns SET superseded = 1 WHERE conversation = ? AND answers = ?",
                    (key, answers),
                )
            row = (key, role, _storable(text), now, answers, candidate, tokens, cut)
            said = json.dumps(details or {})
            made = database.execute(
                "INSERT INTO turns (conversation, role, text, created, answers, candidate, tokens,"
                " cut, rating, remark, superseded, details)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', '', 0, ?)",
                (*row, said),
            )
            return int(made.lastrowid or 0)

    def _query(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._errors():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """One thread at a time; what SQLite says becomes a message."""
        with self._thread:
            try:
                yield
            except sqlite3.ProgrammingError:
                raise
            except sqlite3.Error as error:
                raise self._message(error) from error

    def _message(self, error: sqlite3.Error) -> StoreError:
        if damaged(error):
            return StoreError(
                f"The conversations in `{self.path}` are damaged: {error}.",
                hint=f"sqlite3 {self.path} .recover may save them; or move the file away",
            )
        if busy(error):
            return StoreError(
                f"Another process keeps `{self.path}` busy.", hint="try again when it is done"
            )
        return StoreError(
            f"`{self.path}` cannot be used: {error}.",
            hint="make room and the folder writable; ACCORDEUR_STATE moves it",
        )


def _make_private(path: Path) -> None:
    """The file and its folder, for their owner alone. SQLite gives its side files the same mode."""
    with disk_errors(path, "No conversation was begun."):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _conversation(row: Sequence[Any]) -> Conversation:
    key, title, owner, candidate, digest, system, memory, created, updated, messages = row
    line = " ".join(title.split())
    short = line if len(line) <= TITLE else line[: TITLE - 1] + _MARK
    return Conversation(
        key,
        short,
        owner,
        candidate,
        digest,
        system,
        json.loads(memory),
        created,
        updated,
        messages,
    )


def _turn(row: Sequence[Any]) -> StoredTurn:
    key, role, text, created, answers, candidate, tokens, cut, rating, remark, gone, details = row
    return StoredTurn(
        key,
        role,
        text,
        created,
        answers,
        candidate,
        tokens,
        bool(cut),
        rating,
        remark,
        bool(gone),
        json.loads(details),
    )


def _folded(text: str) -> str:
    return str(text).casefold()


def _storable(text: str) -> str:
    """Half a surrogate pair is no UTF-8, and SQLite refuses it."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
