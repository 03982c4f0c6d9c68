from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from accordeur.core.errors import EndpointGone, ModelError
from accordeur.core.model import Reranker
from accordeur.models.openai_api.client import Patience
from accordeur.models.openai_api.failures import Failure
from accordeur.models.openai_api.reranking import EndpointReranker
from accordeur.models.openai_api.reranking_wire import read_relevance
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.models.source import Models
from accordeur.testing.endpoint import ScriptedEndpoint

QUICK = Patience(attempt=2.0, call=20.0, attempts=6, first_wait=0.01, longest_wait=0.05)
TEXTS = ("a boat", "a boat on the quay", "", "wages")


def by_length(question: str, texts: Sequence[str]) -> list[float]:
    return [float(len(text)) for text in texts]


def called(server: ScriptedEndpoint) -> EndpointReranker:
    place = endpoint(VENDORS["openai"], server.base_url, {})
    return EndpointReranker(place, "scripted", patience=QUICK)


def test_scores_come_in_the_order_of_the_texts_whatever_the_order_of_results() -> None:
    with ScriptedEndpoint(rerank=by_length) as server:
        reranker: Reranker = called(server)
        found = reranker.score("Which boat?", TEXTS)
        assert server.seen.bodies == [
            {"model": "scripted", "query": "Which boat?", "documents": [*TEXTS[:2], " ", "wages"]}
        ]
    assert found.scores == (6.0, 18.0, 1.0, 5.0)


def test_nothing_to_score_is_not_asked_for() -> None:
    with ScriptedEndpoint(rerank=by_length) as server:
        assert called(server).score("Which boat?", []).scores == ()
        assert server.seen.calls == 0


@pytest.mark.parametrize("fault", ["429", "500", "cut", "wrong json", "html", "reset"])
def test_what_passes_is_asked_again(fault: str) -> None:
    with ScriptedEndpoint(rerank=by_length, faults={fault: 0.4}) as server:
        reranker = called(server)
        for _ in range(12):
            assert reranker.score("Which boat?", TEXTS).scores == (6.0, 18.0, 1.0, 5.0)
        assert server.seen.faults[fault] > 0


def test_the_catalog_knows_it_and_sends_nothing_before_it_is_asked() -> None:
    with ScriptedEndpoint(rerank=by_length) as server:
        reranker = Models(base_url=server.base_url).reranker("openai/scripted")
        assert server.seen.calls == 0
        assert (reranker.identity.name, reranker.identity.remote) == ("openai/scripted", True)
        assert reranker.score("Which?", ["one"]).scores == (3.0,)


def test_an_endpoint_without_reranking_says_so() -> None:
    with ScriptedEndpoint() as server, pytest.raises(EndpointGone, match="Not Found"):
        called(server).score("Which?", ["one"])


def test_a_key_that_is_missing_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ModelError, match="OPENAI_API_KEY"):
        Models().reranker("openai/any")


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        "{}",
        '{"results": 3}',
        '{"results": [{"index": 0, "relevance_score": 1}]}',
        '{"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 2}]}',
        '{"results": [{"index": 0, "relevance_score": 1}, {"index": 5, "relevance_score": 2}]}',
        '{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": "x"}]}',
        '{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": NaN}]}',
        '{"results": [{"index": 0}, {"index": 1}]}',
        '{"error": {"message": "no such model"}}',
    ],
)
def test_an_answer_that_is_not_one_finite_score_a_document_is_a_failure(told: str) -> None:
    with pytest.raises(Failure):
        read_relevance(told, 2)


def test_what_stands_beside_the_scores_is_left_alone() -> None:
    results = [
        {"index": 1, "relevance_score": 0.5, "document": {"text": "b"}},
        {"index": 0, "relevance_score": -2},
    ]
    told = json.dumps({"id": "x", "results": results, "meta": {"billed_units": {}}})
    assert read_relevance(told, 2) == [-2.0, 0.5]
