"""20 to 60 labelled rows are the usual start; under 20 there is little to say (P1)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from accordeur.bench.finished import Run
from accordeur.bench.labelling import text_disagreement, vote_entropy
from accordeur.core.rendering import Request
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import load_bundle
from accordeur.tasks import load_task
from accordeur.testing.puzzle import KnowingModel, puzzle_labels, puzzle_texts
from accordeur.testing.scripted import ScriptedSource

Go = Callable[..., Run]


def test_30_rows_take_the_unconfirmed_path(tmp_path: Path, go: Go) -> None:
    task = puzzle_labels(tmp_path / "task", {"file": 30, "unlabelled": 25})
    finished = go(task)
    record = finished.record
    assert record["task"]["counts"] == {"train": 18, "dev": 12, "test": 0, "unlabelled": 25}
    assert record["held_out"] is None
    assert record["decision"]["unconfirmed"]
    assert record["rows_shown"] == "dev"
    assert record["label_next"]["n_more"] == 30
    assert "unconfirmed" in finished.verdict.headline
    assert "Label 30 more rows" in finished.verdict.paragraph
    assert all(entry["test"] is None for entry in record["entries"])
    assert all(pair["split"] == "dev" for pair in record["pairs"])
    assert not (finished.folder / "rows-test.jsonl").exists()
    assert not (tmp_path / "cache" / "openings.jsonl").exists()


def test_the_rows_most_worth_labelling_come_first(tmp_path: Path, go: Go) -> None:
    task = puzzle_labels(tmp_path / "task", {"file": 30, "unlabelled": 25})
    finished = go(task)
    lines = (finished.folder / "label-next.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    known = {row.id: row for row in load_task(task).unlabelled}
    assert sorted(row["id"] for row in rows) == sorted(known)
    assert finished.record["label_next"]["ids"] == [row["id"] for row in rows]
    assert all("expected" not in row for row in rows)

    source = ScriptedSource(KnowingModel())
    votes: dict[str, list[str]] = {row["id"]: [] for row in rows}
    for entry in finished.record["entries"]:
        if entry["status"] == "finished":
            place = finished.folder / "candidates" / entry["configuration_id"]
            answerer = assemble(load_bundle(place).candidate, source)
            ordered = list(known.values())
            for batch in answerer.answer([Request.from_example(row) for row in ordered]):
                for index, answer in zip(batch.indices, batch.results, strict=True):
                    votes[ordered[index].id].append(answer.label or "")
    entropies = [vote_entropy(votes[row["id"]]) for row in rows]
    assert entropies == sorted(entropies, reverse=True)
    assert entropies[0] > entropies[-1]


def test_under_20_rows_only_floors_and_as_is_are_measured(tmp_path: Path, go: Go) -> None:
    finished = go(puzzle_labels(tmp_path / "task", {"file": 15}), levers="few-shot")
    names = [entry["name"] for entry in finished.record["entries"] if entry["kind"] == "lever"]
    assert names == ["as-is"]
    (refused,) = finished.record["plan"]["refused"]
    assert refused["name"] == "few-shot"
    assert "15 labelled rows are too few" in refused["reason"]
    assert "Label 45 more rows" in finished.verdict.paragraph
    assert "`few-shot` was not possible" in " ".join(finished.verdict.sentences)
    assert finished.record["label_next"]["file"] is None


def test_given_splits_are_kept_at_any_size(tmp_path: Path, go: Go) -> None:
    record = go(puzzle_labels(tmp_path / "task", {"train": 12, "dev": 9, "test": 8})).record
    assert record["task"]["counts"] == {"train": 12, "dev": 9, "test": 8, "unlabelled": 0}
    assert record["held_out"]["n"] == 8
    assert record["label_next"] is None


def test_without_a_language_model_floors_are_compared(tmp_path: Path, go: Go) -> None:
    task = puzzle_labels(tmp_path / "task")
    finished = go(task, model="none", levers="all", settings=None)
    assert {entry["kind"] for entry in finished.record["entries"]} == {"floor"}
    assert finished.record["model"] is None
    assert {one["name"] for one in finished.record["plan"]["refused"]} >= {"as-is", "few-shot"}
    assert finished.verdict.pick is not None


def test_vote_entropy_is_that_of_the_shares() -> None:
    assert vote_entropy(["a", "a", "a"]) == 0.0
    assert vote_entropy(["a", "b", "a", "b"]) == pytest.approx(math.log(2))
    assert vote_entropy(["a", "b", "c"]) > vote_entropy(["a", "a", "b"])


def test_texts_disagree_by_the_words_they_do_not_share() -> None:
    assert text_disagreement(["blue sky", "Blue sky!", "blue sky"]) == 0.0
    assert text_disagreement(["blue sky", "green grass"]) == 1.0
    assert text_disagreement(["blue sky", "blue grass"]) == pytest.approx(0.5)


def test_unlabelled_rows_of_a_text_task_are_ranked_too(tmp_path: Path, go: Go) -> None:
    task = puzzle_texts(tmp_path / "task", {"file": 30, "unlabelled": 60})
    finished = go(task, KnowingModel(), levers="as-is", settings=None)
    ids = finished.record["label_next"]["ids"]
    assert len(ids) == 50
    assert set(ids) <= {row.id for row in load_task(task).unlabelled}
