"""Log-probabilities of labels over the wire: `/tokenize`, and `/completions` with `echo`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import EndpointGone, ModelError
from accordeur.core.model import Capability, Scored
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.openai_api.allowance import Allowance
from accordeur.models.openai_api.failures import Failure
from accordeur.models.openai_api.token_wire import read_echo, read_tokens
from accordeur.testing.endpoint import OWN, Messages, ScriptedEndpoint
from accordeur.testing.endpoint_tokens import END, NEWLINE, conversation, split

from .test_faults import model, prompts

LABELS = ("yes", "no", "not sure")


def told(messages: Messages, answer: str) -> float:
    """A number of its own for every prompt and answer."""
    row = messages[-1]["content"].rpartition("row")[2]
    return -1.0 - len(answer) - 0.125 * (int(row) if row.isdecimal() else 0)


def scores(asked: Any, wanted: Sequence[Rendered], done: Sequence[int] = ()) -> dict[int, Scored]:
    found: dict[int, Scored] = {}
    for batch in asked.score(wanted, LABELS, done=done):
        assert not found.keys() & set(batch.indices), "scored twice"
        found.update(zip(batch.indices, batch.results, strict=True))
    return found


@pytest.mark.parametrize("least_tokens", [0, 1])
@pytest.mark.parametrize("listed", [OWN, ({"id": "scripted", "owned_by": "vllm"},)])
def test_every_label_gets_its_number(listed: Any, least_tokens: int) -> None:
    with ScriptedEndpoint(score=told, models=listed, least_tokens=least_tokens) as server:
        asked = model(server)
        found = scores(asked, prompts(30), done=[3])
    assert Capability.SCORE in asked.capabilities
    assert sorted(found) == [at for at in range(30) if at != 3]
    for index, one in found.items():
        assert not one.error
        expected = [-1.0 - len(label) - 0.125 * index for label in LABELS]
        assert one.scores == pytest.approx(expected, abs=1e-4)
    sent = [body for body in server.seen.bodies if "echo" in body][-1]
    assert [tokens[-1] for tokens in sent["prompt"]] == [END] * 3, "the end of turn, nothing else"
    assert sent["max_tokens"] == least_tokens


def test_labels_of_a_row_are_one_request() -> None:
    with ScriptedEndpoint(score=told) as server:
        asked = model(server)
        scores(asked, prompts(1))
        before = dict(server.seen.paths)
        scores(asked, prompts(11)[1:])
    assert server.seen.paths["/v1/completions"] - before["/v1/completions"] == 10
    assert server.seen.paths["/tokenize"] - before["/tokenize"] == 10


def test_what_an_endpoint_can_do_is_asked_once() -> None:
    with ScriptedEndpoint(score=told) as server:
        model(server).check()
        before = server.seen.calls
        model(server).check()
        assert server.seen.calls == before + 1, "the call that makes sure of an answer"
        model(server).check(anew=True)
        assert server.seen.calls > before + 2
        server.resolved = "another"
        before = server.seen.calls
        model(server).check()
        assert server.seen.calls > before + 1, "another model behind the name"


def test_our_own_server_gets_the_segments_others_one_text() -> None:
    split_row = Rendered(
        (Message("user", (Segment("Say: "), Segment(""), Segment("row1", "data"))),)
    )
    for listed, content in (
        (OWN, [{"type": "text", "text": "Say: "}, {"type": "text", "text": "row1"}]),
        (({"id": "scripted"},), "Say: row1"),
    ):
        with ScriptedEndpoint(score=told, models=listed) as server:
            scores(model(server), [split_row])
            (asked,) = (
                body for body in server.seen.bodies if "row1" in json.dumps(body.get("messages"))
            )
            assert asked["messages"] == [{"role": "user", "content": content}]


def test_a_label_that_the_template_changes_is_refused() -> None:
    with ScriptedEndpoint(score=told) as server:
        asked = model(server)
        asked.check()
        server.trims = True
        with pytest.raises(ModelError, match="does not let the label ` yes` stand"):
            list(asked.score(prompts(1), ["yes", " yes"]))


def test_tokens_of_labels_are_kept_when_a_limit_is_reached() -> None:
    labels = [f"label number {at}" for at in range(40)]
    with ScriptedEndpoint(score=told) as server:
        model(server).check()
        for _ in range(12):
            asked = model(server, allowance=Allowance(calls=8))
            try:
                asked.choose_labels(labels)
                break
            except EndpointGone:
                continue
        assert asked.labels_by == "logprobs"
        before = server.seen.paths["/tokenize"]
        model(server).choose_labels(labels)
        assert server.seen.paths["/tokenize"] == before, "they are known"


def test_another_server_at_the_address_is_told() -> None:
    with ScriptedEndpoint(score=told) as server:
        asked = model(server)
        asked.choose_labels(LABELS)
        server.score = None
        with pytest.raises(EndpointGone) as caught:
            scores(asked, prompts(3))
    assert caught.value.hint.startswith("accordeur models probe openai/scripted")


def test_without_echo_nothing_is_scored() -> None:
    with ScriptedEndpoint() as server:
        asked = model(server)
        assert Capability.SCORE in asked.capabilities, "nobody was asked yet"
        with pytest.raises(ModelError, match="tells no log-probabilities"):
            asked.score(prompts(1), LABELS)
        assert asked.capabilities == {Capability.GENERATE}


@pytest.mark.parametrize("fault", ["429", "500", "cut", "wrong json", "reset"])
def test_passing_faults_end_in_scores(fault: str) -> None:
    with ScriptedEndpoint(score=told) as server:
        asked = model(server)
        asked.check()
        server.faults = {fault: 0.2}
        found = scores(asked, prompts(20))
        assert not any(one.error for one in found.values())
        assert server.seen.faults[fault] > 3


def test_lasting_faults_are_named_on_the_row() -> None:
    def now_bad(messages: Messages, answer: str) -> float:
        return float("nan") if "row2" in messages[-1]["content"] else -1.0

    with ScriptedEndpoint(score=now_bad) as server:
        found = scores(model(server), prompts(4))
    assert [bool(found[at].error) for at in range(4)] == [False, False, True, False]
    assert found[2].error.startswith("malformed answer")
    assert found[2].scores == ()


def test_an_endpoint_that_is_gone_tells_nothing_of_what_it_can_do() -> None:
    with ScriptedEndpoint(score=told) as server:
        asked = model(server)
        asked.check()
        server.faults = {"401": 1.0}
        with pytest.raises(EndpointGone, match="key refused"):
            list(asked.score(prompts(1), LABELS))
        other = model(server)
        with pytest.raises(EndpointGone):
            other.check(anew=True)
        server.faults = {}
        assert other.abilities.exact


ROLES = st.sampled_from(["user", "assistant"])
TEXTS = st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace").decode())


@given(st.lists(st.tuples(ROLES, TEXTS), min_size=1, max_size=4))
def test_the_scripted_tokens_are_read_back(turns: list[tuple[str, str]]) -> None:
    messages = [{"role": role, "content": text} for role, text in turns]
    tokens = conversation(messages, answered=False)
    assert split(tokens) == (messages, len(tokens))
    whole = conversation([*messages, {"role": "assistant", "content": "no"}], answered=True)
    assert whole == [*tokens, *b"no", END, NEWLINE]


ASKED = [(1, 2), (3,)]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["tokens", "choices", "error", "usage"]), JSON)
    | st.fixed_dictionaries(
        {
            "choices": st.lists(
                st.fixed_dictionaries(
                    {"index": JSON, "logprobs": st.fixed_dictionaries({"token_logprobs": JSON})}
                ),
                max_size=2,
            )
        }
    )
)
def test_whatever_comes_is_read_or_a_failure(data: dict[str, Any]) -> None:
    text = json.dumps(data)
    with suppress(Failure):
        assert all(one >= 0 for one in read_tokens(text).tokens)
    with suppress(Failure):
        for told, asked in zip(read_echo(text, ASKED).logprobs, ASKED, strict=True):
            assert len(told) == len(asked)
            assert all(one is None or math.isfinite(one) for one in told)
