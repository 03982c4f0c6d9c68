"""A hopeless generating lever is stopped after 40 dev rows (P7)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.core.rendering import Rendered
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import KnowingModel, asked, last_words, puzzle_texts, shown

Go = Callable[..., Run]
SIZES = {"train": 20, "dev": 88, "test": 20}


def spoiled_by_examples(prompt: Rendered) -> str:
    return "no idea at all" if shown(prompt) else last_words(asked(prompt))


def clueless(prompt: Rendered) -> str:
    return "no idea at all"


def entries_of(finished: Run) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in finished.record["entries"]}


def rows_on_disk(finished: Run, split: str = "dev") -> set[int]:
    folder = RunFolder.open(finished.folder)
    return {len(folder.read_answers(split, name)) for name in folder.configurations(split)}


def test_a_hopeless_lever_is_stopped_and_listed_so(tmp_path: Path, go: Go) -> None:
    task = puzzle_texts(tmp_path / "task", SIZES)
    finished = go(task, KnowingModel(reply=spoiled_by_examples), levers="few-shot", settings=None)
    entries = entries_of(finished)
    assert entries["as-is"]["dev"]["score"] == pytest.approx(1.0)
    stopped = entries["few-shot"]
    assert stopped["status"] == "stopped"
    assert "screened out after 40 dev rows" in stopped["reason"]
    assert "100.0% behind" in stopped["reason"]
    assert not stopped["eligible"]
    assert stopped["test"] is None
    assert rows_on_disk(finished) == {88, 40}
    assert "screened out" in " ".join(finished.verdict.sentences)
    assert finished.verdict.pick == "as-is"


def test_no_screening_scores_it_to_the_end(tmp_path: Path, go: Go) -> None:
    task = puzzle_texts(tmp_path / "task", SIZES)
    finished = go(
        task,
        KnowingModel(reply=spoiled_by_examples),
        levers="few-shot",
        settings=None,
        screening=False,
    )
    assert entries_of(finished)["few-shot"]["status"] == "finished"
    assert entries_of(finished)["few-shot"]["dev"]["score"] == 0.0
    assert rows_on_disk(finished) == {88}


def test_under_80_dev_rows_nothing_is_screened(tmp_path: Path, go: Go) -> None:
    task = puzzle_texts(tmp_path / "task", {**SIZES, "dev": 79})
    finished = go(task, KnowingModel(reply=spoiled_by_examples), levers="few-shot", settings=None)
    assert entries_of(finished)["few-shot"]["status"] == "finished"


def test_as_is_is_measured_on_every_row_however_far_behind(tmp_path: Path, go: Go) -> None:
    task = puzzle_texts(tmp_path / "task", SIZES)
    finished = go(task, KnowingModel(reply=clueless), levers="few-shot", settings=None)
    entries = entries_of(finished)
    assert entries["as-is"]["status"] == "finished"
    assert entries["as-is"]["dev"]["n"] == 88
    assert entries["few-shot"]["status"] == "stopped", "a floor leads by far"
    assert finished.record["held_out"]["primary"]["against"] == "as-is"


def test_a_lever_that_scores_labels_is_not_screened(tmp_path: Path, go: Go) -> None:
    from accordeur.testing.puzzle import puzzle_labels

    task = puzzle_labels(tmp_path / "task", SIZES)
    finished = go(task, KnowingModel(zero_shot=1.0, few_shot=0.0))
    assert entries_of(finished)["few-shot"]["status"] == "finished"


def test_a_lever_keeps_what_it_scored_when_a_later_configuration_is_hopeless(
    tmp_path: Path, go: Go
) -> None:
    def best_with_four(prompt: Rendered) -> str:
        return last_words(asked(prompt)) if shown(prompt) in (0, 4) else "no idea at all"

    task = puzzle_texts(tmp_path / "task", SIZES)
    finished = go(
        task,
        KnowingModel(reply=best_with_four),
        levers="few-shot",
        settings={"few-shot": {"k": (4,), "nearest_k": (1,), "choose": ("draw", "nearest")}},
    )
    entry = entries_of(finished)["few-shot"]
    assert entry["status"] == "finished"
    assert entry["configuration"] == "k=4 drawn"
    assert rows_on_disk(finished) == {88}
