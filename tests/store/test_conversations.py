"""Conversations on disk."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from accordeur.core.errors import StoreError
from accordeur.store.conversation import exchanges
from accordeur.store.conversations import ConversationStore


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "data" / "conversations.sqlite")


def held(store: ConversationStore, *said: str, owner: str = "", name: str = "") -> str:
    """A conversation of questions and answers in turn."""
    key = store.begin("m", "d", owner=owner, name=name).id
    for question, answer in zip(said[::2], said[1::2], strict=True):
        store.answer(key, store.ask(key, question), answer, candidate="m")
    return key


def texts(store: ConversationStore, key: str) -> list[tuple[str, str | None]]:
    return [
        (one.question.text, one.answer.text if one.answer else None)
        for one in exchanges(store.turns(key))
    ]


def test_what_was_said_is_read_back_in_order(store: ConversationStore) -> None:
    key = held(
        store, "Wer da?", "Ich, natürlich \N{SMILING FACE WITH SMILING EYES}.", "a\nb\x00c", ""
    )
    assert texts(store, key) == [
        ("Wer da?", "Ich, natürlich \N{SMILING FACE WITH SMILING EYES}."),
        ("a\nb\x00c", ""),
    ]
    found = store.find(key[:5])
    assert (found.title, found.messages) == ("Wer da?", 4)


def test_half_a_surrogate_pair_is_no_reason_to_lose_an_answer(store: ConversationStore) -> None:
    key = held(store, "q", "bad \ud83d half")
    assert texts(store, key) == [("q", "bad ? half")]


def test_a_question_without_an_answer_is_there(store: ConversationStore) -> None:
    key = store.begin("m", "d").id
    store.ask(key, "Hello?")
    assert texts(store, key) == [("Hello?", None)]


def test_what_is_superseded_stays_and_no_longer_counts(store: ConversationStore) -> None:
    key = held(store, "one", "1", "two", "2")
    question = exchanges(store.turns(key))[-1].question
    store.answer(key, question.id, "zwei", candidate="m")
    assert texts(store, key) == [("one", "1"), ("two", "zwei")]
    store.supersede([question.id])
    assert texts(store, key) == [("one", "1")]
    assert [turn.text for turn in store.turns(key)] == ["one", "1", "two", "2", "zwei"]


def test_an_answer_belongs_to_its_question_however_late_it_comes(store: ConversationStore) -> None:
    key = store.begin("m", "d").id
    first, second = store.ask(key, "first"), store.ask(key, "second")
    store.answer(key, second, "2", candidate="m")
    store.answer(key, first, "1", candidate="m", cut=True)
    assert texts(store, key) == [("first", "1"), ("second", "2")]
    assert exchanges(store.turns(key))[0].answer.cut  # type: ignore[union-attr]


def test_ratings_titles_and_settings_are_kept(store: ConversationStore) -> None:
    key = held(store, "q", "a")
    answer = exchanges(store.turns(key))[0].answer
    assert answer is not None
    store.rate(answer.id, "bad", "too short")
    store.change(key, title="T", system="S", memory={"kind": "whole"}, candidate=("n", "e"))
    answer = exchanges(store.turns(key))[0].answer
    assert answer is not None
    assert (answer.rating, answer.remark) == ("bad", "too short")
    found = store.find("last")
    assert (found.title, found.system, found.memory) == ("T", "S", {"kind": "whole"})
    assert (found.candidate, found.digest) == ("n", "e")


def test_an_id_belongs_to_the_key_that_began_it(store: ConversationStore) -> None:
    held(store, "secret", "indeed", owner="anna", name="ticket-1")
    assert store.get("ticket-1", "anna") is not None
    assert store.get("ticket-1", "bert") is None
    assert store.get("ticket-1") is None
    assert store.conversations("bert") == store.conversations() == []
    assert store.search("secret", "bert") == []
    with pytest.raises(StoreError, match="is taken"):
        store.begin("m", "d", owner="bert", name="ticket-1")
    assert [one.id for one in store.conversations(None)] == ["ticket-1"]


def test_search_finds_every_word_in_any_case(store: ConversationStore) -> None:
    first = held(store, "Die STRASSE ist lang", "Ja, die Straße.")
    held(store, "another street", "100% sure")
    found = store.search("straße die")
    assert [(one.conversation.id, one.turn.role) for one in found] == [
        (first, "user"),
        (first, "assistant"),
    ]
    assert [one.turn.text for one in store.search("100%")] == ["100% sure"]
    assert store.search("%") != []
    assert store.search("lang street") == []
    assert store.search("  ") == []


def test_references_that_mean_nothing_or_too_much(store: ConversationStore) -> None:
    with pytest.raises(StoreError, match="no conversations yet"):
        store.find("last")
    held(store, "q", "a", name="abc1")
    held(store, "q", "a", name="abc2")
    with pytest.raises(StoreError, match="means 2 conversations"):
        store.find("abc")
    with pytest.raises(StoreError, match="no conversation `abd1`") as caught:
        store.find("abd1")
    assert "abc1" in caught.value.hint
    assert store.find("last").id == "abc2"


def test_the_file_is_for_its_owner_alone(store: ConversationStore) -> None:
    held(store, "q", "a")
    files = list(store.path.parent.iterdir())
    assert len(files) > 1  # the write-ahead log, too
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def test_forgetting_leaves_no_byte_and_keeps_the_others(store: ConversationStore) -> None:
    secret = "the cormorant flies at midnight"
    other = held(store, "keep me", "of course " + "x" * 5_000)
    keys = [held(store, f"{secret} {n} " + "y" * n, f"{secret}!" * n) for n in range(1, 60, 7)]
    store.note(keys[0], "summary", {"k": secret.encode()})
    store.change(keys[1], title=secret, system=secret)
    assert secret.encode() in bytes_of(store.path.parent)
    assert store.forget(keys)
    assert secret.encode() not in bytes_of(store.path.parent)
    assert b"cormorant" not in bytes_of(store.path.parent)
    assert [one.id for one in store.conversations()] == [other]
    assert texts(store, other)[0][0] == "keep me"


def test_forgetting_while_another_connection_is_open(store: ConversationStore) -> None:
    key = held(store, "the cormorant", "flies")
    with ConversationStore(store.path) as beside:
        assert texts(beside, key) == [("the cormorant", "flies")]
        assert store.forget([key])
        assert b"cormorant" not in bytes_of(store.path.parent)
        assert beside.conversations() == []
        with pytest.raises(StoreError, match="forgotten meanwhile"):
            beside.ask(key, "still there?")
        beside.note(key, "summary", {"k": b"the cormorant"})
        assert beside.notes(key, "summary") == {}


WRITER = """
import sys
from pathlib import Path
from accordeur.store.conversations import ConversationStore
store = ConversationStore(Path(sys.argv[1]))
for number in range(40):
    question = store.ask("shared", f"{sys.argv[2]}{number}")
    store.answer("shared", question, f"to {sys.argv[2]}{number}", candidate="m")
"""


def test_two_processes_write_into_one_conversation(store: ConversationStore) -> None:
    store.begin("m", "d", name="shared")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(store.path), who]) for who in "ab"
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    said = texts(store, "shared")
    assert len(said) == 80
    assert all(answer == f"to {question}" for question, answer in said)
    assert [question for question, _ in said if question[0] == "a"] == [f"a{n}" for n in range(40)]


def test_a_damaged_file_is_a_message_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite"
    path.write_bytes(b"this is no database, but it may be somebody's diary" * 100)
    with pytest.raises(StoreError, match="damaged"):
        ConversationStore(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_a_newer_file_is_refused(store: ConversationStore) -> None:
    store.close()
    with sqlite3.connect(store.path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer version"):
        ConversationStore(store.path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    with pytest.raises(StoreError, match="could not be written"):
        ConversationStore(tmp_path / "data" / "conversations.sqlite")
