"""The tables of an index: one SQLite file.

    contents       what stands in files, each distinct one once: text, pages, headings, metadata
    documents      names, and which content each has; or why it was skipped
    passages       slices of contents; `number` is the row of the vector, `titles` are embedded
                   before the text, `hash` is that of both
    passage_words  FTS5 over the texts of passages, kept equal to them by triggers
    facts          settings, embedder, name of the file of vectors, as JSON by name

A file that stands at two places is two documents of one content: read, embedded and found once.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from accordeur.core.fingerprint import digest
from accordeur.documents.ranking.memory import TOKENIZER

FILE = "index.sqlite"


def _create(connection: sqlite3.Connection) -> None:
    for statement in (
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE contents (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, reader TEXT NOT NULL,"
        " text TEXT NOT NULL, pages TEXT NOT NULL, headings TEXT NOT NULL, metadata TEXT NOT NULL,"
        " notes TEXT NOT NULL, UNIQUE (hash, reader))",
        "CREATE TABLE documents (name TEXT PRIMARY KEY, content INTEGER REFERENCES contents (id),"
        " reason TEXT NOT NULL, signature TEXT NOT NULL)",
        "CREATE INDEX documents_of ON documents (content, name)",
        "CREATE TABLE passages (id INTEGER PRIMARY KEY, content INTEGER NOT NULL"
        " REFERENCES contents (id), start INTEGER NOT NULL, end INTEGER NOT NULL, page INTEGER,"
        " headings TEXT NOT NULL, text TEXT NOT NULL, tokens INTEGER NOT NULL, hash BLOB NOT NULL,"
        " number INTEGER)",
        "CREATE INDEX passages_of ON passages (content, start)",
        "CREATE INDEX passages_hash ON passages (hash)",
        "CREATE INDEX passages_number ON passages (number)",
        "CREATE VIRTUAL TABLE passage_words USING fts5(text, content='passages',"
        f" content_rowid='id', tokenize='{TOKENIZER}')",
        "CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN"
        " INSERT INTO passage_words (rowid, text) VALUES (new.id, new.text); END",
        "CREATE TRIGGER passage_removed AFTER DELETE ON passages BEGIN"
        " INSERT INTO passage_words (passage_words, rowid, text)"
        " VALUES ('delete', old.id, old.text); END",
    ):
        connection.execute(statement)


def _add_titles(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE passages ADD COLUMN titles TEXT NOT NULL DEFAULT ''")


MIGRATIONS = [_create, _add_titles]
"""Numbered by position; only ever added to."""


def read_facts(connection: sqlite3.Connection) -> dict[str, Any]:
    """Everything in `facts`; empty in an index whose first build is not finished."""
    return {
        name: json.loads(value)
        for name, value in connection.execute("SELECT name, value FROM facts").fetchall()
    }


def write_fact(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Set one."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))


def fingerprint(connection: sqlite3.Connection) -> str:
    """Hash of documents, cut and embedder: everything that can change what is found."""
    (key,) = connection.execute("SELECT value FROM facts WHERE name = 'passages_key'").fetchone()
    documents = connection.execute(
        "SELECT d.name, hex(c.hash), c.reader FROM documents d JOIN contents c ON c.id = d.content"
        " ORDER BY d.name"
    ).fetchall()
    return digest([key, [list(one) for one in documents]])
