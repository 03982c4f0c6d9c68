"""Bundles and models of endpoints behind the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.model import Embedder, Model, Reranker
from accordeur.models.openai_api.client import Patience
from accordeur.models.openai_api.model import EndpointModel
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.parts.bundle import Bundle, save_bundle
from accordeur.parts.decoding import Decoding
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
from accordeur.serve.app import make_app
from accordeur.serve.engine import Engine
from accordeur.serve.model import ServedModels
from accordeur.serve.served import Catalog, Served, serve_bundle, serve_model
from accordeur.testing.endpoint import Messages, ScriptedEndpoint

from .conftest import LABELS, TEXTS, World, running
from .test_openai_client import TEXT, said

NAME = "openai/scripted"
PATIENCE = Patience(attempt=0.7, call=1.0, attempts=2, first_wait=0.01)


def echo(messages: Messages) -> str:
    """The last message, in four words at least."""
    return f"You asked this: {messages[-1]['content']}"


class Called:
    """A source of one endpoint's models, which soon give up."""

    def __init__(self, server: ScriptedEndpoint) -> None:
        place = endpoint(VENDORS["openai"], server.base_url)
        self._model = EndpointModel(place, "scripted", patience=PATIENCE)

    def model(self, name: str) -> Model:
        return self._model

    def embedder(self, name: str) -> Embedder:
        raise NotImplementedError

    def reranker(self, name: str) -> Reranker:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def behind() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint(echo, pause=0.01) as found:
        yield found


@pytest.fixture
def told() -> list[str]:
    """What whoever runs the server reads."""
    return []


@pytest.fixture
def front(behind: ScriptedEndpoint, tmp_path: Path, told: list[str]) -> Iterator[World]:
    engine = Engine()
    source = ServedModels(Called(behind), engine)
    texts = Candidate(TEXTS, NAME).with_part(Prompt("Reply in a few words."))
    made = {
        "texts": texts.with_part(Decoding("generate", max_tokens=50)),
        "reasons": texts.with_part(Reason(max_tokens=50)),
        "labels": Candidate(LABELS, NAME)
        .with_part(Prompt("Which team?"))
        .with_part(Decoding("score")),
    }
    served: list[Served] = [
        serve_bundle(
            name, save_bundle(Bundle(one), tmp_path / name), source, moved=True, log=told.append
        )
        for name, one in made.items()
    ]
    served.append(serve_model("bare", NAME, source))
    with running(make_app(Catalog(served, {}), engine, most=4)) as url:
        yield World(tmp_path, url, engine, {one.name: one for one in served})


def chunks(front: World, model: str, **more: Any) -> list[Any]:
    return list(
        front.client.chat.completions.create(
            model=model,
            messages=said(TEXT),
            stream=True,
            stream_options={"include_usage": True},
            **more,
        )
    )


def test_a_bundle_puts_its_prompt_before_the_message(
    front: World, behind: ScriptedEndpoint
) -> None:
    made = front.client.chat.completions.create(model="texts", messages=said(TEXT))
    assert made.choices[0].message.content == f"You asked this: Reply in a few words.\n\n{TEXT}"
    assert made.choices[0].finish_reason == "stop"
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (9, 12)
    assert (
        front.client.chat.completions.create(model="bare", messages=said(TEXT))
        .choices[0]
        .message.content
        == f"You asked this: {TEXT}"
    )
    assert {body["model"] for body in behind.seen.bodies} == {"scripted"}


