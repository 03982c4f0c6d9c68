"""What a memory sends, whatever was said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import BundleError, ContextOverflow
from accordeur.core.model import FloatArray
from accordeur.core.task import Turn
from accordeur.parts.memory import (
    Exchange,
    Means,
    Memory,
    Recall,
    Remembered,
    RunningSummary,
    TokenWindow,
    WholeHistory,
    load,
    memory_from,
    settings_of,
)
from accordeur.testing import ScriptedEmbedder

FRAME = 2
"""Tokens around every turn, as a chat template has them."""

words = st.lists(st.sampled_from(["a", "bb", "ccc", "so\nwhat", ">"]), max_size=12).map(" ".join)
talks = st.lists(st.builds(Exchange, words, words), max_size=25)
memories = st.one_of(
    st.builds(TokenWindow, st.none() | st.integers(0, 120)),
    st.just(RunningSummary()),
    st.builds(Recall, st.integers(1, 4), st.floats(-1, 1)),
)


def cost(turns: Sequence[Turn]) -> int:
    return sum(len(turn.content.split()) + FRAME for turn in turns)


def means(room: int, summaries: dict[str, str] | None = None) -> Means:
    def write(instruction: str, text: str, limit: int) -> str:
        return " ".join(text.split()[:limit])

    return Means(
        room,
        cost,
        lambda text: len(text.split()),
        write,
        ScriptedEmbedder().embed,
        {} if summaries is None else summaries,
    )


def kept_turns(earlier: Sequence[Exchange], found: Remembered) -> list[Turn]:
    kept = earlier[len(earlier) - found.kept :]
    return [turn for one in kept for turn in one.turns]


@given(memories, talks, words, st.integers(1, 300))
def test_it_fits_keeps_order_and_pairs_and_ends_with_the_question(
    memory: Memory, earlier: list[Exchange], question: str, room: int
) -> None:
    found = memory.remember(earlier, question, means(room))
    alone = cost([Turn("user", question)])
    assert cost(found.turns) <= max(room, alone)
    assert found.kept + found.dropped == len(earlier)
    plain = [*kept_turns(earlier, found), Turn("user", question)]
    assert len(found.turns) == len(plain)
    assert [turn.role for turn in found.turns] == [turn.role for turn in plain]
    for turn, said in zip(found.turns, plain, strict=True):
        assert turn.content.endswith(said.content)
    # Only the first and the last turn may have something before them.
    assert list(found.turns[1:-1]) == plain[1:-1]
    if isinstance(memory, TokenWindow):
        assert list(found.turns) == plain
        if memory.tokens is not None:
            assert cost(found.turns) - alone <= memory.tokens


@given(talks, words, st.integers(1, 300), st.integers(0, 120))
def test_a_window_drops_nothing_that_would_fit(
    earlier: list[Exchange], question: str, room: int, tokens: int
) -> None:
    found = TokenWindow(tokens).remember(earlier, question, means(room))
    if found.dropped and tokens:
        one_more = earlier[found.dropped - 1]
        longer = cost([*one_more.turns, *found.turns])
        assert longer > room or longer - cost(found.turns[-1:]) > tokens


@given(talks, words)
def test_what_fits_whole_is_sent_whole_by_every_memory(
    earlier: list[Exchange], question: str
) -> None:
    everything = WholeHistory().remember(earlier, question, means(10**6))
    for memory in (TokenWindow(), RunningSummary(), Recall()):
        assert memory.remember(earlier, question, means(10**6)) == everything


def test_the_whole_history_is_refused_where_it_does_not_fit() -> None:
    earlier = [Exchange("a b c", "d")] * 10
    with pytest.raises(ContextOverflow, match="takes 83 tokens; 82 fit"):
        WholeHistory().remember(earlier, "q", means(82))
    assert WholeHistory().remember(earlier, "q", means(83)).kept == 10


LONG = [Exchange(f"question {n} " + "x " * 10, f"answer {n} " + "y " * 10) for n in range(40)]


def test_a_summary_is_made_once_and_goes_on_from_the_one_before() -> None:
    summaries: dict[str, str] = {}
    calls: list[str] = []

    def write(instruction: str, text: str, limit: int) -> str:
        calls.append(text)
        return f"sum {len(calls)}"

    given_ = replace(means(300, summaries), write=write)
    first = RunningSummary().remember(LONG[:20], "q", given_)
    assert first.turns[0].content.startswith("Summary of the conversation before this:\n> sum ")
    assert first.summarised == first.dropped > 0
    made = len(calls)
    assert RunningSummary().remember(LONG[:20], "other", given_).summary == first.summary
    later = RunningSummary().remember(LONG[:21], "q", given_)
    assert (later.summary, later.kept) == (first.summary, first.kept + 1)
    assert len(calls) == made
    much = RunningSummary().remember(LONG, "q", given_)
    assert len(calls) > made
    assert f"Summary so far:\n{first.summary}" in calls[made]
    assert much.summarised > first.summarised
    # Every exchange went into a summary once, and none is left between summary and window.
    text = "\n".join(calls)
    assert all(text.count(f"question {n} ") == 1 for n in range(much.summarised))
    assert much.summarised + much.kept == len(LONG)


def test_a_summary_of_another_past_is_not_used() -> None:
    summaries: dict[str, str] = {}
    RunningSummary().remember(LONG[:20], "q", means(300, summaries))
    changed = [Exchange("never said", "no"), *LONG[1:20]]
    before = set(summaries)
    found = RunningSummary().remember(changed, "q", means(300, summaries))
    assert "never said" in found.summary
    assert set(summaries) > before


def test_a_failed_summary_leaves_nothing_behind() -> None:
    summaries: dict[str, str] = {}

    def write(instruction: str, text: str, limit: int) -> str:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        RunningSummary().remember(LONG, "q", replace(means(300, summaries), write=write))
    assert summaries == {}


def test_what_is_like_the_question_is_quoted_beside_it_in_order() -> None:
    earlier = list(LONG)
    earlier[3] = Exchange("My cat is called Mandarin", "A fine name for a cat.")
    earlier[9] = Exchange("The cat Mandarin eats trout", "Noted:\ntrout.")
    found = Recall(k=2).remember(earlier, "What does my cat Mandarin eat?", means(300))
    assert [one.place for one in found.recalled] == [3, 9]
    assert found.turns[-1].content == (
        "From earlier in this conversation:\n"
        "> User: My cat is called Mandarin\n"
        "> Assistant: A fine name for a cat.\n"
        ">\n"
        "> User: The cat Mandarin eats trout\n"
        "> Assistant: Noted:\n"
        "> trout.\n\n"
        "What does my cat Mandarin eat?"
    )
    assert 0 < found.kept < len(earlier)


def test_nothing_unlike_the_question_is_recalled() -> None:
    def embed(texts: Sequence[str]) -> FloatArray:
        rows = np.zeros((len(texts), 2), np.float32)
        rows[:, 0] = 1
        rows[-1] = (0, 1)
        return rows

    found = Recall().remember(LONG, "q", replace(means(300), embed=embed))
    assert (found.recalled, len(found.turns)) == ((), 2 * found.kept + 1)


@given(memories)
def test_a_memory_is_read_back_from_its_file(memory: Memory) -> None:
    assert load(memory.files()) == memory
    assert memory_from(settings_of(memory)) == memory
    assert memory.describe()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"kind": 7}',
        b'{"kind": "gold"}',
        b'{"kind": "window", "tokens": -1}',
        b'{"kind": "window", "tokens": "many"}',
        b'{"kind": "recall", "k": 0}',
    ],
)
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(BundleError):
        load({"memory.json": text})
