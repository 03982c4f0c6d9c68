"""Exporting a bundle's trained weights as a model of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import accordeur
from accordeur.bench.merging import export_merged
from accordeur.core.errors import BundleError, UsageError
from accordeur.models.source import Models
from accordeur.parts.bundle import load_bundle
from accordeur.parts.loaded import LoadedBundle
from accordeur.testing.tiny import tiny_model
from accordeur.testing.toy import write_label_task

SHORT = {"steps": 4, "batch_rows": 4, "must_improve": False}


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(dtype="float32")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, models: Models) -> accordeur.Run:
    home = tmp_path_factory.mktemp("merging")
    patch = pytest.MonkeyPatch()
    patch.setenv("ACCORDEUR_CACHE", str(home / "cache"))
    try:
        return accordeur.run(
            write_label_task(home / "task"),
            model=str(tiny_model(home / "tiny")),
            levers=["few-shot+lora", "full", "soft-prompt"],
            settings={
                "few-shot": {"k": (2,), "nearest_k": ()},
                "lora": {**SHORT, "learning_rate": 0.01},
                "full": {**SHORT, "learning_rate": 0.003},
                "soft-prompt": SHORT,
            },
            effort=2,
            runs=home / "runs",
            source=models,
        )
    finally:
        patch.undo()


def bundle_of(run: accordeur.Run, name: str) -> Path:
    entry = next(one for one in run.record["entries"] if one["name"] == name)
    assert entry["status"] == "finished", entry["reason"]
    return run.folder / "candidates" / str(entry["configuration_id"])


@pytest.mark.parametrize("name", ["few-shot+lora", "full"])
def test_the_merged_model_answers_as_the_bundle_and_loads_by_itself(
    name: str, run: accordeur.Run, models: Models, tmp_path: Path
) -> None:
    import transformers

    task = run.folder.parent.parent / "task"
    made = export_merged(bundle_of(run, name), tmp_path / "model", models, task=task)
    assert made.before.score == made.after.score
    assert made.agreeing == len(made.after.rows) == made.before.n
    theirs = transformers.AutoModelForCausalLM.from_pretrained(str(made.folder))
    assert theirs.dtype == torch.float32
    assert not list(made.folder.glob("*.bin"))
    held = load_bundle(made.folder / "bundle")
    assert held.candidate.base == str(made.folder)
    assert "weights" not in held.candidate.parts
    text = "Where is my parcel?"
    mine = LoadedBundle(held, models).answer(text)
    other = LoadedBundle(load_bundle(bundle_of(run, name)), models).answer(text)
    assert mine.text == other.text
    assert mine.probabilities == pytest.approx(other.probabilities, abs=1e-4)


def test_what_cannot_be_merged_is_refused(
    run: accordeur.Run, models: Models, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="no trained weights"):
        export_merged(bundle_of(run, "as-is"), tmp_path / "a", models)
    with pytest.raises(BundleError, match="no trained weights"):
        export_merged(bundle_of(run, "soft-prompt"), tmp_path / "a", models)
    with pytest.raises(UsageError, match="exists already"):
        export_merged(bundle_of(run, "full"), tmp_path, models)
    with pytest.raises(UsageError, match="not known here"):
        export_merged(bundle_of(run, "full"), tmp_path / "a", models)


def test_training_is_in_record_and_report(run: accordeur.Run) -> None:
    entry = next(one for one in run.record["entries"] if one["name"] == "full")
    facts = entry["notes"]["training"]
    assert facts["steps"] == 4
    assert len(facts["losses"]) == 4
    assert facts["actual"]["seconds"] > 0
    assert facts["forecast"]["seconds"] > 0
    shown = entry["notes"]["targets"]["shown"][0]
    assert shown["trained"].endswith("<|im_end|>")
    assert shown["masked"].endswith("<|im_start|>assistant\n")
    assert not (run.folder / "checkpoints" / "full").exists(), "removed when it was finished"
    html = run.report(run.folder.parent / "report.html").read_text(encoding="utf-8")
    assert "forecast" in html
    assert "What full learns from" in html


def test_a_prompt_that_training_never_saw_is_told(run: accordeur.Run, models: Models) -> None:
    from dataclasses import replace

    from accordeur.parts.prompt import Prompt

    held = load_bundle(bundle_of(run, "full"))
    told: list[str] = []
    LoadedBundle(held, models, log=told.append)
    assert told == []
    other = replace(held, candidate=held.candidate.with_part(Prompt("Something else?")))
    LoadedBundle(other, models, log=told.append)
    assert "trained with another prompt" in told[0]
