"""What is sent and read, and that nothing an endpoint says brings the reader down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from accordeur.core.model import Sampling
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.openai_api.failures import Failure, Kind, from_response, wait_of
from accordeur.models.openai_api.wire import (
    Reply,
    StreamReader,
    chat_body,
    messages,
    read_chat,
    read_models,
)

ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(
                ["choices", "message", "content", "finish_reason", "error", "usage", "logprobs"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def completion(content: Any = "Billing", end: Any = "stop", **more: Any) -> str:
    message = {"role": "assistant", "content": content, **more}
    return json.dumps({"choices": [{"message": message, "finish_reason": end}]})


def read_stream(lines: Iterable[str]) -> Iterator[str | Reply]:
    """The pieces, then the whole."""
    reader = StreamReader()
    for line in lines:
        if piece := reader.line(line):
            yield piece
    yield reader.end()


def failed(read: Callable[[], object]) -> Failure | None:
    try:
        read()
    except Failure as failure:
        return failure
    return None


@given(ANYTHING)
def test_whatever_comes_is_an_answer_or_a_failure(data: Any) -> None:
    for read in (read_chat, read_models):
        failure = failed(lambda read=read: read(json.dumps(data)))  # type: ignore[misc]
        assert failure is None or failure.message
        assert failure is None or str(failure).startswith(failure.kind.value)


@given(some.text(max_size=200))
def test_whatever_text_comes_is_an_answer_or_a_failure(text: str) -> None:
    with pytest.raises(Failure):
        read_chat(text)
    failure = failed(lambda: list(read_stream([f"data: {text}"])))
    assert failure is None or failure.kind in (Kind.NOT_JSON, Kind.MALFORMED, Kind.CUT)


@given(some.integers(100, 599), some.text(max_size=300), some.text(max_size=20))
def test_every_status_has_a_kind_and_a_line(status: int, body: str, wait: str) -> None:
    failure = from_response(status, {"Retry-After": wait}, body)
    assert failure.message
    assert "\n" not in failure.message
    assert len(failure.message) <= 300
    assert failure.hint("openai", "OPENAI_API_KEY")
    assert failure.wait is None or failure.wait >= 0


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": "Incorrect API key provided"}}, Kind.KEY),
        (403, {"error": "forbidden"}, Kind.KEY),
        (404, {"error": {"message": "The model `x` does not exist"}}, Kind.MODEL),
        (402, {"message": "payment required"}, Kind.QUOTA),
        (429, {"error": {"message": "slow down", "type": "requests"}}, Kind.RATE_LIMIT),
        (429, {"error": {"message": "no credit", "code": "insufficient_quota"}}, Kind.QUOTA),
        (400, {"error": {"message": "x", "code": "context_length_exceeded"}}, Kind.TOO_LONG),
        (400, {"error": {"message": "x", "code": "content_filter"}}, Kind.CONTENT_FILTER),
        (400, [{"error": {"message": "bad field", "code": 400}}], Kind.REFUSED),
        (422, {"detail": "temperature: value is not valid"}, Kind.REFUSED),
        (503, {"error": {"message": "overloaded"}}, Kind.SERVER),
        (529, {"type": "error", "error": {"type": "overloaded_error"}}, Kind.SERVER),
        (504, {}, Kind.TIMEOUT),
    ],
)
def test_failures_are_told_apart(status: int, body: Any, kind: Kind) -> None:
    assert from_response(status, {}, json.dumps(body)).kind is kind


def test_a_web_page_is_named_by_its_title() -> None:
    page = "<!doctype html><html><head><title>\n Sign in </title></head></html>"
    assert from_response(502, {}, page).message == "a web page, `Sign in`"


def test_keys_are_not_repeated() -> None:
    told = {"error": {"message": "Incorrect API key provided: sk-abcd****wxyz. Bearer sk-abc-1."}}
    message = from_response(401, {}, json.dumps(told)).message
    assert "abc" not in message
    assert message.count("[key]") == 2


def test_how_long_to_wait() -> None:
    assert wait_of({"retry-after": "2"}) == 2.0
    assert wait_of({"Retry-After-Ms": "150", "Retry-After": "2"}) == 0.15
    assert wait_of({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert wait_of({"Retry-After": "soon"}) is None
    assert wait_of({}) is None


def test_an_answer_is_read() -> None:
    data = json.loads(completion())
    data["choices"][0]["logprobs"] = {"content": [{"logprob": -1.0}, {"logprob": -0.5}]}
    data |= {"usage": {"prompt_tokens": 7, "completion_tokens": 2}, "model": "m-1"}
    assert read_chat(json.dumps(data)) == Reply("Billing", True, -0.75, 7, 2, "m-1")
    assert read_chat(completion("Bil", "length")).finished is False
    assert read_chat(completion(None)).text == ""
    assert read_chat(completion(None, refusal="I cannot.")).text == "I cannot."
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
    assert read_chat(completion(parts)).text == "ab"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<html>", Kind.NOT_JSON),
        (completion()[:40], Kind.NOT_JSON),
        ("[]", Kind.MALFORMED),
        ('{"choices": []}', Kind.MALFORMED),
        (completion(end=None), Kind.CUT),
        (completion(end="content_filter"), Kind.CONTENT_FILTER),
        ('{"error": {"message": "slow", "code": 429}}', Kind.RATE_LIMIT),
        ('{"error": {"message": "broken"}}', Kind.SERVER),
    ],
)
def test_what_is_no_answer(text: str, kind: Kind) -> None:
    with pytest.raises(Failure) as caught:
        read_chat(text)
    assert caught.value.kind is kind


@given(some.lists(some.text(min_size=1, max_size=5), min_size=1, max_size=6))
def test_a_stream_says_what_its_pieces_say(pieces: list[str]) -> None:
    events = [{"choices": [{"delta": {"content": one}}]} for one in pieces]
    end: dict[str, Any] = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": len(pieces)}}
    lines = [f"data: {json.dumps(one)}" for one in (*events, end, usage)]
    *said, whole = read_stream([": comment", *lines, "data: [DONE]", ""])
    assert said == pieces
    assert whole == Reply("".join(pieces), True, None, 3, len(pieces))
    with pytest.raises(Failure, match="without its end"):
        list(read_stream(lines[: len(events)]))


def test_turns_are_those_the_engine_sees() -> None:
    prompt = Rendered(
        (
            Message("system", (Segment("Be brief."),)),
            Message("user", (Segment("Which team?\n\n", shared=True), Segment("Hi", "data"))),
        )
    )
    turns = messages(prompt)
    assert turns == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Which team?\n\nHi"},
    ]
    body = chat_body("m", turns, Sampling(max_tokens=9), without={"seed"})
    assert body == {
        "model": "m",
        "messages": turns,
        "max_tokens": 9,
        "temperature": 0.0,
        "logprobs": True,
    }
    sampled = chat_body("m", turns, Sampling(5, 0.7, 0.9, 2**40 + 3), stream=True)
    assert sampled["seed"] == 3
    assert sampled["top_p"] == 0.9
    assert sampled["stream_options"] == {"include_usage": True}
    soft = Rendered((Message("user", (Segment("", "soft", soft_tokens=4),)),))
    with pytest.raises(ValueError, match="soft prompt"):
        messages(soft)
