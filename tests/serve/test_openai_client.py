"""The official client against the server: every answer is the one that the bundle gives itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from accordeur.core.model import Sampling
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.source import EMBEDDER, Models
from accordeur.parts.bundle import load_bundle
from accordeur.parts.loaded import LoadedBundle

from .conftest import World

TEXT = "Where is my card?"


def said(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def alone(folders: dict[str, Path]) -> dict[str, LoadedBundle]:
    """The same bundles without a server."""
    models = Models(dtype="float32")
    return {name: LoadedBundle(load_bundle(folder), models) for name, folder in folders.items()}


def test_everything_that_is_served_is_listed(served: World) -> None:
    names = [one.id for one in served.client.models.list()]
    assert names == [*served.served, EMBEDDER]
    assert served.client.models.retrieve("labels").owned_by == "accordeur"


@pytest.mark.parametrize(
    "name", ["labels", "calibrated", "adapted", "adapted-too", "soft", "majority"]
)
def test_labels_and_their_probabilities_are_those_of_the_bundle(
    served: World, alone: dict[str, LoadedBundle], name: str
) -> None:
    expected = alone[name].answer(TEXT)
    made = served.client.chat.completions.create(model=name, messages=said(TEXT))
    assert made.choices[0].message.content == expected.label
    assert made.choices[0].finish_reason == "stop"
    about = made.choices[0].model_extra["accordeur"]  # type: ignore[index]
    assert list(about["probabilities"]) == ["billing", "card", "other"]
    assert list(about["probabilities"].values()) == pytest.approx(expected.probabilities, abs=1e-3)


@pytest.mark.parametrize("name", ["texts", "reasons", "votes"])
def test_texts_are_those_of_the_bundle(
    served: World, alone: dict[str, LoadedBundle], name: str
) -> None:
    expected = alone[name].answer(TEXT)
    made = served.client.chat.completions.create(model=name, messages=said(TEXT))
    assert made.choices[0].message.content == expected.text
    assert made.model == name


def test_reasoning_stands_beside_the_answer(served: World) -> None:
    made = served.client.chat.completions.create(model="reasons", messages=said(TEXT))
    assert made.choices[0].message.model_extra["reasoning_content"]  # type: ignore[index]


def test_a_stream_is_the_answer_in_pieces_with_its_usage(served: World) -> None:
    whole = served.client.chat.completions.create(model="texts", messages=said(TEXT))
    chunks = list(
        served.client.chat.completions.create(
            model="texts",
            messages=said(TEXT),
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [one.choices[0].delta.content or "" for one in chunks if one.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 1
    assert [one.usage for one in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason


def test_a_label_is_streamed_in_one_piece(served: World) -> None:
    chunks = served.client.chat.completions.create(
        model="calibrated", messages=said(TEXT), stream=True
    )
    assert [one.choices[0].delta.content or "" for one in chunks] == ["", "billing", ""]


def test_earlier_messages_stand_between_the_examples_and_the_input(
    served: World, alone: dict[str, LoadedBundle]
) -> None:
    talk: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": TEXT},
    ]
    expected = alone["texts"].answer(talk)  # type: ignore[arg-type]
    made = served.client.chat.completions.create(model="texts", messages=talk)
    assert made.choices[0].message.content == expected.text
    assert made.usage is not None
    assert made.usage.prompt_tokens == expected.usage.input_tokens


def test_a_model_as_it_is_answers_messages_alone(served: World) -> None:
    prompt = Rendered((Message("user", (Segment(TEXT, "data"),)),))
    local = Models(dtype="float32").local(str(served.folder))
    (batch,) = local.generate([prompt], Sampling(9))
    made = served.client.chat.completions.create(
        model="tiny", messages=said(TEXT), max_completion_tokens=9
    )
    assert made.choices[0].message.content == batch.results[0].text
    assert made.usage is not None
    assert made.usage.completion_tokens == 9


def test_parts_of_a_message_are_one_text(served: World) -> None:
    parts: list[ChatCompletionMessageParam] = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Where is "},
                {"type": "text", "text": "my card?"},
            ],
        }
    ]
    whole = served.client.chat.completions.create(model="labels", messages=said(TEXT))
    made = served.client.chat.completions.create(model="labels", messages=parts)
    assert made.choices[0].model_extra == whole.choices[0].model_extra


def test_seeds_repeat_a_sampled_text_and_choices_differ(served: World) -> None:
    def ask(seed: int) -> list[str | None]:
        made = served.client.chat.completions.create(
            model="tiny", messages=said(TEXT), max_tokens=9, temperature=1.5, n=3, seed=seed
        )
        return [one.message.content for one in made.choices]

    first = ask(1)
    assert len(set(first)) == 3
    assert ask(1) == first
    assert ask(2) != first


def test_a_text_ends_before_a_stop_sequence(served: World) -> None:
    def ask(stop: str | None) -> openai.types.chat.chat_completion.Choice:
        made = served.client.chat.completions.create(
            model="tiny", messages=said(TEXT), max_tokens=9, stop=stop
        )
        return made.choices[0]

    whole = ask(None)
    text = whole.message.content or ""
    stop = text[len(text) // 2 :][:3]
    made = ask(stop)
    assert made.message.content == text[: text.index(stop)]
    assert (whole.finish_reason, made.finish_reason) == ("length", "stop")


def test_log_probabilities_of_a_chat_name_the_greedy_token_first(served: World) -> None:
    made = served.client.chat.completions.create(
        model="tiny", messages=said(TEXT), max_tokens=5, logprobs=True, top_logprobs=2
    )
    logprobs = made.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert "".join(one.token for one in logprobs.content) == made.choices[0].message.content
    for one in logprobs.content:
        assert one.top_logprobs[0].token == one.token
        assert one.top_logprobs[0].logprob == pytest.approx(one.logprob, abs=1e-4)


def test_echoed_tokens_carry_the_log_probabilities_of_the_engine(served: World) -> None:
    local = Models(dtype="float32").local(str(served.folder))
    tokens = [list(local.chat.plain(text)) for text in (TEXT, "Where is it now, and why?")]
    made = served.client.completions.create(
        model="tiny", prompt=tokens, echo=True, logprobs=1, max_tokens=0
    )
    for sequence, choice in zip(tokens, made.choices, strict=True):
        assert choice.logprobs is not None
        expected = local.token_logprobs([tuple(sequence)])[0].logprobs
        found = choice.logprobs.token_logprobs
        assert found is not None
        assert found[0] is None
        assert found[1:] == pytest.approx(expected[1:], abs=1e-4)
        assert choice.text == local.chat.decode(sequence)
    assert made.usage is not None
    assert made.usage.prompt_tokens == sum(map(len, tokens))


def test_tokens_of_one_character_are_told_apart(served: World) -> None:
    made = served.client.completions.create(
        model="tiny", prompt="5 \u20ac or \U0001f9ff?", max_tokens=0, echo=True, logprobs=2
    )
    choice = made.choices[0]
    told = choice.logprobs
    assert told is not None
    assert told.tokens is not None
    assert told.text_offset is not None
    assert any(one.startswith("bytes:") for one in told.tokens)
    whole = [one for one in told.tokens if not one.startswith("bytes:")]
    for token, at in zip(told.tokens, told.text_offset, strict=True):
        if token in whole:
            assert choice.text[at:].startswith(token)


def test_a_completion_continues_its_prompt(served: World) -> None:
    made = served.client.completions.create(model="tiny", prompt=TEXT, max_tokens=4)
    streamed = served.client.completions.create(
        model="tiny", prompt=TEXT, max_tokens=4, stream=True
    )
    assert "".join(one.choices[0].text for one in streamed) == made.choices[0].text
    assert made.choices[0].finish_reason == "length"


def test_vectors_are_those_of_the_embedder(served: World) -> None:
    texts = ["a cat", "an engine"]
    expected = Models().embedder(EMBEDDER).embed(texts)
    for form in ("float", "base64"):
        made = served.client.embeddings.create(model=EMBEDDER, input=texts)
        assert np.allclose([one.embedding for one in made.data], expected, atol=1e-5), form


def test_embedded_tokens_are_counted(served: World) -> None:
    texts = ["unbelievably", "x " * 1_000]
    made = served.client.embeddings.create(model=EMBEDDER, input=texts)
    embedder = Models().embedder(EMBEDDER)
    assert made.usage.prompt_tokens == sum(min(embedder.count_tokens(text), 256) for text in texts)
    assert 256 < made.usage.prompt_tokens < 270, "the second is read up to 256 tokens"


def test_an_unknown_model_offers_the_nearest(served: World) -> None:
    with pytest.raises(openai.NotFoundError, match="did you mean `labels`"):
        served.client.chat.completions.create(model="label", messages=said("x"))


def test_what_would_change_the_answer_and_is_not_understood_is_refused(served: World) -> None:
    with pytest.raises(openai.BadRequestError, match="`logit_bias` is not supported") as caught:
        served.client.chat.completions.create(
            model="texts", messages=said("x"), logit_bias={"5": 10}
        )
    assert caught.value.code == "unsupported_parameter"


def test_messages_beyond_the_context_are_refused_for_a_model_as_it_is(served: World) -> None:
    with pytest.raises(openai.BadRequestError, match="1024") as caught:
        served.client.chat.completions.create(model="tiny", messages=said("long " * 1_100))
    assert caught.value.code == "context_length_exceeded"


def test_streamed_log_probabilities_are_those_of_the_whole(served: World) -> None:
    asked = {"model": "tiny", "messages": said(TEXT), "max_tokens": 5, "logprobs": True}
    whole = served.client.chat.completions.create(**asked)  # type: ignore[call-overload]
    found = [
        one
        for chunk in served.client.chat.completions.create(**asked, stream=True)  # type: ignore[call-overload]
        if chunk.choices[0].logprobs is not None
        for one in chunk.choices[0].logprobs.content
    ]
    assert [one.token for one in found] == [one.token for one in whole.choices[0].logprobs.content]


def test_labels_have_no_log_probabilities_of_tokens(served: World) -> None:
    made = served.client.chat.completions.create(model="labels", messages=said(TEXT), logprobs=True)
    assert made.choices[0].logprobs is None


def test_a_refusal_leaves_the_connection_as_it_is(served: World) -> None:
    long = {"model": "tiny", "messages": said("long " * 1_100)}
    with served.http as client:
        answers = [client.post("/v1/chat/completions", json=long) for _ in range(20)]
    assert {one.status_code for one in answers} == {400}


@pytest.mark.parametrize("cold", [{"temperature": 1e-40}, {"temperature": 1.0, "top_p": 1e-50}])
def test_next_to_no_chance_is_the_likeliest_token(served: World, cold: dict[str, float]) -> None:
    asked = {"model": "tiny", "messages": said(TEXT), "max_tokens": 5}
    greedy = served.client.chat.completions.create(**asked)  # type: ignore[call-overload]
    made = served.client.chat.completions.create(**asked, **cold)  # type: ignore[call-overload]
    assert made.choices[0].message.content == greedy.choices[0].message.content


def test_many_prompts_at_once_are_scored_as_each_alone(served: World) -> None:
    local = Models(dtype="float32").local(str(served.folder))
    prompts = [[5 + at % 7, *range(20, 60), 100 + at] for at in range(80)]
    made = served.client.completions.create(
        model="tiny", prompt=prompts, echo=True, logprobs=1, max_tokens=0
    )
    for prompt, choice in zip(prompts, made.choices, strict=True):
        assert choice.logprobs is not None
        assert choice.logprobs.token_logprobs is not None
        expected = local.token_logprobs([tuple(prompt)])[0].logprobs
        assert choice.logprobs.token_logprobs[1:] == pytest.approx(expected[1:], abs=1e-3)
