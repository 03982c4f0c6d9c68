"""A run whose lever names a reranker, and has queries written."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.bench.ladder.conftest import Reader

from accordeur.bench.finished import Run
from accordeur.bench.run import run
from accordeur.core.errors import ModelError, PlanError
from accordeur.core.model import FloatArray
from accordeur.core.rendering import Rendered, Request
from accordeur.models.source import Models
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import load_bundle
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.retrieval.reranking import Reranking
from accordeur.testing import (
    ScriptedEmbedder,
    ScriptedModel,
    ScriptedReranker,
    ScriptedSource,
    toy,
)
from accordeur.testing.endpoint import ScriptedEndpoint

CALLER = re.compile(r"What did (.+?) call about")
RERANKED = "k=1 dense, reranked by scripted-reranker"
FIXED: dict[str, Any] = {"k": (1,), "modes": ("lexical",), "weights": (0.5,), "abstain": False}


class Writer(Reader):
    """Writes the caller's name when asked for a query, and reads notes."""

    def __call__(self, prompt: Rendered) -> str:
        text = prompt.messages[-1].text
        if "search quer" in text:
            asked = CALLER.search(text)
            return asked[1] if asked is not None else "nobody"
        return super().__call__(prompt)


def finds(question: str, text: str) -> float:
    asked = CALLER.search(question)
    return float(asked is not None and asked[1] in text)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return toy.write_document_task(tmp_path / "notes")


class Alike(ScriptedEmbedder):
    """Tells nothing apart, so passages are found in their order."""

    def embed(self, texts: Sequence[str]) -> FloatArray:
        return np.full((len(texts), self.dimension), self.dimension**-0.5, np.float32)


def pulled(folder: Path, by: ScriptedReranker | None = None, **settings: Any) -> Run:
    return run(
        folder,
        model="scripted",
        levers="retrieve",
        settings={"retrieve": {**FIXED, **settings}},
        source=ScriptedSource(ScriptedModel(answers=Writer()), Alike(), by),
        allow_leakage=("near",),
        forgetting="off",
    )


def ledger(done: Run) -> dict[str, dict[str, Any]]:
    lines = map(json.loads, (done.folder / "ledger.jsonl").read_text().splitlines())
    return {one["name"]: one for one in lines if one["entry"] == "retrieve"}


def plan_of(done: Run) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((done.folder / "plan.json").read_text())
    return plan


def test_the_reranker_is_part_of_the_plan_the_ladder_and_the_bundle(
    notes: Path, tmp_path: Path
) -> None:
    by = ScriptedReranker(finds)
    done = pulled(notes, by, reranker="ce", modes=("dense",))
    assert [one["digest"] for one in plan_of(done)["rerankers"]] == ["scripted"]
    scores = {name: one["score"] for name, one in ledger(done).items()}
    assert list(scores) == ["k=1 dense", RERANKED]
    assert scores[RERANKED] > scores["k=1 dense"]
    rankings = [one["ranking"] for one in done.record["ladder"]["retrieval"]]
    assert rankings[:2] == ["dense, reranked by scripted-reranker", "dense"]
    bundle = load_bundle(done.winner.save(tmp_path / "winner"))
    part = bundle.candidate.part(Retrieval)
    assert part is not None
    assert part.reranking == Reranking("scripted-reranker", "scripted")
    for source, fits in ((by, True), (ScriptedReranker(finds, digest="other"), False)):
        models = ScriptedSource(ScriptedModel(answers=Writer()), Alike(), source)
        asked = [Request("What did Mrs Abel call about?")]
        if fits:
            assert len(list(assemble(bundle.candidate, models).answer(asked))) == 1
        else:
            with pytest.raises(ModelError, match="another reranker"):
                list(assemble(bundle.candidate, models).answer(asked))


def test_another_reranker_is_another_plan(notes: Path) -> None:
    plain = pulled(notes)
    first = pulled(notes, ScriptedReranker(finds), reranker="ce")
    other = pulled(notes, ScriptedReranker(finds, digest="other"), reranker="ce")
    assert "rerankers" not in plan_of(plain)
    assert len({one.folder for one in (plain, first, other)}) == 3


def test_an_endpoints_reranker_has_no_price_in_a_run(notes: Path) -> None:
    with ScriptedEndpoint(rerank=lambda question, texts: [0.0] * len(texts)) as server:

        class Called(ScriptedSource):
            def reranker(self, name: str) -> Any:
                return Models(base_url=server.base_url).reranker(name)

        settings = {"retrieve": {**FIXED, "reranker": "openai/rank"}}
        with pytest.raises(PlanError, match="no price"):
            run(notes, model="scripted", levers="retrieve", settings=settings, source=Called())
        assert server.seen.calls == 0


def test_a_reranker_that_is_not_here_is_told_before_anything_is_pulled(notes: Path) -> None:
    class Without(ScriptedSource):
        def reranker(self, name: str) -> Any:
            return Models().reranker(name)

    settings = {"retrieve": {**FIXED, "reranker": "./nowhere"}}
    with pytest.raises(ModelError, match=r"There is no folder `\./nowhere`"):
        run(notes, model="scripted", levers="retrieve", settings=settings, source=Without())


def test_written_queries_are_paid_for(notes: Path) -> None:
    found = ledger(pulled(notes, queries=("rewrite",)))
    plain, rewritten = found["k=1 lexical"], found["k=1 lexical, rewrite"]
    assert rewritten["score"] == plain["score"], "the name alone finds the same note"
    assert rewritten["tokens"] > plain["tokens"]
