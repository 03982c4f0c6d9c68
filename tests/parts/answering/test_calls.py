from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.bench.memory_cache import MemoryCache
from accordeur.core.model import Batch, ModelIdentity
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.parts.answering.calls import call_keys, through_cache

IDENTITY = ModelIdentity("local/x", "d" * 64, "engine/1", "float32", 2, 4096, "t" * 64, "cpu")
ASKED: Mapping[str, Any] = {"score": ["yes", "no"]}


def prompt(*texts: str, **changes: Any) -> Rendered:
    segments = tuple(Segment(text, **changes) for text in texts)
    return Rendered((Message("user", segments),))


PROMPT = prompt("Q")


def key(
    identity: ModelIdentity = IDENTITY,
    rendered: Rendered = PROMPT,
    asked: Mapping[str, Any] = ASKED,
    **more: Any,
) -> str:
    return call_keys(identity, [rendered], asked, **more)[0]


CHANGES: dict[str, Any] = {
    "name": "local/y",
    "digest": "e" * 64,
    "engine": "engine/2",
    "dtype": "bfloat16",
    "threads": 4,
    "batch_tokens": 2048,
    "template": "u" * 64,
    "device": "cuda",
    "deterministic": True,
}


@pytest.mark.parametrize("field", [field.name for field in fields(ModelIdentity)])
def test_everything_about_the_model_is_in_the_key(field: str) -> None:
    assert key(replace(IDENTITY, **{field: CHANGES[field]})) != key()


OTHER_PROMPTS = {
    "text": prompt("R"),
    "role": Rendered((Message("system", PROMPT.messages[0].segments),)),
    "boundary": prompt("Q", ""),
    "kind": prompt("Q", kind="data"),
    "soft tokens": prompt("Q", soft_tokens=1),
    "what may be cut": prompt("Q", trim=True),
    "what may be dropped": Rendered((replace(PROMPT.messages[0], demonstration=0),)),
    "prefill": replace(PROMPT, prefill="A"),
    "turns": Rendered((*PROMPT.messages, *PROMPT.messages)),
}


@pytest.mark.parametrize("what", OTHER_PROMPTS)
def test_everything_about_the_request_is_in_the_key(what: str) -> None:
    assert key(rendered=OTHER_PROMPTS[what]) != key()


@pytest.mark.parametrize(
    "other",
    [
        {"asked": {"score": ["no", "yes"]}},
        {"asked": {"score": ["yes"]}},
        {"asked": {"generate": {"max_tokens": 5}}},
        {"parts": "f" * 64},
        {"repeat": 1},
    ],
)
def test_what_is_asked_the_parts_and_the_repeat_are_in_the_key(other: dict[str, Any]) -> None:
    assert key(**other) != key()


def test_equal_calls_have_equal_keys() -> None:
    assert key() == key()
    assert call_keys(IDENTITY, [PROMPT, prompt("R"), PROMPT], ASKED)[::2] == [key(), key()]


def test_a_boundary_that_moves_is_another_call() -> None:
    assert key(rendered=prompt("ab", "c")) != key(rendered=prompt("a", "bc"))


Call = Callable[[Collection[int]], Iterator[Batch[str]]]


class Counting:
    """A model of five rows in batches of two that counts what it computes."""

    def __init__(self, broken: Collection[int] = ()) -> None:
        self.computed: list[tuple[int, ...]] = []
        self.broken = broken

    def __call__(self, done: Collection[int]) -> Iterator[Batch[str]]:
        for indices in ((0, 1), (2, 3), (4,)):
            if not set(indices) <= set(done):
                self.computed.append(indices)
                said = tuple("" if index in self.broken else f"said {index}" for index in indices)
                yield Batch(indices, said, 0.5, tokens=7)


KEYS = [f"key {index}" for index in range(5)]


def ask(call: Call, cache: MemoryCache | None, done: Collection[int] = ()) -> dict[int, Any]:
    def encode(said: str) -> dict[str, Any]:
        return {"text": said, "error": "" if said else "503"}

    found: dict[int, Any] = {}
    for batch in through_cache(cache, KEYS, done, call, encode, lambda data: str(data["text"])):
        assert not set(batch.indices) & set(found)
        found.update(zip(batch.indices, batch.results, strict=True))
    return found


def test_a_second_call_is_answered_from_the_cache_with_its_first_seconds() -> None:
    cache, model = MemoryCache(), Counting()
    first = ask(model, cache)
    assert first == {i: (f"said {i}", 0.5 if i == 4 else 0.25) for i in range(5)}
    assert ask(model, cache) == first
    assert len(model.computed) == 3


def test_half_a_batch_in_the_cache_recomputes_the_batch_and_repeats_no_row() -> None:
    cache, model = MemoryCache(), Counting()
    cache.put_many({"key 2": {"result": {"text": "known 2"}, "seconds": 3.0}})
    found = ask(model, cache)
    assert model.computed == [(0, 1), (2, 3), (4,)]
    assert found[2] == ("known 2", 3.0)
    assert found[3] == ("said 3", 0.25)
    assert cache.get_many(["key 2"])["key 2"]["result"]["text"] == "known 2"


@given(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
def test_all_that_is_not_done_is_answered_once_and_finished_batches_are_skipped(
    done: set[int], cached: set[int]
) -> None:
    cache, model = MemoryCache(), Counting()
    cache.put_many({KEYS[i]: {"result": {"text": f"said {i}"}, "seconds": 1.0} for i in cached})
    found = ask(model, cache, done)
    # A batch that must be computed again for one row gives its other finished rows no second time.
    assert set(found) == set(range(5)) - done
    assert all(said == f"said {index}" for index, (said, _) in found.items())
    for indices in model.computed:
        assert not set(indices) <= done | cached


def test_an_error_is_given_back_but_never_remembered() -> None:
    cache = MemoryCache()
    assert ask(Counting(broken=[1, 4]), cache)[1] == ("", 0.25)
    assert set(cache.get_many(KEYS)) == {"key 0", "key 2", "key 3"}
    assert ask(Counting(), cache)[1] == ("said 1", 0.25)


def test_without_a_cache_everything_is_computed() -> None:
    model = Counting()
    ask(model, None)
    ask(model, None)
    assert len(model.computed) == 6
