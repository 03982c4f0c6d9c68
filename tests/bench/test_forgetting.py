"""The forgetting check of a run: scope, place after the decision, the clock, resuming."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.bench.forgetting import is_wanting
from accordeur.bench.run import dry_run
from accordeur.core.errors import UsageError
from accordeur.core.rendering import Rendered
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import KnowingModel, puzzle_labels
from accordeur.testing.scripted import ScriptedSource

Go = Callable[..., Run]
WITH_A_MODEL = ["as-is", "few-shot", "few-shot+calibration"]


def off_task(prompt: Rendered) -> bool:
    """Whether this is a question of the check."""
    last = prompt.messages[-1].text
    return "Please write a short text" in last or "taken from a financial document" in last


class Counting(KnowingModel):
    """A knowing model that counts what it is asked off the task."""

    def __init__(self, on_off_task: Callable[[], None] = lambda: None) -> None:
        self.calls = 0
        self._on_off_task = on_off_task

        def on_batch(prompts: Sequence[Rendered], indices: Sequence[int]) -> None:
            if off_task(prompts[indices[0]]):
                self.calls += 1
                self._on_off_task()

        super().__init__(on_batch=on_batch)


def test_without_trained_entries_nothing_is_asked(tmp_path: Path, go: Go, watch: Any) -> None:
    model = Counting()
    record = go(puzzle_labels(tmp_path / "task"), model, observer=watch).record
    assert record["forgetting"] == {"scope": "trained", "entries": []}
    assert model.calls == 0
    assert "forgetting" not in watch.phases


def test_full_checks_every_entry_with_a_language_model_after_the_held_out_rows(
    tmp_path: Path, go: Go, watch: Any, folder_of: Callable[[], RunFolder]
) -> None:
    model = Counting()
    task = puzzle_labels(tmp_path / "task")
    record = go(task, model, observer=watch, forgetting="full").record
    found = record["forgetting"]
    assert found["scope"] == "full"
    assert [entry["name"] for entry in found["entries"]] == WITH_A_MODEL
    assert watch.phases[-3:] == ["held-out", "forgetting", "report"]
    for entry in found["entries"]:
        assert entry["status"] == "measured"
        assert entry["general"]["passages"] >= 25
        assert entry["other"]["n"] == 40
        assert entry["off"]["how"] == "prompt"
        kept = folder_of().read_json(f"forgetting/{entry['name']}.json")
        assert kept is not None
        assert len(kept["passages"]) == entry["general"]["passages"]
        assert len(kept["rows"]) == 40
    assert found["entries"][0]["seed"] == found["entries"][1]["seed"]


def test_it_decides_nothing_and_is_no_part_of_the_plan(
    tmp_path: Path, go: Go, outcome_of: Callable[[Any], dict[str, Any]]
) -> None:
    task = puzzle_labels(tmp_path / "task")
    records = [
        go(task, forgetting=scope, runs=tmp_path / scope, use_cache=False).record
        for scope in ("off", "full")
    ]
    assert outcome_of(records[0]) == outcome_of(records[1])
    assert records[0]["decision"]["hash"] != ""
    assert records[0]["forgetting"] == {"scope": "off", "entries": []}


def test_a_finished_run_is_asked_no_more_than_it_lacks(
    tmp_path: Path, go: Go, folder_of: Callable[[], RunFolder]
) -> None:
    task = puzzle_labels(tmp_path / "task")
    first = go(task).record
    decision = (folder_of().folder / "decision.json").read_bytes()
    model = Counting()
    wider = go(task, model, forgetting="full").record
    assert model.calls > 0
    assert len(wider["forgetting"]["entries"]) == 3
    assert (folder_of().folder / "decision.json").read_bytes() == decision
    assert wider["held_out"] == first["held_out"]
    assert wider["held_out"]["openings"] == 1
    for scope in ("full", "trained", "off"):
        again = Counting()
        assert go(task, again, forgetting=scope).record == wider
        assert again.calls == 0


def test_what_was_measured_before_a_kill_is_not_measured_again(
    tmp_path: Path, go: Go, watch: Any, folder_of: Callable[[], RunFolder]
) -> None:
    task = puzzle_labels(tmp_path / "task")

    def stop(name: str) -> None:
        if name == "report":
            raise KeyboardInterrupt

    watch.phase = stop
    with pytest.raises(KeyboardInterrupt):
        go(task, forgetting="full", observer=watch, use_cache=False)
    kept = folder_of().read_json("forgetting/few-shot.json")
    assert kept is not None
    model = Counting()
    record = go(task, model, forgetting="full", use_cache=False).record
    assert model.calls == 0
    entry = record["forgetting"]["entries"][1]
    assert entry["seconds"] == kept["seconds"]


def test_a_damaged_file_is_measured_again(
    tmp_path: Path, go: Go, watch: Any, folder_of: Callable[[], RunFolder]
) -> None:
    task = puzzle_labels(tmp_path / "task")
    first = go(task, forgetting="full").record
    folder = folder_of().folder
    (folder / "record.json").unlink()
    (folder / "forgetting" / "few-shot.json").write_text("{")
    again = go(task, forgetting="full", observer=watch).record
    assert (
        again["forgetting"]["entries"][1]["general"]
        == (first["forgetting"]["entries"][1]["general"])
    )
    assert any("few-shot.json` is damaged" in message for message in watch.messages)


def test_the_clock_skips_it_with_a_reason_and_the_same_command_makes_up_for_it(
    tmp_path: Path, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        ahead = 0.0

        def monotonic(self) -> float:
            return time.monotonic() + self.ahead

    clock = Clock()
    monkeypatch.setattr("accordeur.core.budget.time", clock)

    def slow() -> None:
        clock.ahead += 7200.0

    task = puzzle_labels(tmp_path / "task")
    model = Counting(slow)
    record = go(task, model, forgetting="full", budget=3600.0).record
    assert model.calls == 1
    for entry in record["forgetting"]["entries"]:
        assert entry["status"] == "skipped"
        assert entry["reason"] == "the time budget was spent"
        assert entry["general"] is None
        assert entry["other"] is None
        assert entry["seconds"] is None
    assert record["held_out"]["n"] == 60
    assert is_wanting(record, "trained")
    assert not is_wanting(record, "off")
    record = go(task, forgetting="full").record
    assert [entry["status"] for entry in record["forgetting"]["entries"]] == ["measured"] * 3


def test_a_scope_nobody_knows_is_refused(tmp_path: Path, go: Go) -> None:
    task = puzzle_labels(tmp_path / "task")
    with pytest.raises(UsageError, match="`some` is no scope") as caught:
        go(task, forgetting="some")
    assert "--forgetting full" in caught.value.hint
    with pytest.raises(UsageError, match="`some` is no scope"):
        dry_run(task, model="scripted", source=ScriptedSource(), forgetting="some")


def test_resume_keeps_the_scope(tmp_path: Path, go: Go, folder_of: Callable[[], RunFolder]) -> None:
    go(puzzle_labels(tmp_path / "task"), forgetting="full")
    kept = folder_of().read_json("invocation.json")
    assert kept is not None
    assert kept["forgetting"] == "full"
