"""Prompts are made to fit an endpoint's context; what it does not tell is learned (P3)."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.errors import ContextOverflow
from accordeur.core.model import Generated, Sampling
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.openai_api.fitting import OBSERVED, Fitting, told_lengths
from accordeur.testing.endpoint import ScriptedEndpoint
from accordeur.testing.endpoint_tokens import conversation

from .test_faults import echo, model


def shown(rows: int, row: str) -> Rendered:
    """So many demonstrations of 40 letters, and a row."""
    messages = [Message("user", (Segment("Which team?\n\n", shared=True),))]
    for at in range(rows):
        messages.append(Message("user", (Segment(f"shown {at} " + "x" * 32, "data"),), at))
        messages.append(Message("assistant", (Segment("card"),), at))
    return Rendered((*messages, Message("user", (Segment(row, "data", trim=True),))))


def asked(server: ScriptedEndpoint, *wanted: Rendered, learn: bool = False) -> list[Generated]:
    found: dict[int, Generated] = {}
    caller = model(server)
    if learn:
        caller.check()
    for batch in caller.generate(wanted, Sampling(max_tokens=20)):
        found.update(zip(batch.indices, batch.results, strict=True))
    return [found[at] for at in range(len(wanted))]


@pytest.mark.parametrize("says", [True, False])
def test_an_unknown_context_is_learned_from_a_refusal(says: bool) -> None:
    with ScriptedEndpoint(echo, window=300, says_window=says, models=()) as server:
        found = asked(server, shown(8, "the row"), shown(1, "short"))
        assert not any(one.error for one in found), found
        assert 0 < found[0].usage.dropped_demonstrations < 8
        assert found[0].usage.truncated_tokens == 0
        assert found[0].text.endswith("the row"), "the row is whole"
        assert found[1].usage.dropped_demonstrations == 0
        sent = [body["messages"] for body in server.seen.bodies]
        assert sent[-1][0]["content"].startswith("Which team?"), "the instruction stays"


@pytest.mark.parametrize("score", [None, lambda messages, answer: -1.0])
def test_a_context_that_is_told(score: object) -> None:
    listed = ({"id": "scripted", "max_model_len": 300},)
    with ScriptedEndpoint(echo, window=300, models=listed, score=score) as server:  # type: ignore[arg-type]
        (found,) = asked(server, shown(8, "a row " * 100), learn=True)
        assert not found.error
        assert found.usage.dropped_demonstrations == 8
        assert found.usage.truncated_tokens > 100
        last = server.seen.bodies[-1]["messages"]
        assert last[0]["content"].endswith("a row ")
        chats = [body for body in server.seen.bodies if "max_tokens" in body]
        refused = sum("Which team" in json.dumps(body) for body in chats) - 1
        assert refused == (0 if score is not None else 1), "an estimate is put right by a refusal"
        if score is not None:  # counted, not estimated: as much of it as there is room for
            assert len(conversation(last, answered=False)) == 280


def test_what_was_learned_is_remembered() -> None:
    with ScriptedEndpoint(echo, window=300, models=()) as server:
        asked(server, shown(8, "the row"), learn=True)
        assert model(server).context_window == 300


def test_fixed_text_that_does_not_fit_is_an_error() -> None:
    listed = ({"id": "scripted", "max_model_len": 100},)
    long = Rendered((Message("user", (Segment("word " * 200), Segment("row", "data", trim=True))),))
    with (
        ScriptedEndpoint(echo, window=100, models=listed) as server,
        pytest.raises(ContextOverflow, match="fixed text"),
    ):
        asked(server, long, learn=True)


@pytest.mark.parametrize(
    ("message", "window", "told"),
    [
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5000 "
            "tokens (4800 in the messages, 200 in the completion). Please reduce the length.",
            4096,
            4800,
        ),
        (
            "maximum context length is 8192 tokens. However, your messages resulted in 9000",
            8192,
            9000,
        ),
        ("request (5000 tokens) exceeds the available context size (4096 tokens)", 4096, 5000),
        ("the request exceeds the available context size", 0, 0),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200000, 210000),
        (
            "input token count (1200000) exceeds the maximum number of tokens allowed (1048576)",
            1048576,
            1200000,
        ),
        ("Prompt contains 40,000 tokens, model has 32,768 maximum context length", 32768, 40000),
    ],
)
def test_what_a_refusal_tells(message: str, window: int, told: int) -> None:
    assert told_lengths(message) == (window, told)


def test_what_is_counted_puts_the_estimate_right() -> None:
    prompt, fitting = shown(4, "y" * 300), Fitting(window=200)
    before = asyncio.run(fitting.fit(prompt, 20))
    assert before.dropped > 0
    for _ in range(OBSERVED):
        fitting.observe(prompt, 100)
    after = asyncio.run(fitting.fit(prompt, 20))
    assert (after.dropped, after.tokens) == (0, 110)


@settings(max_examples=60)
@given(st.integers(0, 6), st.integers(0, 200), st.integers(120, 500))
def test_the_most_that_fits_is_kept(rows: int, letters: int, window: int) -> None:
    prompt = shown(rows, "y" * letters)

    async def count(one: Rendered) -> int:
        turns = [{"role": turn.role, "content": turn.text} for turn in one.turns()]
        return len(conversation(turns, answered=False))

    fitted = asyncio.run(Fitting(window, count).fit(prompt, 20))
    tokens = asyncio.run(count(fitted.prompt))
    assert tokens <= window - 20
    if fitted.truncated:
        assert fitted.dropped == rows
        assert tokens == window - 20
    elif fitted.dropped:
        more = Rendered(prompt.turns(fitted.dropped - 1))
        assert asyncio.run(count(more)) > window - 20
