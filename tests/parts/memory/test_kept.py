"""What a memory worked out is not worked out twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from accordeur.core.model import FloatArray
from accordeur.parts.memory.kept import KeptSummaries, KeptVectors
from accordeur.store.conversations import ConversationStore
from accordeur.testing import ScriptedEmbedder


class Counting(ScriptedEmbedder):
    """Counts what it embeds, and loses patience when told."""

    def __init__(self, most: int = 10**9) -> None:
        super().__init__()
        self.embedded = 0
        self._most = most

    def embed(self, texts: Sequence[str]) -> FloatArray:
        if self.embedded + len(texts) > self._most:
            raise KeyboardInterrupt
        self.embedded += len(texts)
        return super().embed(texts)


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    made = ConversationStore(tmp_path / "conversations.sqlite")
    made.begin("m", "d", name="one")
    made.begin("m", "d", name="two")
    return made


TEXTS = [f"text {number}" for number in range(300)]


def vectors(store: ConversationStore, embedder: Counting, log: list[str]) -> KeptVectors:
    return KeptVectors(store, "one", lambda: embedder, log.append)


def test_each_text_is_embedded_once_whoever_asks_again(store: ConversationStore) -> None:
    embedder, log = Counting(), list[str]()
    first = vectors(store, embedder, log)
    found = first([*TEXTS, TEXTS[0]])
    np.testing.assert_array_equal(found[:300], ScriptedEmbedder().embed(TEXTS))
    np.testing.assert_array_equal(found[300], found[0])
    first([*TEXTS, "new"])
    again = vectors(store, embedder, log)(TEXTS)
    np.testing.assert_array_equal(again, found[:300])
    assert embedder.embedded == 301
    assert log == ["embedding 300 texts of this conversation, once"]


def test_stopped_on_the_way_it_goes_on_later(store: ConversationStore) -> None:
    with pytest.raises(KeyboardInterrupt):
        vectors(store, Counting(most=200), [])(TEXTS)
    rest = Counting()
    vectors(store, rest, [])(TEXTS)
    assert 0 < rest.embedded < 300


def test_summaries_are_of_their_conversation(store: ConversationStore) -> None:
    KeptSummaries(store, "one")["k"] = "Sie zählten bis 3."
    assert dict(KeptSummaries(store, "one")) == {"k": "Sie zählten bis 3."}
    assert dict(KeptSummaries(store, "two")) == {}
    with pytest.raises(TypeError):
        del KeptSummaries(store, "one")["k"]
