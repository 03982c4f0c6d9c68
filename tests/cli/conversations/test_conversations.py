"""`accordeur conversations ...`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.cli.chat.history import History
from accordeur.store.conversations import ConversationStore

Say = Callable[..., Any]
EVIL = "red \x1b[31m alert \u202e"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCORDEUR_STATE", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def held() -> list[str]:
    """Two conversations of the terminal and one of a client."""
    keys = []
    with ConversationStore() as store:
        for owner, question, answer in (
            ("", "Where is my cormorant?", EVIL),
            ("", "And my | invoice *42*?", "Paid.\n# Twice"),
            ("anna", "A client's cormorant", "Secret."),
        ):
            key = store.begin("local/smollm2", "d", owner=owner, system="Be kind.").id
            turn = store.ask(key, question)
            store.answer(key, turn, answer, candidate="local/smollm2")
            store.ask(key, "No answer to this")
            keys.append(key)
    return keys


def test_nothing_yet(say: Say) -> None:
    said = say("conversations", "list")
    assert said.code == 0
    assert "next: accordeur chat" in said.out
    assert say("conversations", "search", "x").code == 1
    assert "no conversations yet" in say("conversations", "show").err
    assert "no conversations yet" in say("conversations", "forget", "-y", "last").err


def test_the_list_is_of_ones_own_the_latest_first(held: list[str], say: Say) -> None:
    said = say("conversations", "list")
    assert said.out.index("invoice") < said.out.index("cormorant")
    assert "client" not in said.out
    assert "client" in say("conversations", "list", "--all").out
    assert "1 older conversation" in say("conversations", "list", "-n", "1").out
    assert say("conversations", "list", "-n", "-1").code == 2


def test_search_shows_where(held: list[str], say: Say) -> None:
    said = say("conversations", "search", "CORMORANT")
    assert (said.code, said.out.count("user: ")) == (0, 1)
    assert held[0] in said.out
    rows = json.loads(say("conversations", "search", "cormorant", "--all", "--json").out)
    assert {row["conversation"] for row in rows} == {held[0], held[2]}
    assert say("conversations", "search", "albatross").code == 1
    assert say("conversations", "search", " ").code == 2


def test_a_conversation_is_shown_and_cannot_steer_the_terminal(held: list[str], say: Say) -> None:
    said = say("conversations", "show", held[0])
    assert "Where is my cormorant?" in said.out
    assert "system: Be kind." in said.out
    assert "\\x1b[31m" in said.out
    assert not set("\x1b\u202e") & set(said.out)
    assert not set("\x1b\u202e") & set(say("conversations", "show", held[0], "--json").out)


def test_exports(held: list[str], say: Say) -> None:
    assert say("conversations", "export", "-o", "all.jsonl").code == 0
    rows = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert {row["id"] for row in rows} == set(held[:2])
    roles = [[one["role"] for one in row["messages"]] for row in rows]
    assert roles == [["system", "user", "assistant"]] * 2
    assert say("conversations", "export", held[2], "-o", "one.json").code == 0
    (whole,) = json.loads(Path("one.json").read_text())
    assert [turn["text"] for turn in whole["turns"]][-1] == "No answer to this"
    assert say("conversations", "export", held[1], "-o", "one.md").code == 0
    text = Path("one.md").read_text()
    assert "\n> # Twice\n" in text
    for output in ((), ("-o", "x.csv")):
        assert say("conversations", "export", *output).code == 2


def test_an_exported_file_is_read_as_a_task(held: list[str], say: Say) -> None:
    from accordeur.tasks.load import load_task

    say("conversations", "export", "-o", "all.jsonl")
    task = load_task("all.jsonl")
    assert {row.expected for row in (*task.train, *task.dev)} == {
        (EVIL.strip(),),
        ("Paid.\n# Twice",),
    }


def test_forgetting_asks_first_and_leaves_no_byte(
    held: list[str], say: Say, own_data: Path
) -> None:
    History().add("Where is my cormorant?")
    History().add("And my | invoice *42*?")
    asked = say("conversations", "forget", held[0])
    assert asked.code == 2
    assert "needs a yes" in asked.err
    said = say("conversations", "forget", "-y", held[0], held[2])
    assert (said.code, said.err) == (0, "")
    left = b"".join(file.read_bytes() for file in own_data.iterdir())
    assert b"cormorant" not in left
    assert b"invoice" in left
    assert say("conversations", "show", held[0]).code == 1
