"""Hostile and careless endpoints: answers, fields, keys, deadlines, threads."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time

import pytest

from accordeur.core.errors import EndpointGone, ModelError
from accordeur.core.model import Sampling
from accordeur.models.openai_api.allowance import Allowance
from accordeur.models.openai_api.client import Client, Patience, refused_field
from accordeur.models.openai_api.failures import Failure, Kind, from_response
from accordeur.models.openai_api.model import EndpointModel
from accordeur.models.openai_api.pace import Pace
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.models.openai_api.wire import read_chat
from accordeur.testing.endpoint import ScriptedEndpoint

from .test_faults import QUICK, echo, model, prompts


def completion(**choice: object) -> str:
    message = {"role": "assistant", "content": "yes"}
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop", **choice}]})


@pytest.mark.parametrize("value", ["-Infinity", "1e999", "NaN", "1" + "0" * 400])
def test_log_probabilities_that_are_no_numbers_are_unknown(value: str) -> None:
    text = completion(logprobs={"content": [{"logprob": "HERE"}]}).replace('"HERE"', value)
    assert read_chat(text).logprob is None


@pytest.mark.parametrize("code", ["\u00b2", "4040", "-1", "", "abc"])
def test_codes_that_are_no_status(code: str) -> None:
    with pytest.raises(Failure) as caught:
        read_chat(json.dumps({"error": {"code": code, "message": "x"}}))
    assert caught.value.kind is Kind.SERVER


def test_deep_json_is_not_json() -> None:
    deep = "[" * 100_000
    with pytest.raises(Failure) as caught:
        read_chat(deep)
    assert caught.value.kind is Kind.NOT_JSON
    assert from_response(500, {}, deep).kind is Kind.SERVER


def test_an_error_page_without_end_takes_no_time() -> None:
    began = time.monotonic()
    assert from_response(502, {}, "<title" * 200_000).message
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ({"finish_reason": "SAFETY"}, Kind.CONTENT_FILTER),
        ({"finish_reason": "error"}, Kind.MALFORMED),
        ({"finish_reason": "tool_calls"}, Kind.MALFORMED),
        ({"error": {"message": "overloaded", "code": 502}}, Kind.SERVER),
    ],
)
def test_failures_of_the_endpoint_are_no_answers(choice: dict[str, object], kind: Kind) -> None:
    with pytest.raises(Failure) as caught:
        read_chat(completion(**choice))
    assert caught.value.kind is kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("You are not allowed to request logprobs from this model", Kind.REFUSED),
        ("this input requires moderation and was flagged", Kind.CONTENT_FILTER),
        ("Your key has no access to this project", Kind.KEY),
    ],
)
def test_a_403_is_not_always_the_key(message: str, kind: Kind) -> None:
    assert from_response(403, {}, json.dumps({"error": {"message": message}})).kind is kind


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens"),
        ("You are not allowed to request logprobs from this model", "logprobs"),
        ("Unrecognized request argument supplied: seed", "seed"),
        ("Unsupported value: 'temperature' does not support 0.0 with this model.", "temperature"),
        ("`top_p` is not supported", "top_p"),
        ("`temperature` and `top_p` cannot both be specified", ""),
        ("max_tokens must be at most 8192", ""),
        ("the row `what seed at which temperature?` is bad", ""),
    ],
)
def test_a_field_is_refused_only_where_it_is_said(message: str, field: str) -> None:
    assert refused_field(message) == field


def test_a_new_name_that_is_no_better_is_taken_back() -> None:
    with ScriptedEndpoint(echo, refuses=["max_tokens", "max_completion_tokens"]) as server:
        client = Client(endpoint(VENDORS["openai"], server.base_url, {}), patience=QUICK)
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 3}

        async def ask() -> None:
            try:
                with pytest.raises(Failure, match="not supported"):
                    await client.chat(body)
            finally:
                await client.close()

        asyncio.run(ask())
        assert client.limit_field == "max_tokens"


def test_a_row_that_is_no_unicode_is_asked() -> None:
    with ScriptedEndpoint(lambda messages: "yes") as server:
        asked = model(server)
        (row,) = prompts(1)
        broken = row.messages[0].segments[0]
        text = type(broken)("half a pair \ud83d", "data")
        prompt = type(row)((type(row.messages[0])("user", (text,)),))
        (batch,) = asked.generate([prompt], Sampling(max_tokens=5))
        assert batch.results[0].text == "yes"


@pytest.mark.parametrize(
    "url",
    ["http://localhost:abc/v1", "http://localhost:99999/v1", "http://[::1/v1", "http://a/v1?k=1"],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ModelError, match="base URL"):
        endpoint(VENDORS["vllm"], url, {})


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.evil.com", False), ("127.0.0.1", True), ("0.0.0.0", True), ("[::1]", True)],
)
def test_what_is_on_this_machine(host: str, local: bool) -> None:
    assert endpoint(VENDORS["vllm"], f"http://{host}:1/v1", {}).local is local


@pytest.mark.parametrize("key", ["AIzaSyABCDEF", "fw_abcdef", "0123456789abcdef", "mykey"])
def test_the_key_is_blotted_out_of_whatever_quotes_it(key: str) -> None:
    # This endpoint refuses a field of the name of the key, and says so with it.
    with ScriptedEndpoint(echo, refuses=[key]) as server:
        place = endpoint(VENDORS["openai"], server.base_url, {"OPENAI_API_KEY": key})
        client = Client(place, patience=QUICK)
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], key: 1}

        async def ask() -> None:
            try:
                with pytest.raises(Failure) as caught:
                    await client.chat(body)
            finally:
                await client.close()
            assert "Unsupported parameter: '[key]'" in str(caught.value)
            assert key not in str(caught.value)

        asyncio.run(ask())


def test_nobody_waits_longer_than_a_call_may_take() -> None:
    async def go() -> None:
        pace = Pace(4)
        async with pace.slot() as began:
            pace.pushed_back(began, 3600.0)
        with pytest.raises(Failure, match="wants no call for 3600 seconds"):
            async with pace.slot(time.monotonic() + 1):
                raise AssertionError

    asyncio.run(go())


def test_what_was_paid_for_is_kept_when_the_limit_is_reached() -> None:
    with ScriptedEndpoint(echo, delay=0.05) as server:
        place = endpoint(VENDORS["openai"], server.base_url, {})
        asked = EndpointModel(place, "scripted", most=8, allowance=Allowance(calls=20))
        kept: list[int] = []
        batches = asked.generate(prompts(100), Sampling(max_tokens=20))
        with pytest.raises(EndpointGone, match="limit of 20 calls"):
            kept.extend(index for batch in batches for index in batch.indices)
        assert len(kept) == server.seen.calls == 20


def test_tokens_that_are_not_told_are_counted_about() -> None:
    with ScriptedEndpoint(echo, usage=False) as server:
        place = endpoint(VENDORS["openai"], server.base_url, {})
        asked = EndpointModel(place, "scripted", most=1, allowance=Allowance(tokens=30))
        with pytest.raises(EndpointGone, match="limit of 30 tokens"):
            list(asked.generate(prompts(50), Sampling(max_tokens=20)))
        assert server.seen.calls < 10


def test_seconds_are_of_the_clock() -> None:
    with ScriptedEndpoint(echo, delay=0.2) as server:
        began = time.monotonic()
        batches = list(model(server, most=8).generate(prompts(16), Sampling(max_tokens=20)))
        wall = time.monotonic() - began
        assert sum(one.seconds for one in batches) <= wall + 0.01


def test_a_model_that_nobody_holds_leaves_no_thread() -> None:
    before = threading.active_count()
    with ScriptedEndpoint(echo, delay=0.05) as server:
        place = endpoint(VENDORS["openai"], server.base_url, {})
        asked = EndpointModel(place, "scripted", most=4, patience=Patience(attempt=2.0))
        batches = asked.generate(prompts(100), Sampling(max_tokens=20))
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        del asked, batches
        until = time.monotonic() + 10
        while threading.active_count() > before + 1 and time.monotonic() < until:
            gc.collect()
            time.sleep(0.05)
        assert threading.active_count() <= before + 1, "the server's own thread"


@pytest.mark.parametrize("fault", ["filter", "cut", "no choices", "hang", "wrong json"])
def test_attempts_that_fail_are_counted(fault: str) -> None:
    with ScriptedEndpoint(echo, faults={fault: 1.0}) as server:
        place = endpoint(VENDORS["openai"], server.base_url, {})
        short = Patience(attempt=0.2, call=2.0, attempts=2, first_wait=0.01)
        asked = EndpointModel(place, "scripted", patience=short)
        (batch,) = asked.generate(prompts(1), Sampling(max_tokens=20))
        assert batch.results[0].error
        spent = asked.client.allowance
        assert spent.spent_calls == server.seen.calls
        assert spent.spent_tokens >= 3 * server.seen.calls


def test_attempts_that_were_refused_cost_nothing() -> None:
    with ScriptedEndpoint(echo, faults={"500": 1.0}) as server:
        asked = model(server)
        (batch,) = asked.generate(prompts(1), Sampling(max_tokens=20))
        assert batch.results[0].error
        assert asked.client.allowance.spent_tokens == 0


def test_a_stream_has_a_deadline() -> None:
    with ScriptedEndpoint(lambda messages: "word " * 200, faults={"slow": 1.0}) as server:
        place = endpoint(VENDORS["openai"], server.base_url, {})
        asked = EndpointModel(place, "scripted", patience=Patience(attempt=5.0, call=0.3))
        began = time.monotonic()
        with pytest.raises(EndpointGone, match="no end in the time"):
            list(asked.stream(prompts(1)[0], Sampling(max_tokens=300)))
        assert time.monotonic() - began < 1.0
        assert asked.client.allowance.spent_tokens > 0


def test_a_limit_that_is_spent_on_thinking_is_said() -> None:
    with ScriptedEndpoint(echo, thinks=50) as server:
        (batch,) = model(server).generate(prompts(1), Sampling(max_tokens=20))
    (made,) = batch.results
    assert (made.text, made.finished, made.error) == ("", False, "")
    assert made.note == "the limit was reached after about 20 tokens of unseen thinking"
    assert made.usage.output_tokens == 20
