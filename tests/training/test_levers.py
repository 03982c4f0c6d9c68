"""The lever `soft-prompt` on a tiny random model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import accordeur
from accordeur.bench.observer import Silent
from accordeur.core.errors import PlanError
from accordeur.levers.soft_prompt import SoftPromptLever
from accordeur.models.source import Models
from accordeur.parts.bundle import load_bundle
from accordeur.parts.loaded import LoadedBundle
from accordeur.testing import check_lever
from accordeur.testing.toy import text_task, write_label_task


def test_inserted_tokens_keep_what_a_lever_promises_on_texts(tiny_folder: Path) -> None:
    # Random weights learn to say a label, not which one: dev cannot be expected to improve.
    lever = SoftPromptLever("insert", tokens=4, steps=2, batch_rows=4, must_improve=False)
    check_lever(lever, task=text_task(), source=Models(dtype="float32"), model=str(tiny_folder))


@pytest.fixture
def pull(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))

    def run(levers: Sequence[str], **settings: object) -> accordeur.Run:
        return accordeur.run(
            write_label_task(tmp_path / "task"),
            model=str(tiny_folder),
            levers=list(levers),
            settings={
                name: {"steps": 4, "batch_rows": 8, **settings} for name in ("soft-prompt", "lora")
            },
            effort=3,
            runs=tmp_path / "runs",
            source=Models(dtype="float32"),
        )

    return run


def test_they_run_beside_prompting_and_in_stacks(pull: object, tmp_path: Path) -> None:
    assert callable(pull)
    names = ["soft-prompt", "soft-prompt+calibration", "few-shot+lora"]
    run = pull(names, must_improve=False)
    entries = {entry["name"]: entry for entry in run.record["entries"]}
    for name in names:
        assert entries[name]["status"] == "finished", entries[name]["reason"]
        assert entries[name]["test"]["n"]
    soft = entries["soft-prompt"]
    assert soft["cost"]["trained_parameters"] > 0
    assert "soft tokens" in soft["prompt"]
    forgotten = run.record["forgetting"]["entries"]
    assert [one["name"] for one in forgotten] == names
    for one in forgotten:
        assert one["status"] == "measured", one["reason"]
        assert one["other"]["n"] == 40
        assert one["off"] == {**one["off"], "how": "base", "identical": True}
    assert forgotten[0]["general"] == forgotten[1]["general"], "calibration is left out"
    assert len({one["general"]["active"]["value"] for one in forgotten}) == 2
    assert len({one["general"]["base"]["value"] for one in forgotten}) == 1
    ledger = [row["configuration"] for row in run.record["ledger"] if row["entry"] == "soft-prompt"]
    assert ledger == ["step 1", "step 3", "step 4"]

    assert "LoRA of rank 8" in entries["few-shot+lora"]["describe"]
    for name in names:
        place = run.folder / "candidates" / entries[name]["configuration_id"]
        again = LoadedBundle(load_bundle(place), Models(dtype="float32"))
        assert again.answer("Where is my parcel?").text


def test_training_that_never_helps_is_stopped_and_said(pull: object) -> None:
    assert callable(pull)
    run = pull(["soft-prompt"], learning_rate=1e-9)
    entry = next(one for one in run.record["entries"] if one["name"] == "soft-prompt")
    assert entry["status"] == "stopped"
    assert "never beat the prompt it started from" in entry["reason"]


def test_settings_that_make_no_sense_are_refused(pull: object) -> None:
    assert callable(pull)
    with pytest.raises(PlanError, match="must be positive"):
        pull(["soft-prompt"], learning_rate=-1.0)
    with pytest.raises(PlanError, match="`replace` or `insert`"):
        pull(["soft-prompt"], mode="append")


def test_training_shows_how_far_it_is(tiny_folder: Path, tmp_path: Path) -> None:
    class Watch(Silent):
        def __init__(self) -> None:
            self.steps: list[tuple[int, int]] = []

        def progress(self, entry: str, configuration: str, finished: int, rows: int) -> None:
            if configuration == "training":
                self.steps.append((finished, rows))

    watch = Watch()
    accordeur.run(
        write_label_task(tmp_path / "task"),
        model=str(tiny_folder),
        levers=[SoftPromptLever(steps=6, batch_rows=4, must_improve=False)],
        effort=1,
        runs=tmp_path / "runs",
        use_cache=False,
        source=Models(dtype="float32"),
        observer=watch,
    )
    assert watch.steps == [(step, 6) for step in range(1, 7)]
