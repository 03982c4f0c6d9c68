"""Labels where an endpoint tells no log-probabilities of them: top tokens, schema, parsing."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import PlanError
from accordeur.core.model import Choosing, Generated, Sampling
from accordeur.models.openai_api.abilities import Way
from accordeur.models.openai_api.choosing import (
    FORMATS,
    chosen,
    held_to,
    is_held,
    told_apart,
    top_choice,
)
from accordeur.models.openai_api.wire import Reply
from accordeur.testing.endpoint import Messages, ScriptedEndpoint, choices_of

from .test_faults import model, prompts

LABELS = ("billing", "card lost")


def likely(messages: Messages) -> Mapping[str, float]:
    """The answer begins with chatter; of the labels, the second is likelier for odd rows."""
    odd = messages[-1]["content"][-1] in "13579"
    return {"Sure": -0.2, " card": -2.0 if odd else -4.0, "Bill": -3.0, "!": -6.0}


def one(server: ScriptedEndpoint, way: Way | None, count: int = 4) -> tuple[Way, list[Generated]]:
    asked = model(server)
    settled = asked.choose_labels(LABELS, way)
    how: Choosing = asked.choosing
    sampling = Sampling(max_tokens=20, choices=LABELS if how else (), choose=how)
    found: dict[int, Generated] = {}
    for batch in asked.generate(prompts(count), sampling):
        found.update(zip(batch.indices, batch.results, strict=True))
    return settled, [found[at] for at in range(count)]


def test_the_likeliest_label_of_the_first_tokens() -> None:
    with ScriptedEndpoint(lambda messages: "Sure, it depends.", top=likely) as server:
        way, found = one(server, None)
    assert way is Way.TOP
    assert [made.text for made in found] == ["billing", "card lost"] * 2


def test_where_no_label_is_known_the_text_is_read() -> None:
    with ScriptedEndpoint(lambda messages: "card lost!", top=lambda told: {"The": -0.1}) as server:
        _, found = one(server, Way.TOP)
    assert {made.text for made in found} == {"card lost!"}


@pytest.mark.parametrize("format_", ["response_format", "structured_outputs", "guided_choice"])
def test_an_answer_is_held_to_the_labels(format_: str) -> None:
    with ScriptedEndpoint(lambda messages: "I would say so.", formats=[format_]) as server:
        way, found = one(server, None)
        asked = [body for body in server.seen.bodies if body["messages"][-1]["content"] != "x"]
    assert way is Way.SCHEMA
    assert {made.text for made in found} == {"billing"}
    assert all(made.finished for made in found)
    assert format_ in asked[-1]


def test_an_endpoint_that_ignores_the_schema_is_found_out() -> None:
    with ScriptedEndpoint(lambda messages: "billing") as server:
        way, found = one(server, None)
        assert way is Way.PARSE
        assert "response_format" not in server.seen.bodies[-1]
        with pytest.raises(PlanError, match="holds no answer to a JSON schema") as caught:
            model(server).choose_labels(LABELS, Way.SCHEMA)
    assert caught.value.hint == "--labels-by parse"
    assert {made.text for made in found} == {"billing"}


def test_the_best_way_comes_first_and_any_may_be_asked_for() -> None:
    def score(messages: Messages, answer: str) -> float:
        return -1.0

    with ScriptedEndpoint(score=score, top=likely, formats=["response_format"]) as server:
        asked = model(server)
        assert asked.abilities.ways(LABELS) == tuple(Way)
        assert asked.abilities.ways(["card lost", "card found"]) == (
            Way.LOGPROBS,
            Way.SCHEMA,
            Way.PARSE,
        )
        for way in Way:
            assert asked.choose_labels(LABELS, way) is way
            assert asked.identity.engine.endswith(f"labels:{way}")


@pytest.mark.parametrize(
    ("labels", "apart"),
    [
        (["yes", "no"], True),
        (["card lost", "card found"], False),
        (["card_lost", "card_found"], False),
        (["refund", "refund status"], False),
        (["in", "inside"], False),
        (["Yes", "yes"], False),
        (["+", "-"], True),
        (["", "a"], False),
        (["größe", "grösser"], False),
    ],
)
def test_labels_that_begin_alike_are_not_told_apart(labels: list[str], apart: bool) -> None:
    assert told_apart(labels) is apart


@pytest.mark.parametrize(
    ("first", "best"),
    [
        ([("b", -1.0), ("card", -1.5)], "billing"),
        ([("Billing.", -1.0)], "billing"),
        ([("Billing", -1.0)], "billing"),
        ([("bi", -2.0), ("bill", -2.0), ("card", -1.5)], "billing"),
        ([("", -0.1), (" ", -0.1), ("The", -0.1)], ""),
    ],
)
def test_tokens_that_begin_a_label(first: list[tuple[str, float]], best: str) -> None:
    assert top_choice(first, LABELS) == best


NAMES = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4, unique=True)


@given(NAMES, st.sampled_from(FORMATS))
def test_every_format_holds_the_labels(labels: list[str], how: str) -> None:
    (told,) = held_to(labels, how).values()
    assert choices_of(json.loads(json.dumps(told))) == labels


@given(st.text(max_size=20) | st.sampled_from(['{"answer": 3}', "[1]", "[" * 9999, '{"x": 1}']))
def test_what_is_no_label_is_left_as_it_is(text: str) -> None:
    assert chosen(text, "json_schema") == text
    assert not is_held(Reply(text, True), ["no text has this"], "json_schema")
