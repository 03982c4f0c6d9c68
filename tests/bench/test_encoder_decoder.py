"""A run with a T5 model named by its folder, from the task to a bundle that answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import accordeur
from accordeur.core.errors import PlanError
from accordeur.levers.few_shot.lever import FewShot
from accordeur.models.source import Models
from accordeur.parts.bundle import load_bundle
from accordeur.parts.loaded import LoadedBundle
from accordeur.testing import check_lever, tiny_t5
from accordeur.testing.toy import label_task, write_label_task

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_t5(tmp_path_factory.mktemp("t5") / "model")


def write_short_task(folder: Path) -> Path:
    """Texts of a word each: the tokenizer spells letter by letter."""
    folder.mkdir()
    for split, count in (("train", 20), ("dev", 12), ("test", 6)):
        rows = [{"input": f"{split} order {at}", "expected": "yes"} for at in range(count)]
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "task.yaml").write_text(
        "name: short\ninstruction: Is that an order?\nmetric: exact-match\n"
        "data: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}\n",
        encoding="utf-8",
    )
    return folder


def test_prompting_runs_from_task_to_bundle(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    run = accordeur.run(
        write_label_task(tmp_path / "task"),
        model=str(folder),
        levers=["few-shot"],
        settings={"few-shot": {"k": [2], "nearest_k": []}},
        effort=2,
        runs=tmp_path / "runs",
    )
    entries = {entry["name"]: entry for entry in run.record["entries"]}
    for name in ("as-is", "few-shot"):
        assert entries[name]["status"] == "finished", entries[name]["reason"]
        assert entries[name]["test"]["n"]
    assert entries["as-is"]["prompt"].endswith("</s>")
    assert entries["few-shot"]["prompt"].endswith("Answer:</s>")
    place = run.folder / "candidates" / entries["few-shot"]["configuration_id"]
    answer = LoadedBundle(load_bundle(place), Models()).answer("Where is my parcel?</s>")
    assert answer.status


def test_all_levers_run_on_texts_and_their_bundles_answer(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    names = ["as-is", "few-shot", "soft-prompt", "few-shot+lora", "full"]
    briefly = {"steps": 2, "batch_rows": 4, "must_improve": False}
    run = accordeur.run(
        write_short_task(tmp_path / "task"),
        model=str(folder),
        levers=names,
        settings={
            "few-shot": {"k": [2], "nearest_k": []},
            **dict.fromkeys(("soft-prompt", "lora", "full"), briefly),
        },
        effort=1,
        runs=tmp_path / "runs",
    )
    entries = {entry["name"]: entry for entry in run.record["entries"]}
    for name in names:
        assert entries[name]["status"] == "finished", entries[name]["reason"]
        place = run.folder / "candidates" / entries[name]["configuration_id"]
        answer = LoadedBundle(load_bundle(place), Models()).answer("Where is my parcel?")
        assert answer.status


def test_keys_and_values_are_refused_before_anything_runs(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="`kv-prefix` needs a decoder-only model"):
        accordeur.run(
            write_label_task(tmp_path / "task"),
            model=str(folder),
            levers=["kv-prefix"],
            runs=tmp_path / "runs",
        )


def test_few_shot_keeps_what_a_lever_promises(folder: Path) -> None:
    check_lever(
        FewShot(k=(2, 3), nearest_k=()), task=label_task(), source=Models(), model=str(folder)
    )
