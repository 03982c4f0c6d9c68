"""The main job on the embedded models, small."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import accordeur as ac

SUPPORT = Path(__file__).parents[2] / "examples" / "support"


@pytest.fixture
def installed_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_folders: None) -> None:
    """The converted model of this machine, in a cache that is this test's own otherwise."""
    monkeypatch.delenv("ACCORDEUR_CACHE")
    from accordeur.core.paths import cache_folder
    from accordeur.models import catalog

    catalog.ready(catalog.SMOLLM2)
    here = tmp_path / "cache"
    here.mkdir()
    (here / "models").symlink_to(cache_folder() / "models", target_is_directory=True)
    monkeypatch.setenv("ACCORDEUR_CACHE", str(here))


@pytest.mark.smollm2
def test_support_with_few_shot_from_task_to_answer(
    tmp_path: Path, installed_models: None, one_thread: None
) -> None:
    started = time.process_time()
    task = ac.load_task(SUPPORT, limit=24)
    run = ac.run(task, levers=["as-is", "few-shot"], effort=1)
    bundle = run.winner.save(tmp_path / "winner")
    answer = ac.load(bundle).answer("My card was stolen on the train this morning")

    names = {label.name for label in task.labels}
    assert answer.text in names
    assert answer.probabilities is not None
    assert len(answer.probabilities) == len(names) == 12
    assert sum(answer.probabilities) == pytest.approx(1.0, abs=1e-4)

    record = run.record
    assert record["task"]["counts"]["dev"] == record["held_out"]["n"] == 24
    assert record["held_out"]["openings"] == 1
    entries = {entry["name"]: entry for entry in record["entries"]}
    assert len(entries) == 7
    for entry in entries.values():
        assert entry["status"] == "finished"
        assert entry["dev"]["n"] == entry["test"]["n"] == 24
        assert 0 <= entry["dev"]["interval"]["low"] <= entry["dev"]["score"] <= 1
        assert entry["cost"]["cold_seconds"] > 0
    # Twelve labels: the model must be well above the 8 % of chance, and far from perfect.
    assert 0.1 < entries["as-is"]["dev"]["score"] < 0.95
    assert "<|im_start|>user" in entries["as-is"]["prompt"]
    assert entries["few-shot"]["prompt"].count("<|im_start|>user") == 9
    assert record["model"]["name"] == "local/smollm2"
    assert record["model"]["licence"].startswith("Apache-2.0")
    assert run.report(tmp_path / "report.html").stat().st_size > 10_000
    # A minute on two cores, as processor time: wall time would measure what else is running.
    assert time.process_time() - started < 120
