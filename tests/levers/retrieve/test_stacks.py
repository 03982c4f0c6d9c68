"""Retrieval under other levers, on a tiny random model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.levers.retrieve.test_retrieve import reader

from accordeur.bench.run import run
from accordeur.core.model import Embedder, Model, Reranker
from accordeur.core.rendering import Rendered
from accordeur.models.source import Models
from accordeur.parts.bundle import load_bundle
from accordeur.parts.retrieval import Retrieval
from accordeur.testing import ScriptedEmbedder, ScriptedModel, ScriptedSource, tiny_model, toy


class _Source:
    """A tiny model in float32, and an embedding model without weights."""

    def __init__(self) -> None:
        self._models = Models(dtype="float32")
        self._embedder = ScriptedEmbedder()

    def model(self, name: str) -> Model:
        return self._models.model(name)

    def embedder(self, name: str) -> Embedder:
        return self._embedder

    def reranker(self, name: str) -> Reranker:
        return self._models.reranker(name)


def test_weights_are_trained_and_demonstrations_shown_beside_passages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    torch.set_num_threads(1)
    model = str(tiny_model(tmp_path / "tiny"))
    done = run(
        toy.write_document_task(tmp_path / "notes"),
        model=model,
        levers=["retrieve+lora", "retrieve+few-shot"],
        settings={
            "retrieve": {"k": [1], "modes": ["lexical"], "weights": [0.5], "abstain": False},
            "lora": {"steps": 2, "must_improve": False},
            "few-shot": {"k": [2], "choose": ["draw"]},
        },
        effort=1,
        allow_leakage=("near",),
        forgetting="off",
        screening=False,
        runs=tmp_path / "runs",
        source=_Source(),
    )
    entries = {one["name"]: one for one in done.record["entries"]}
    slots = {
        "retrieve+lora": {"retrieval", "weights"},
        "retrieve+few-shot": {"retrieval", "demonstrations"},
    }
    for name, wanted in slots.items():
        entry = entries[name]
        assert entry["status"] == "finished", entry["reason"]
        assert "[1] ms-quinn.md" in entry["prompt"]
        assert "warning" not in entry["notes"], "trained with the words it stands with"
        made = load_bundle(done.folder / "candidates" / entry["configuration_id"]).candidate
        assert wanted <= set(made.parts)
    learned = entries["retrieve+lora"]["notes"]["targets"]
    assert learned["rows"] == 12, "the three train rows without an answer teach no words"
    assert learned["longest"] > 60, "passages are part of the rows"


def reads(prompt: Rendered) -> str:
    """Reads notes; says little to the probe of its speed, which asks something else."""
    return reader(prompt) if "call about" in prompt.messages[-1].text else "red"


def test_withholding_is_learned_anew_above_other_levers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    done = run(
        toy.write_document_task(tmp_path / "notes"),
        model="scripted",
        levers=["retrieve+few-shot"],
        settings={
            "retrieve": {"k": [1], "modes": ["lexical"], "weights": [0.5]},
            "few-shot": {"k": [2], "choose": ["draw"]},
        },
        effort=4,
        allow_leakage=("near",),
        screening=False,
        runs=tmp_path / "runs",
        source=ScriptedSource(ScriptedModel(answers=reads)),
    )
    (entry,) = [one for one in done.record["entries"] if one["name"] == "retrieve+few-shot"]
    assert entry["status"] == "finished", entry["reason"]
    above = [one for one in done.record["ledger"] if one["entry"] == "retrieve+few-shot"]
    settled = [one for one in above if one["configuration"].endswith(", settled")]
    assert any("silent under" in one["configuration"] for one in settled)
    assert entry["dev"]["score"] == pytest.approx(1.0)
    for one in above:
        made = load_bundle(done.folder / "candidates" / one["configuration_id"]).candidate
        part = made.part(Retrieval)
        assert part is not None
        assert (part.threshold is not None) == ("silent under" in one["configuration"])
    withheld = entry["withholding"]["thresholds"]
    assert withheld
    assert all("settled" in one["configuration"] for one in withheld)
