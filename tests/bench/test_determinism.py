"""D1 and D2 of DESIGN P9, on a real (tiny, random) model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.bench.run import run
from accordeur.models.source import Models
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import puzzle_labels
from accordeur.testing.scripted import ScriptedSource
from accordeur.testing.tiny import tiny_model

Outcome = Callable[[Mapping[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


def pulled(tiny: Path, task: Path, runs: Path, *, deterministic: bool = False, **more: Any) -> Run:
    """A run on the tiny model, loaded anew; floors embed by spelling."""
    model = Models(dtype="float32", deterministic=deterministic).model(str(tiny))
    options: dict[str, Any] = {
        "levers": "few-shot,few-shot+calibration",
        "settings": {"few-shot": {"k": (2,), "choose": ("draw", "nearest"), "nearest_k": (2,)}},
    }
    return run(
        task,
        model=str(tiny),
        source=ScriptedSource(model),
        runs=runs,
        deterministic=deterministic,
        **{**options, **more},
    )


def answers(finished: Run, split: str) -> dict[str, dict[str, Any]]:
    """Label, scores and probabilities by configuration and row."""
    folder = RunFolder.open(finished.folder)
    return {
        name: {
            row.row: (row.answer.label, row.answer.scores, row.answer.probabilities, row.score)
            for row in folder.read_answers(split, name).values()
        }
        for name in folder.configurations(split)
    }


SIZES = {"train": 24, "dev": 30, "test": 20}


def test_d1_the_same_plan_twice_without_a_cache_gives_identical_numbers(
    tmp_path: Path, tiny: Path, outcome_of: Outcome
) -> None:
    task = puzzle_labels(tmp_path / "task", SIZES)
    first, second = (
        pulled(tiny, task, tmp_path / name, use_cache=False) for name in ("first", "second")
    )
    assert first.folder != second.folder
    for split in ("dev", "test"):
        assert answers(first, split) == answers(second, split)
        assert answers(first, split)
    one, two = outcome_of(first.record), outcome_of(second.record)
    # The pick may turn on measured prices; nothing else may differ.
    for part in ("plan", "entries", "ledger", "curve", "pairs"):
        assert one[part] == two[part]
    assert one["decision"]["estimates"] == two["decision"]["estimates"]
    assert not (tmp_path / "cache" / "answers.sqlite").exists()


def test_d1_a_half_filled_cache_changes_no_number(tmp_path: Path, tiny: Path) -> None:
    task = puzzle_labels(tmp_path / "task", SIZES)
    without = pulled(tiny, task, tmp_path / "without", use_cache=False)

    class Enough(Exception):
        pass

    from accordeur.bench.observer import Silent

    class Stop(Silent):
        def entry(self, view: Any) -> None:
            if view.name == "as-is":
                raise Enough

    with pytest.raises(Enough):
        pulled(tiny, task, tmp_path / "broken-off", observer=Stop())
    filled = pulled(tiny, task, tmp_path / "with")
    assert answers(filled, "dev") == answers(without, "dev")
    assert answers(filled, "test") == answers(without, "test")


def test_d2_deterministic_answers_do_not_depend_on_companions_or_order(
    tmp_path: Path, tiny: Path
) -> None:
    task = puzzle_labels(tmp_path / "task", SIZES)
    whole = pulled(tiny, task, tmp_path / "whole", deterministic=True, use_cache=False)
    lines = (task / "dev.jsonl").read_text().splitlines(keepends=True)
    # New ids make a new order; two thirds are left out.
    kept = [line.replace('"dev-', f'"z{97 - 3 * n}-') for n, line in enumerate(lines)]
    (task / "dev.jsonl").write_text("".join(kept[::-3]), encoding="utf-8")
    part = pulled(tiny, task, tmp_path / "part", deterministic=True, use_cache=False)

    assert part.record["model"]["deterministic"]
    assert part.record["model"]["dtype"] == "float32"
    everything, some = answers(whole, "dev"), answers(part, "dev")
    fixed = everything.keys() & some.keys()  # candidates fitted on train alone are the same
    assert len(fixed) >= 8
    for name in fixed:
        by_number = {row.split("-")[1]: found for row, found in everything[name].items()}
        assert len(some[name]) == 10
        for row, found in some[name].items():
            assert found == by_number[row.split("-")[1]], name
