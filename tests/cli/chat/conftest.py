"""Conversations with a scripted endpoint."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.task import Label, TaskBrief
from accordeur.parts.bundle import Bundle, save_bundle
from accordeur.parts.classifier.majority import Majority
from accordeur.testing.endpoint import Messages, ScriptedEndpoint

Chat = Callable[..., Any]


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Conversations of a test are its own."""
    monkeypatch.setenv("ACCORDEUR_STATE", str(tmp_path / "data"))
    return tmp_path / "data"


def echo(messages: Messages) -> str:
    """Says how many messages it got, and the last of them."""
    return f"{len(messages)}: {messages[-1]['content']}"


@pytest.fixture
def server(say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedEndpoint]:
    """An endpoint that echoes. What it can do was asked before, and is not among what it saw."""
    with ScriptedEndpoint(echo) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        assert say("models", "probe", "openai/scripted", "--base-url", server.base_url).code == 0
        server.seen.bodies.clear()
        yield server


@pytest.fixture
def chat(
    server: ScriptedEndpoint, say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Chat:
    """`chat(["Hello", "/undo"], "--resume", "last")`: lines from a pipe."""

    def run(lines: Sequence[str], *arguments: object) -> Any:
        named = () if "--resume" in arguments else ("openai/scripted",)
        stdin = io.StringIO("".join(f"{line}\n" for line in lines))
        monkeypatch.setattr(sys, "stdin", stdin)
        return say("chat", *named, "--base-url", server.base_url, *arguments)

    return run


@pytest.fixture
def kept(say: Callable[..., Any]) -> Callable[..., Any]:
    """The latest conversation as it is kept."""

    def read(*arguments: str) -> Any:
        return json.loads(say("conversations", "show", "--json", *arguments).out)

    return read


@pytest.fixture
def labelled() -> TaskBrief:
    """Three labels, one with a display text of its own."""
    labels = (Label("billing", "Billing"), Label("card", "Lost card"), Label("login", "Login"))
    return TaskBrief("support", "", "Which team?", "labels", labels, "accuracy")


@pytest.fixture
def classifier(labelled: TaskBrief, tmp_path: Path) -> Path:
    """A bundle without a language model, which always says `card`."""
    part = Majority(("billing", "card", "login"), (1, 6, 3))
    return save_bundle(Bundle(Candidate(labelled, None).with_part(part)), tmp_path / "labels")
