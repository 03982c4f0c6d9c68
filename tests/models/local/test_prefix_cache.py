"""What is kept of prompts: static prefixes as they are, conversations as they grow."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from accordeur.core.model import Sampling
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.core.streaming import Streamed
from accordeur.models.local.body import Prefix
from accordeur.models.local.model import CONVERSATION, LocalModel
from accordeur.models.local.prefix_cache import PrefixCache

SAMPLING = Sampling(max_tokens=4)


def numbers(count: int, start: int = 100) -> tuple[int, ...]:
    return tuple(range(start, start + count))


@pytest.fixture
def held(tiny: LocalModel) -> PrefixCache:
    return PrefixCache(tiny._body)


def same(one: Prefix | None, other: Prefix | None) -> bool:
    assert one is not None
    assert other is not None
    pairs = zip((*one.keys, *one.values), (*other.keys, *other.values), strict=True)
    return one.tokens == other.tokens and all(
        torch.allclose(mine, theirs, atol=1e-4) for mine, theirs in pairs
    )


def test_what_grows_is_what_is_computed_at_once(tiny: LocalModel, held: PrefixCache) -> None:
    fresh = PrefixCache(tiny._body)
    static, first, second = numbers(10), numbers(40), numbers(70)
    held.get(static)
    for tokens, computed in ((first, 30), (second, 30), (second, 0)):
        made, read = held.grown(tokens)
        assert read == computed
        assert same(made, fresh.get(tokens)[0])
    assert held.get(static)[1] == 0, "others begin with it, too"
    assert len(held._held) == 2, "what grew is not kept twice"


def test_a_turn_that_is_taken_back_leaves_what_was_before_it(
    tiny: LocalModel, held: PrefixCache
) -> None:
    held.grown(numbers(40))
    other = numbers(30) + numbers(15, start=300)
    made, read = held.grown(other)
    assert read == 15
    assert same(made, PrefixCache(tiny._body).get(other)[0])
    shorter, read = held.grown(numbers(20))
    assert read == 0
    assert same(shorter, PrefixCache(tiny._body).get(numbers(20))[0])


def test_the_memory_is_bounded(tiny: LocalModel) -> None:
    size = PrefixCache(tiny._body).get(numbers(50))[0]
    assert size is not None
    held = PrefixCache(tiny._body, capacity=3 * size.bytes)
    for start in range(0, 500, 50):
        held.grown(numbers(50, start=start))
    assert len(held._held) <= 3
    assert len(held._grown) <= 3


def said(turns: int) -> Rendered:
    text = "I would like to know where my card is, please, for I have none. " * 3
    roles: tuple[Literal["user", "assistant"], ...] = ("user", "assistant")
    messages = [Message(roles[at % 2], (Segment(f"{at} {text}", "data"),)) for at in range(turns)]
    return Rendered(tuple(messages))


def test_the_next_message_of_a_conversation_reads_what_is_new(tiny: LocalModel) -> None:
    tiny.forget()
    read, whole = [], []
    for turns in (3, 5, 7):
        streamed = Streamed(tiny.stream(said(turns), SAMPLING))
        text = "".join(streamed)
        assert streamed.whole is not None
        assert text == streamed.whole.text
        usage = streamed.whole.usage
        read.append(usage.computed_tokens - usage.output_tokens)
        whole.append(usage.input_tokens)
    assert whole[0] > CONVERSATION
    assert read[0] > 0.8 * whole[0]
    assert read[1] <= whole[1] - whole[0] + 1
    assert read[2] <= whole[2] - whole[1] + 1


def test_deterministic_numbers_depend_on_the_prompt_alone(tiny: LocalModel) -> None:
    alone = LocalModel.load(
        tiny._place, name="tiny", digest="", dtype="float32", deterministic=True
    )
    for turns in (3, 5):
        streamed = Streamed(alone.stream(said(turns), SAMPLING))
        assert "".join(streamed) == next(alone.generate([said(turns)], SAMPLING)).results[0].text
        assert streamed.whole is not None
        usage = streamed.whole.usage
        assert usage.computed_tokens - usage.output_tokens > 0.8 * usage.input_tokens
