"""What stands over a passage is embedded with it, and shown nowhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.documents.index.conftest import SMALL, Build, Counting, check, write

from accordeur.documents.chunking import Chunk, words_and_marks
from accordeur.documents.document import Document
from accordeur.documents.index import BuildReport, Index
from accordeur.documents.index.settings import EmbedderInfo, passages_key
from accordeur.documents.index.titles import TOKENS, titles_over


def test_titles_are_embedded_and_not_shown(
    build: Build, embedder: Counting, opened: Callable[[], Index]
) -> None:
    build()
    ill = next(text for text in embedder.texts if "note is needed" in text)
    assert ill.startswith("Leave > Illness\n")
    assert "An oar is made of spruce." in [text[:25] for text in embedder.texts]
    with opened() as index:
        check(index)
        assert not any(" > " in one.text for one in index.passages("leave.md"))


@given(
    st.lists(st.text("ab cd", max_size=40), max_size=6).map(tuple),
    st.text("xy z", max_size=30),
    st.integers(0, 120),
    st.integers(0, 100),
)
def test_titles_take_no_more_than_there_is_and_the_nearest_stay(
    headings: tuple[str, ...], title: str, most: int, tokens: int
) -> None:
    document = Document("a.md", "text", metadata={"title": title})
    made = titles_over(document, Chunk(0, 4, tokens, headings), words_and_marks, most)
    whole = " > ".join(((title,) if title and title not in headings else ()) + headings)
    assert whole.endswith(made)
    room = min(TOKENS, most - tokens) if most else TOKENS
    assert not made or words_and_marks(made) <= room
    if words_and_marks(whole) <= room:
        assert made == whole


def test_an_index_from_before_titles_is_made_anew_and_its_vectors_are_used(
    tmp_path: Path,
    docs: Path,
    build: Build,
    update: Callable[[], BuildReport],
    opened: Callable[[], Index],
    embedder: Counting,
) -> None:
    write(docs, {"untitled.md": "No heading here, so nothing changes."})
    build()
    with opened() as index:
        now = index.fingerprint
    _as_before_titles(tmp_path / "index" / "index.sqlite", embedder)
    embedder.texts.clear()
    report = update()
    assert embedder.texts
    assert not any("No heading here" in text for text in embedder.texts)
    assert report.embedded == len(embedder.texts)
    with opened() as index:
        check(index)
        assert index.fingerprint == now
    embedder.texts.clear()
    assert update().embedded == 0


def _as_before_titles(file: Path, embedder: Counting) -> None:
    """An index as the version before wrote it: no titles, hashes of the text alone."""
    from accordeur.core.fingerprint import digest_bytes

    key = passages_key(SMALL.size(embedder), EmbedderInfo.of(embedder), 1)
    connection = sqlite3.connect(file)
    with connection:
        connection.create_function("hashed", 1, lambda t: bytes.fromhex(digest_bytes(t.encode())))
        connection.execute("UPDATE passages SET hash = hashed(text)")
        connection.execute("ALTER TABLE passages DROP COLUMN titles")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("DELETE FROM facts WHERE name = 'version'")
        changed = (json.dumps(key),)
        connection.execute("UPDATE facts SET value = ? WHERE name = 'passages_key'", changed)
    connection.close()
