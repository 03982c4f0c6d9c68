"""Files that were damaged between two runs: said, and computed again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.core.errors import StoreError
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import puzzle_labels

Outcome = Callable[[Mapping[str, Any]], dict[str, Any]]
Go = Callable[..., Run]


def spoil(path: Path) -> None:
    """Turn some bytes in the middle around."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 16] = bytes(255 - byte for byte in data[middle : middle + 16])
    path.write_bytes(data)


@pytest.fixture
def expected(tmp_path: Path, go: Go, outcome_of: Outcome) -> dict[str, Any]:
    """What an undisturbed run of `tmp_path/task` says."""
    task = puzzle_labels(tmp_path / "task")
    return outcome_of(go(task, use_cache=False, runs=tmp_path / "undisturbed").record)


def interrupt(go: Go, watch: Any, tmp_path: Path, phase: str) -> None:
    """Ctrl-C when this phase begins."""

    def stop(name: str) -> None:
        if name == phase:
            raise KeyboardInterrupt

    watch.phase = stop
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "task", observer=watch)


@pytest.mark.parametrize("whole", [False, True], ids=["a few bytes", "the whole file"])
def test_a_damaged_cache_is_begun_anew_and_changes_no_result(
    tmp_path: Path,
    go: Go,
    watch: Any,
    outcome_of: Outcome,
    expected: dict[str, Any],
    whole: bool,
) -> None:
    cache = tmp_path / "cache" / "answers.sqlite"
    go(tmp_path / "task", seed=9, runs=tmp_path / "filling")
    if whole:
        cache.write_bytes(b"this is no database at all" * 100)
    else:
        data = bytearray(cache.read_bytes())
        data[:16] = b"Sqlite format 4\0"
        cache.write_bytes(data)
    for beside in cache.parent.glob("answers.sqlite-*"):
        beside.unlink()
    record = go(tmp_path / "task", observer=watch).record
    assert outcome_of(record) | {"held_out": 0, "sentences": 0} == expected | {
        "held_out": 0,
        "sentences": 0,
    }
    assert any("answer cache" in message and "damaged" in message for message in watch.messages)


@pytest.mark.parametrize("phase", ["decision", "held-out"])
def test_damaged_answers_are_computed_again_and_change_no_result(
    tmp_path: Path,
    go: Go,
    watch: Any,
    outcome_of: Outcome,
    expected: dict[str, Any],
    folder_of: Callable[[], RunFolder],
    phase: str,
) -> None:
    interrupt(go, watch, tmp_path, phase)
    for journal in folder_of().folder.glob("answers/dev/*.jsonl"):
        spoil(journal)
    watch = type(watch)()
    assert outcome_of(go(tmp_path / "task", observer=watch).record) == expected
    assert any("answers/dev" in message for message in watch.messages)


def test_a_damaged_entry_or_bundle_is_fitted_again(
    tmp_path: Path,
    go: Go,
    watch: Any,
    outcome_of: Outcome,
    expected: dict[str, Any],
    folder_of: Callable[[], RunFolder],
) -> None:
    interrupt(go, watch, tmp_path, "decision")
    folder = folder_of().folder
    spoil(folder / "entries" / "as-is.json")
    for shown in folder.glob("candidates/*/demonstrations.jsonl"):
        spoil(shown)
    assert outcome_of(go(tmp_path / "task").record) == expected


def test_a_decision_that_was_changed_stops_the_run_before_the_split_is_opened(
    tmp_path: Path, go: Go, watch: Any, folder_of: Callable[[], RunFolder]
) -> None:
    puzzle_labels(tmp_path / "task")
    interrupt(go, watch, tmp_path, "held-out")
    place = folder_of().folder / "decision.json"
    place.write_text(place.read_text().replace('"few-shot"', '"as-is"'), encoding="utf-8")
    with pytest.raises(StoreError, match=r"decision\.json"):
        go(tmp_path / "task")
    assert not folder_of().has("rows-test.jsonl")
    assert not (tmp_path / "cache" / "openings.jsonl").exists()
