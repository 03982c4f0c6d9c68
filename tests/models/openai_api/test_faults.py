"""A misbehaving endpoint: every item ends answered or with its true failure, once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from accordeur.core.errors import EndpointGone, ModelError
from accordeur.core.model import Generated, Sampling
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.core.streaming import Streamed
from accordeur.models.openai_api.client import Client, Patience
from accordeur.models.openai_api.model import EndpointModel
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.testing.endpoint import Messages, ScriptedEndpoint

QUICK = Patience(attempt=2.0, call=60.0, attempts=6, first_wait=0.01, longest_wait=0.05)


def echo(messages: Messages) -> str:
    return f"you said {messages[-1]['content']}"


def prompts(count: int) -> list[Rendered]:
    return [
        Rendered(
            (Message("user", (Segment("Say it: ", shared=True), Segment(f"row{at}", "data"))),)
        )
        for at in range(count)
    ]


def model(server: ScriptedEndpoint, **settings: object) -> EndpointModel:
    place = endpoint(VENDORS["openai"], server.base_url, {})
    return EndpointModel(place, "scripted", patience=QUICK, **settings)  # type: ignore[arg-type]


def answers(asked: EndpointModel, count: int, done: tuple[int, ...] = ()) -> dict[int, Generated]:
    found: dict[int, Generated] = {}
    for batch in asked.generate(prompts(count), Sampling(max_tokens=20), done=done):
        for index, result in zip(batch.indices, batch.results, strict=True):
            assert index not in found, "answered twice"
            found[index] = result
        assert batch.seconds > 0
    return found


@pytest.mark.parametrize("fault", ["429", "500", "slow", "cut", "wrong json", "html", "reset"])
def test_passing_faults_end_in_answers(fault: str) -> None:
    with ScriptedEndpoint(echo, faults={fault: 0.3}) as server:
        found = answers(model(server), 60)
        assert sorted(found) == list(range(60))
        for index, result in found.items():
            assert not result.error, result.error
            assert result.text == f"you said Say it: row{index}"
            assert result.usage.input_tokens == 3
        assert server.seen.faults[fault] > 5
        assert set(server.seen.answered.values()) == {1}, "asked again after it was answered"


def test_two_percent_of_everything_costs_little() -> None:
    kinds = ["429", "500", "slow", "cut", "wrong json", "html", "reset"]
    with ScriptedEndpoint(echo, faults=dict.fromkeys(kinds, 0.02), seed=1) as server:
        asked = model(server, most=64)
        found = answers(asked, 600)
        assert len(found) == 600
        assert not any(one.error for one in found.values())
        assert server.seen.calls <= 1.2 * 600
        assert asked.client.allowance.spent_calls == server.seen.calls


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("filter", "content filter"), ("no choices", "malformed answer"), ("500", "server error")],
)
def test_lasting_faults_are_named_on_the_row(fault: str, kind: str) -> None:
    with ScriptedEndpoint(echo, faults={fault: 1.0}) as server:
        found = answers(model(server), 3)
        assert [one.error.partition(":")[0] for one in found.values()] == [kind] * 3
        calls = {"filter": 3}.get(fault, 3 * QUICK.attempts)
        assert server.seen.calls == calls, "a filter is asked once"


@pytest.mark.parametrize(
    ("fault", "kind"), [("401", "key refused"), ("402", "quota used up"), ("404", "no such model")]
)
def test_what_no_call_would_escape_stops_the_run(fault: str, kind: str) -> None:
    with ScriptedEndpoint(echo, faults={fault: 1.0}) as server:
        with pytest.raises(ModelError, match=kind) as caught:
            answers(model(server), 500)
        assert caught.value.hint
        assert server.seen.calls < 100, "it did not try them all"


def test_a_dead_endpoint_stops_the_run() -> None:
    with ScriptedEndpoint(echo) as server:
        asked = model(server)
    with pytest.raises(ModelError, match="connection") as caught:
        answers(asked, 500)
    assert "--base-url" in caught.value.hint


def test_an_address_where_nobody_ever_answered_is_not_tried_again() -> None:
    place = endpoint(VENDORS["openai"], "http://127.0.0.1:9/v1")
    began = time.monotonic()
    with pytest.raises(EndpointGone, match="connection") as caught:
        EndpointModel(place, "scripted").check()
    assert "is the server running?" in caught.value.hint
    with pytest.raises(EndpointGone, match="connection"):
        answers(EndpointModel(place, "scripted"), 50)
    assert time.monotonic() - began < 2.0


def test_an_endpoint_that_answered_before_may_be_away_for_a_moment() -> None:
    told = iter([True, False, False, True])

    def serve(request: httpx.Request) -> httpx.Response:
        if not next(told):
            raise httpx.ConnectError("refused", request=request)
        choice = {"message": {"content": "yes"}, "finish_reason": "stop"}
        return httpx.Response(200, json={"choices": [choice]})

    async def twice() -> list[str]:
        place = endpoint(VENDORS["openai"], "http://127.0.0.1:9/v1")
        client = Client(place, patience=QUICK, transport=httpx.MockTransport(serve))
        body: dict[str, object] = {"messages": []}
        return [(await client.chat(body)).text, (await client.chat(body)).text]

    assert asyncio.run(twice()) == ["yes", "yes"]


def test_a_context_is_one_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path))
    with ScriptedEndpoint() as server:
        asked = model(server)
        assert [asked.context_window for _ in range(3)] == [4096] * 3
        assert server.seen.paths == {"/v1/models": 1}


def test_an_answer_that_never_comes_is_given_up() -> None:
    with ScriptedEndpoint(echo, faults={"hang": 1.0}) as server:
        place = endpoint(VENDORS["openai"], server.base_url, {})
        short = Patience(attempt=0.1, call=1.0, attempts=2, first_wait=0.01)
        found = answers(EndpointModel(place, "scripted", patience=short), 2)
        assert all(one.error.startswith("timeout") for one in found.values())


def test_rows_that_are_done_are_not_asked() -> None:
    with ScriptedEndpoint(echo) as server:
        found = answers(model(server), 10, done=tuple(range(7)))
        assert sorted(found) == [7, 8, 9]
        assert server.seen.calls == 3


def test_it_finds_how_many_calls_an_endpoint_takes() -> None:
    with ScriptedEndpoint(echo, delay=0.2, capacity=12, retry_after=0.05) as server:
        asked = model(server, most=64)
        found = answers(asked, 150)
        assert not any(one.error for one in found.values())
        assert 4 <= asked.client.pace.limit <= 26
        assert server.seen.calls < 1.5 * 150


def test_without_a_limit_it_uses_all_slots() -> None:
    with ScriptedEndpoint(echo, delay=0.3) as server:
        asked = model(server, most=40)
        answers(asked, 160)
        assert asked.client.pace.highest == 40
        assert server.seen.most_at_once > 20


@pytest.mark.parametrize("field", ["seed", "logprobs", "temperature", "max_tokens"])
def test_fields_an_endpoint_refuses_are_left_out(field: str) -> None:
    told: list[str] = []
    with ScriptedEndpoint(echo, refuses=[field]) as server:
        asked = model(server, log=told.append)
        found = answers(asked, 40)
        assert not any(one.error for one in found.values())
        assert field not in server.seen.bodies[-1]
        assert field == "max_tokens" or any(field in line for line in told)


def test_streams_come_in_pieces_and_whole() -> None:
    with ScriptedEndpoint(echo) as server:
        asked = model(server)
        streamed = Streamed(asked.stream(prompts(1)[0], Sampling(max_tokens=20)))
        pieces = list(streamed)
        assert "".join(pieces) == "you said Say it: row0"
        assert len(pieces) > 3
        whole = answers(asked, 1)[0]
        assert streamed.whole is not None
        assert replace(streamed.whole, seconds=whole.seconds) == whole


def test_a_stream_says_that_it_ended_at_its_limit() -> None:
    with ScriptedEndpoint(echo) as server:
        streamed = Streamed(model(server).stream(prompts(1)[0], Sampling(max_tokens=2)))
        assert "".join(streamed) == "you said"
        assert streamed.whole is not None
        assert not streamed.whole.finished
        assert streamed.whole.usage.output_tokens == 2


def test_a_stream_that_is_cut_says_so() -> None:
    with (
        ScriptedEndpoint(echo, faults={"cut": 1.0}) as server,
        pytest.raises(ModelError, match="cut off"),
    ):
        list(model(server).stream(prompts(1)[0], Sampling(max_tokens=20)))


def test_a_caller_who_stops_listening_leaves_nothing_running() -> None:
    with ScriptedEndpoint(echo, delay=0.05) as server:
        asked = model(server, most=4)
        batches = asked.generate(prompts(200), Sampling(max_tokens=20))
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        before = server.seen.calls
        assert answers(asked, 1)[0].text
        assert server.seen.calls <= before + 5
        assert before < 60
