from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from accordeur.core.errors import EndpointGone, ModelError
from accordeur.core.model import Embedder
from accordeur.models.openai_api.client import Patience
from accordeur.models.openai_api.embedding_wire import read_embeddings
from accordeur.models.openai_api.embeddings import MOST_TEXTS, EndpointEmbedder
from accordeur.models.openai_api.failures import Failure
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.models.source import Models
from accordeur.testing.endpoint import ScriptedEndpoint
from accordeur.testing.scripted import ScriptedEmbedder

HERE = ScriptedEmbedder()
QUICK = Patience(attempt=2.0, call=20.0, attempts=6, first_wait=0.01, longest_wait=0.05)


def longer(texts: Sequence[str]) -> list[list[float]]:
    """Vectors of length 3."""
    return [[3 * float(x) for x in vector] for vector in HERE.embed(texts)]


def called(server: ScriptedEndpoint) -> EndpointEmbedder:
    place = endpoint(VENDORS["openai"], server.base_url, {})
    return EndpointEmbedder(place, "scripted", most=4, patience=QUICK)


def test_vectors_are_the_endpoints_in_the_order_of_the_texts() -> None:
    texts = [f"text number {at}" for at in range(3 * MOST_TEXTS + 5)] + ["", "text number 7"]
    with ScriptedEndpoint(embed=longer) as server:
        embedder: Embedder = called(server)
        vectors = embedder.embed(texts)
        sent = [text for body in server.seen.bodies for text in body["input"]]
        assert embedder.dimension == 64
    expected = HERE.embed([text or " " for text in texts])
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert len(sent) == len(set(sent)) == len(texts) - 1, "a text is asked for once, none empty"


@pytest.mark.parametrize("fault", ["429", "500", "cut", "wrong json", "html", "reset"])
def test_what_passes_is_asked_again(fault: str) -> None:
    with ScriptedEndpoint(embed=longer, faults={fault: 0.3}) as server:
        vectors = called(server).embed([f"text {at}" for at in range(20 * MOST_TEXTS)])
        assert server.seen.faults[fault] > 0
    assert vectors.shape == (20 * MOST_TEXTS, 64)


def test_the_catalog_knows_it_and_sends_nothing_before_it_is_asked() -> None:
    with ScriptedEndpoint(embed=longer) as server:
        embedder = Models(base_url=server.base_url).embedder("openai/scripted")
        assert server.seen.calls == 0
        assert embedder.identity.name == "openai/scripted"
        assert embedder.embed(["one"]).shape == (1, 64)


def test_an_endpoint_without_embeddings_says_so() -> None:
    with ScriptedEndpoint() as server, pytest.raises(EndpointGone, match="Not Found"):
        called(server).embed(["one"])


def test_vectors_of_another_length_than_before_are_refused() -> None:
    with ScriptedEndpoint(embed=longer) as server:
        embedder = called(server)
        embedder.embed(["one"])
        server.embed = lambda texts: [[1.0, 2.0] for _ in texts]
        with pytest.raises(EndpointGone, match="2 and 64 numbers"):
            embedder.embed(["two"])


def test_a_key_that_is_missing_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelError, match="OPENAI_API_KEY"):
        Models().embedder("openai/text-embedding-3-small")


@pytest.mark.parametrize(
    "told",
    [
        "no json",
        "[]",
        "{}",
        json.dumps({"data": None}),
        json.dumps({"data": [{"index": 0, "embedding": [1.0]}]}),
        json.dumps({"data": [{"index": at, "embedding": [1.0]} for at in (0, 0)]}),
        json.dumps({"data": [{"index": at, "embedding": [1.0] * (at + 1)} for at in (0, 1)]}),
        json.dumps({"data": [{"index": at, "embedding": []} for at in (0, 1)]}),
        json.dumps({"data": [{"index": at, "embedding": [0.0, 0.0]} for at in (0, 1)]}),
        json.dumps({"data": [{"index": at, "embedding": [float("nan")]} for at in (0, 1)]}),
        json.dumps({"data": [{"index": at, "embedding": "aGVsbG8="} for at in (0, 1)]}),
        json.dumps({"error": {"message": "overloaded"}}),
    ],
)
def test_an_answer_that_holds_no_vectors_is_a_failure(told: str) -> None:
    with pytest.raises(Failure):
        read_embeddings(told, 2)
