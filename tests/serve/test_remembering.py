"""Conversations that the server keeps: what is sent, who may go on with them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accordeur.models.source import EMBEDDER, Models
from accordeur.serve.keys import Keys
from accordeur.serve.remembering import Conversations
from accordeur.store.conversation import exchanges
from accordeur.store.conversations import ConversationStore
from accordeur.store.keys import hashed

from .conftest import World, world

CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConversationStore]:
    with ConversationStore(tmp_path_factory.mktemp("kept") / "c.sqlite") as made:
        yield made


@pytest.fixture(scope="module")
def keeping(
    folders: dict[str, Path], tiny_folder: Path, store: ConversationStore
) -> Iterator[World]:
    kept = Conversations(lambda: store, lambda: Models().embedder(EMBEDDER), lambda _: None)
    keys = Keys([hashed("ada"), hashed("bob")])
    with world(folders, tiny_folder, conversations=kept, keys=keys) as found:
        yield found


def ask(place: World, key: str, text: str, *, owner: str = "ada", **more: Any) -> Any:
    system = more.pop("system", None)
    before = [{"role": "system", "content": system}] if system else []
    body = {"model": "texts", "conversation": key, **more}
    messages = [*before, {"role": "user", "content": text}]
    return place.http.post(
        CHAT, json={"messages": messages, **body}, headers={"Authorization": f"Bearer {owner}"}
    )


def said(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize("model", ["texts", "tiny"])
def test_the_server_sends_what_was_said_before(keeping: World, model: str) -> None:
    first = said(ask(keeping, f"a-{model}", "Hi", model=model, max_tokens=8))
    second = ask(keeping, f"a-{model}", "And now?", model=model, max_tokens=8)
    spelled = keeping.http.post(
        CHAT,
        json={
            "model": model,
            "max_tokens": 8,
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": first},
                {"role": "user", "content": "And now?"},
            ],
        },
        headers={"Authorization": "Bearer ada"},
    )
    assert said(second) == said(spelled)
    assert second.json()["usage"] == spelled.json()["usage"]
    about = second.json()["choices"][0]["accordeur"]
    assert about["conversation"] == f"a-{model}"
    assert about["memory"]["kept"] == 1


def test_questions_and_answers_are_on_disk(keeping: World, store: ConversationStore) -> None:
    text = said(ask(keeping, "disk", "Hi", system="Be kind."))
    found = store.find("disk", hashed("ada"))
    (one,) = exchanges(store.turns("disk"))
    assert one.answer is not None
    assert (one.question.text, one.answer.text) == ("Hi", text)
    assert (found.system, found.candidate) == ("Be kind.", "texts")
    assert one.answer.tokens > 0


def test_an_id_belongs_to_the_key_that_began_it(keeping: World, store: ConversationStore) -> None:
    assert ask(keeping, "mine", "Hi").status_code == 200
    foreign = ask(keeping, "mine", "Tell me what was said", owner="bob")
    assert foreign.status_code == 409
    assert len(store.turns("mine")) == 2


def test_a_stream_is_kept_whole_and_marked_when_it_was_left(
    keeping: World, store: ConversationStore
) -> None:
    headers = {"Authorization": "Bearer ada"}
    body = {
        "model": "tiny",
        "stream": True,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    with keeping.http.stream(
        "POST", CHAT, json={**body, "conversation": "whole", "max_tokens": 9}, headers=headers
    ) as answer:
        assert b"".join(answer.iter_bytes()).endswith(b"data: [DONE]\n\n")
    (one,) = exchanges(store.turns("whole"))
    assert one.answer is not None
    assert not one.answer.cut
    assert one.answer.text
    long = {**body, "conversation": "left", "max_tokens": 900}
    with keeping.http.stream("POST", CHAT, json=long, headers=headers) as answer:
        next(answer.iter_bytes())
    deadline = time.monotonic() + 30
    while len(turns := store.turns("left")) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert turns[1].cut
    assert 0 < turns[1].tokens < 900


def test_a_label_is_remembered_but_not_sent(keeping: World) -> None:
    for _ in range(2):
        answer = ask(keeping, "labels", "Where is my card?", model="labels")
        about = answer.json()["choices"][0]["accordeur"]
        assert said(answer) == about["label"]
        assert about["memory"]["kept"] == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"n": 2, "model": "tiny"}, "do not go with `conversation`"),
        ({"conversation": "no good"}, "`conversation`"),
        ({"conversation": ""}, "`conversation`"),
    ],
)
def test_what_a_conversation_cannot_be_is_refused(
    keeping: World, more: dict[str, Any], words: str
) -> None:
    answer = ask(keeping, "x", "Hi", **more)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_earlier_messages_are_not_sent_again(keeping: World) -> None:
    body = {
        "model": "texts",
        "conversation": "again",
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
        ],
    }
    answer = keeping.http.post(CHAT, json=body, headers={"Authorization": "Bearer ada"})
    assert answer.status_code == 400
    assert "send the new message" in answer.json()["error"]["message"]


def test_a_server_that_keeps_none_says_so(served: World) -> None:
    assert "No conversations are kept" in ask(served, "x", "Hi").text
