"""kill -9 in each phase, then the same command again in a new process."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.core.errors import RunInUse
from accordeur.store.openings import Openings
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import KnowingModel, puzzle_labels

Computed = Counter[tuple[int, str]]
Outcome = Callable[[Mapping[str, Any]], dict[str, Any]]

IN_FLIGHT = {"in flight levers", "in flight held-out"}
MOMENTS = [
    "phase loading",
    "in flight levers",
    "after few-shot",
    "phase held-out",
    "in flight held-out",
    "phase report",
]


def computed_rows(folder: Path) -> Computed:
    """Rows the model really computed since the last time, by demonstrations shown and text."""
    place = folder / "computed"
    lines = place.read_text(encoding="utf-8").splitlines() if place.is_file() else []
    place.unlink(missing_ok=True)
    return Counter((int(shown), text) for line in lines for shown, text in json.loads(line))


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, outcome_of: Outcome
) -> tuple[dict[str, Any], Computed]:
    """An uninterrupted run of the same plan: what it says, and the rows it computed."""
    from accordeur.bench.run import run
    from accordeur.testing.puzzle import asked, shown
    from accordeur.testing.scripted import ScriptedSource

    place = tmp_path_factory.mktemp("whole")
    computed: Computed = Counter()

    def on_batch(prompts: Any, indices: Any) -> None:
        if len(prompts) >= 10:
            computed.update((shown(prompts[i]), asked(prompts[i])) for i in indices)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCORDEUR_CACHE", str(place / "cache"))
        finished = run(
            puzzle_labels(place / "task"),
            model="scripted",
            source=ScriptedSource(KnowingModel(on_batch=on_batch)),
            runs=place / "runs",
            levers="few-shot,few-shot+calibration",
            settings={"calibration": {"methods": ("content-free",)}, "few-shot": {"k": (2, 4)}},
            effort=3,
        )
    return outcome_of(finished.record), computed


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_changes_no_result_and_loses_at_most_the_batch_in_flight(
    tmp_path: Path,
    child: Callable[..., Any],
    whole: tuple[dict[str, Any], Computed],
    outcome_of: Outcome,
    go: Callable[..., Run],
    moment: str,
) -> None:
    task = puzzle_labels(tmp_path / "task")
    process = child(task, moment)
    process.until_here()
    process.kill()
    before = computed_rows(tmp_path)
    assert "DONE" in child(task).finish()
    after = computed_rows(tmp_path)

    expected, once = whole
    (place,) = (tmp_path / "runs").iterdir()
    record = Run(RunFolder.open(place)).record
    assert outcome_of(record) == expected
    assert record["held_out"]["openings"] == 1
    twice = before + after - once
    assert not once - (before + after), "everything was computed"
    assert sum(twice.values()) == (8 if moment in IN_FLIGHT else 0)

    def never(prompts: Any, indices: Any) -> None:
        raise AssertionError("a finished run computes nothing again")

    assert go(task, KnowingModel(on_batch=never)).record == record


def test_the_split_is_counted_once_per_plan_and_again_for_another(
    tmp_path: Path, go: Callable[..., Run]
) -> None:
    task = puzzle_labels(tmp_path / "task")
    first = go(task, levers="as-is")
    assert first.record["held_out"]["openings"] == 1
    assert go(task, levers="as-is").record["held_out"]["openings"] == 1
    second = go(task, levers="as-is", seed=1)
    assert second.record["held_out"]["openings"] == 2
    assert "opened 2 times" in " ".join(second.verdict.sentences)
    assert len((tmp_path / "cache" / "openings.jsonl").read_text().splitlines()) == 2
    assert Openings().count("0" * 64) == 0


def test_two_processes_on_one_run_the_second_is_told_who_works_on_it(
    tmp_path: Path, child: Callable[..., Any], go: Callable[..., Run]
) -> None:
    task = puzzle_labels(tmp_path / "task")
    process = child(task, "levers: 24 of as-is")
    process.until_here()
    with pytest.raises(RunInUse) as caught:
        go(task)
    assert f"in use by process {process.pid}" in caught.value.message
    assert "run the same command again" in caught.value.hint
    process.kill()
    assert go(task).verdict.pick == "few-shot"


def test_two_runs_on_one_store_at_once_both_finish(
    tmp_path: Path, child: Callable[..., Any], outcome_of: Outcome
) -> None:
    task = puzzle_labels(tmp_path / "task")
    alone = child(task, seed=1)
    assert "DONE" in alone.finish()
    (place,) = (tmp_path / "runs").iterdir()
    expected = outcome_of(Run(RunFolder.open(place)).record)
    expected["held_out"]["openings"] = None
    place.rename(tmp_path / "alone")
    (tmp_path / "cache").rename(tmp_path / "alone-cache")

    both = [child(task, "phase levers", seed=seed) for seed in (1, 2)]
    for process in both:
        process.until_here()
    for process in both:
        assert "DONE" in process.finish()
    places = sorted((tmp_path / "runs").iterdir())
    assert len(places) == 2
    records = {
        record["plan"]["seed"]: record
        for record in (Run(RunFolder.open(place)).record for place in places)
    }
    found = outcome_of(records[1])
    assert {one["held_out"]["openings"] for one in records.values()} == {1, 2}
    found["held_out"]["openings"] = None
    found["sentences"] = expected["sentences"] = []
    assert found == expected
