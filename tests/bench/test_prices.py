"""Train labels are charged to those that used them (P8)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from accordeur.bench.finished import Run
from accordeur.testing.puzzle import puzzle_texts

Go = Callable[..., Run]


def test_copying_the_input_costs_no_labels_and_showing_rows_does(tmp_path: Path, go: Go) -> None:
    task = puzzle_texts(tmp_path / "task", yaml="prices: {label: 1.0}\n")
    record = go(task, levers="few-shot", settings=None).record
    make = {one["name"]: one["cost"]["make"] for one in record["entries"]}
    labels = record["task"]["counts"]["train"]
    for name in ("floor:copy", "floor:lead", "as-is"):
        assert make[name] < 1.0
    for name in ("floor:most-common", "few-shot"):
        assert make[name] >= labels
