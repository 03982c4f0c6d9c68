"""A run that the clock cuts: what is cut is not recommended, and a decision stays as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.core.errors import AccordeurError
from accordeur.core.rendering import Rendered
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import KnowingModel, puzzle_labels, shown

Go = Callable[..., Run]
Outcome = Callable[[Mapping[str, Any]], dict[str, Any]]


class Clock:
    """The real clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def slow_model(monkeypatch: pytest.MonkeyPatch) -> KnowingModel:
    """Two hours pass while it answers its second batch with demonstrations."""
    clock = Clock()
    monkeypatch.setattr("accordeur.core.budget.time", clock)
    batches = 0

    def on_batch(prompts: Sequence[Rendered], indices: Sequence[int]) -> None:
        nonlocal batches
        batches += bool(shown(prompts[0]))
        if batches == 2:
            clock.ahead = 7200.0

    return KnowingModel(on_batch=on_batch)


def test_entries_cut_by_the_clock_are_listed_and_not_recommended(
    tmp_path: Path, go: Go, slow_model: KnowingModel
) -> None:
    record = go(puzzle_labels(tmp_path / "task"), slow_model, budget=3600.0).record
    entries = {entry["name"]: entry for entry in record["entries"]}
    assert entries["as-is"]["status"] == "finished"
    assert record["decision"]["pick"] == "as-is"
    for name in ("few-shot", "few-shot+calibration"):
        assert entries[name]["status"] == "cut"
        assert not entries[name]["eligible"]
        assert entries[name]["test"] is None
        assert name in record["decision"]["ineligible"]
    assert "16 of 60 rows" in entries["few-shot"]["reason"]
    said = record["verdict"]["paragraph"] + " ".join(record["verdict"]["sentences"])
    assert "`few-shot`" in said
    assert "clock" in said


def test_held_out_rows_of_what_is_finished_have_their_time_before_more_is_begun(
    tmp_path: Path, go: Go
) -> None:
    task = puzzle_labels(tmp_path / "task")
    # 60 dev rows in batches of 600 s: no time passes, but as many held-out rows will take as long.
    record = go(task, KnowingModel(seconds=600.0), budget=3600.0).record
    entries = {entry["name"]: entry for entry in record["entries"]}
    assert entries["as-is"]["status"] == "finished"
    assert entries["as-is"]["test"] is not None, "its time was kept for it"
    assert entries["few-shot"]["status"] == "cut"
    assert "time budget ended" in entries["few-shot"]["reason"]


def test_what_was_cut_before_the_decision_gets_another_chance(
    tmp_path: Path, go: Go, slow_model: KnowingModel, watch: Any, outcome_of: Outcome
) -> None:
    task = puzzle_labels(tmp_path / "task")
    _interrupt(go, task, slow_model, watch, "decision")
    resumed = go(task, budget=1e9).record
    assert resumed["decision"]["pick"] == "few-shot"
    alone = go(task, use_cache=False, runs=tmp_path / "alone").record
    assert outcome_of(resumed) == outcome_of(alone)


def test_what_was_cut_stays_cut_once_the_decision_is_written(
    tmp_path: Path,
    go: Go,
    slow_model: KnowingModel,
    watch: Any,
    folder_of: Callable[[], RunFolder],
) -> None:
    task = puzzle_labels(tmp_path / "task")
    _interrupt(go, task, slow_model, watch, "held-out")
    decision = (folder_of().folder / "decision.json").read_bytes()
    record = go(task, budget=1e9).record
    assert (folder_of().folder / "decision.json").read_bytes() == decision
    entries = {entry["name"]: entry for entry in record["entries"]}
    assert entries["few-shot"]["status"] == "cut"
    assert entries["few-shot"]["test"] is None
    assert record["decision"]["pick"] == "as-is"


def test_configurations_scored_before_the_cut_are_still_told_after_a_resume(
    tmp_path: Path,
    go: Go,
    watch: Any,
    monkeypatch: pytest.MonkeyPatch,
    folder_of: Callable[[], RunFolder],
) -> None:
    clock = Clock()
    monkeypatch.setattr("accordeur.core.budget.time", clock)
    sizes: set[int] = set()

    def on_batch(prompts: Sequence[Rendered], indices: Sequence[int]) -> None:
        sizes.add(shown(prompts[0]))
        if len(sizes) == 3:  # none, k=4 and now k=2
            clock.ahead = 7200.0

    task = puzzle_labels(tmp_path / "task")
    _interrupt(go, task, KnowingModel(on_batch=on_batch), watch, "held-out")
    record = go(task, budget=1e9).record
    told = [row["configuration"] for row in record["ledger"] if row["entry"] == "few-shot"]
    assert told == ["k=4 drawn"]
    (entry,) = (one for one in record["entries"] if one["name"] == "few-shot")
    assert entry["status"] == "cut"
    assert entry["dev"]["n"] == 60


def test_a_budget_too_small_for_the_smallest_plan_is_refused_with_one_that_fits(
    tmp_path: Path, go: Go, watch: Any
) -> None:
    task = puzzle_labels(tmp_path / "task")
    with pytest.raises(AccordeurError, match="smallest plan needs about") as caught:
        go(task, effort=None, budget=5.0)
    assert "--budget 1m" in caught.value.hint
    assert not (tmp_path / "runs").exists()
    go(task, effort=None, budget=60.0, observer=watch)
    assert watch.plan is not None
    assert watch.plan.seconds < 60


def _interrupt(go: Go, task: Path, model: KnowingModel, watch: Any, phase: str) -> None:
    def stop(name: str) -> None:
        if name == phase:
            raise KeyboardInterrupt

    watch.phase = stop
    with pytest.raises(KeyboardInterrupt):
        go(task, model, budget=3600.0, observer=watch)
