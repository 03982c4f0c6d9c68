"""A few small documents as a collection."""

from __future__ import annotations

import pytest

from accordeur.core.span import Span
from accordeur.documents.passage import Passage
from accordeur.parts.retrieval import Collection
from accordeur.testing import ScriptedEmbedder

TEXTS = {
    "leave.md": "Parental leave lasts ten weeks.",
    "pay.md": "Wages are paid on the last Friday.",
    "boats.md": "The Merganser carries nine cars.",
    "odd[1].md": "The heron stands in the reeds.",
}


def collect(texts: dict[str, str]) -> Collection:
    passages = tuple(
        Passage(
            at, Span(name, 0, len(text)), text, page=at + 1, headings=("H",), metadata={"a": "b"}
        )
        for at, (name, text) in enumerate(texts.items())
    )
    embedder = ScriptedEmbedder()
    vectors = embedder.embed([one.text for one in passages])
    identity = embedder.identity
    return Collection(passages, vectors, identity.name, identity.digest)


@pytest.fixture
def collection() -> Collection:
    return collect(TEXTS)