@pytest.mark.parametrize("model", ["texts", "bare", "reasons"])
def test_a_stream_says_what_the_whole_says(front: World, model: str) -> None:
    whole = front.client.chat.completions.create(model=model, messages=said(TEXT))
    told = chunks(front, model)
    pieces = [one.choices[0].delta.content or "" for one in told if one.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert told[-2].choices[0].finish_reason == "stop"
    assert told[-1].usage == whole.usage


def test_an_answer_that_ends_at_its_limit_says_so(front: World) -> None:
    whole = front.client.chat.completions.create(model="bare", messages=said(TEXT), max_tokens=2)
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == (
        "You asked",
        "length",
    )
    told = chunks(front, "bare", max_tokens=2)
    assert told[-2].choices[0].finish_reason == "length"
    assert told[-1].usage.completion_tokens == 2


def test_a_text_that_a_stop_sequence_ends_is_no_longer_asked_for(front: World) -> None:
    told = chunks(front, "bare", stop=["this"])
    pieces = [one.choices[0].delta.content or "" for one in told if one.choices]
    assert "".join(pieces) == "You asked "
    assert told[-2].choices[0].finish_reason == "stop"
    assert told[-1].usage.completion_tokens > 0


def test_labels_that_cannot_be_scored_are_read(
    front: World, behind: ScriptedEndpoint, told: list[str]
) -> None:
    behind.answer = lambda messages: "Lost card"
    made = front.client.chat.completions.create(model="labels", messages=said(TEXT))
    assert made.choices[0].message.content == "Lost card"
    about = made.choices[0].model_extra["accordeur"]  # type: ignore[index]
    assert about["label"] == "card"
    assert "probabilities" not in about
    assert any("no log-probabilities" in one for one in told)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["texts", "bare", "reasons"])
@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("401", 502, "endpoint_error"),
        ("404", 502, "endpoint_error"),
        ("402", 502, "endpoint_error"),
        ("429", 429, "rate_limit_exceeded"),
        ("500", 502, "endpoint_error"),
        ("hang", 504, "endpoint_timeout"),
    ],
)
def test_a_failure_of_the_endpoint_has_its_status(
    front: World,
    behind: ScriptedEndpoint,
    fault: str,
    status: int,
    code: str,
    model: str,
    stream: bool,
) -> None:
    behind.faults = {fault: 1.0}
    body = {"model": model, "messages": said(TEXT), "stream": stream}
    answer = front.http.post("/v1/chat/completions", json=body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert "127.0.0.1" not in error["message"], "the address is the server's own business"
    assert ("retry-after" in answer.headers) == (status == 429)


@pytest.mark.parametrize("model", ["texts", "bare", "reasons"])
def test_what_a_filter_stops_ends_there(front: World, behind: ScriptedEndpoint, model: str) -> None:
    behind.faults = {"filter": 1.0}
    whole = front.client.chat.completions.create(model=model, messages=said(TEXT))
    assert whole.choices[0].finish_reason == "content_filter"
    told = chunks(front, model)
    assert told[-2].choices[0].finish_reason == "content_filter"


def test_a_stream_that_is_cut_ends_with_an_error(front: World, behind: ScriptedEndpoint) -> None:
    behind.faults = {"cut": 1.0}
    pieces: list[str] = []
    stream = front.client.chat.completions.create(model="bare", messages=said(TEXT), stream=True)
    with pytest.raises(openai.APIError, match="cut off"):
        pieces.extend(one.choices[0].delta.content or "" for one in stream)
    assert "".join(pieces) == "You asked this:"


def test_a_dead_endpoint_keeps_nobody_from_seeing_what_is_served(
    front: World, behind: ScriptedEndpoint
) -> None:
    behind.faults = {"hang": 1.0}
    began = time.monotonic()
    assert {one.id for one in front.client.models.list()} == {"texts", "reasons", "labels", "bare"}
    assert time.monotonic() - began < 1.0
    assert behind.seen.calls == 0


@pytest.mark.parametrize("stream", [False, True])
def test_who_goes_away_frees_its_place_and_the_call_is_given_up(
    front: World, behind: ScriptedEndpoint, stream: bool
) -> None:
    behind.faults = {"hang": 1.0}
    front.served["bare"].model.client._patience = Patience()  # type: ignore[union-attr]

    def leave() -> None:
        body = {"model": "bare", "messages": said(TEXT), "stream": stream}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{front.url}/v1/chat/completions", json=body, timeout=0.3)

    leaving = [threading.Thread(target=leave) for _ in range(4)]
    for one in leaving:
        one.start()
    for one in leaving:
        one.join()
    until = time.monotonic() + 5.0
    while front.http.get("/health").json()["answering"] and time.monotonic() < until:
        time.sleep(0.05)
    assert front.http.get("/health").json()["answering"] == 0
