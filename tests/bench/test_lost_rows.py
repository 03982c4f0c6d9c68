"""Rows lost to errors: asked again, missing for all, and over 2 % nothing is decided (P6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from tests.bench.test_screening import entries_of

from accordeur.bench.finished import Run
from accordeur.core.model import Generated, ModelIdentity, Usage
from accordeur.core.rendering import Rendered
from accordeur.testing.puzzle import asked, last_words, puzzle_texts, shown
from accordeur.testing.scripted import ScriptedModel

Go = Callable[..., Run]
SIZES = {"train": 20, "dev": 60, "test": 60}


def unsteady(lost: Collection[str], *, with_examples: bool = False) -> ScriptedModel:
    """A model behind a line that drops these texts; its identity does not depend on which."""

    def answer(prompt: Rendered) -> Generated | str:
        text = asked(prompt)
        if text in lost and (not with_examples or shown(prompt)):
            return Generated("", False, 0.0, Usage(), error="no connection")
        return last_words(text) if shown(prompt) else "no idea"

    return ScriptedModel(answers=answer, identity=ModelIdentity("scripted", "same", "scripted"))


def texts(task: Path, split: str, count: int) -> set[str]:
    """The first inputs of a split."""
    lines = (task / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["input"] for line in lines[:count]}


@pytest.fixture
def start(go: Go) -> Callable[..., Run]:
    def begin(task: Path, model: ScriptedModel) -> Run:
        return go(task, model, levers="few-shot", settings=None, screening=False, use_cache=False)

    return begin


def test_lost_dev_rows_leave_the_seal_whole_and_the_same_command_asks_them_again(
    tmp_path: Path, start: Callable[..., Run]
) -> None:
    task = puzzle_texts(tmp_path / "task", SIZES)
    waiting = start(task, unsteady(texts(task, "dev", 3), with_examples=True))
    assert waiting.record["lost"] == {"split": "dev", "rows": 3}
    assert waiting.record["held_out"] is None
    assert waiting.record["decision"]["pick"] is None
    assert "3 of 60 dev rows were lost" in waiting.verdict.headline
    assert "Run the same command again" in waiting.verdict.sentences[0]
    assert not (waiting.folder / "decision.json").exists()
    assert not (tmp_path / "cache" / "openings.jsonl").exists()

    done = start(task, unsteady(()))
    assert done.folder == waiting.folder
    assert done.record["lost"] is None
    assert done.verdict.pick == "few-shot"
    assert done.record["held_out"]["n"] == 60
    assert (tmp_path / "cache" / "openings.jsonl").exists()


def test_an_endpoint_that_went_away_does_not_hand_the_verdict_to_a_floor(
    tmp_path: Path, start: Callable[..., Run]
) -> None:
    task = puzzle_texts(tmp_path / "task", SIZES)
    waiting = start(task, unsteady(texts(task, "dev", 60)))
    assert waiting.record["lost"] == {"split": "dev", "rows": 60}
    assert waiting.verdict.pick is None
    assert entries_of(waiting)["as-is"]["dev"] is None
    assert start(task, unsteady(())).verdict.pick == "few-shot"


def test_a_row_lost_by_one_counts_for_none(tmp_path: Path, start: Callable[..., Run]) -> None:
    task = puzzle_texts(tmp_path / "task", SIZES)
    lost = texts(task, "dev", 1) | texts(task, "test", 1)
    record = start(task, unsteady(lost, with_examples=True)).record
    assert record["lost"] is None
    for entry in record["entries"]:
        few_shot = entry["name"] == "few-shot"
        for split in ("dev", "test"):
            assert entry[split]["n"] == 59, entry["name"]
            assert entry[split]["missing"] == few_shot
    assert {line["n"] for line in record["ledger"]} == {59}
    assert record["held_out"]["primary"]["n"] == 59


def test_lost_held_out_rows_wait_for_the_same_command_too(
    tmp_path: Path, start: Callable[..., Run]
) -> None:
    task = puzzle_texts(tmp_path / "task", SIZES)
    waiting = start(task, unsteady(texts(task, "test", 2), with_examples=True))
    assert waiting.record["lost"] == {"split": "test", "rows": 2}
    assert waiting.verdict.pick == "few-shot"
    assert waiting.record["held_out"]["primary"] is None
    assert "the same command asks them again" in waiting.verdict.paragraph
    decided: Any = waiting.record["decision"]["hash"]

    done = start(task, unsteady(()))
    assert done.record["lost"] is None
    assert done.record["decision"]["hash"] == decided
    assert done.record["held_out"]["openings"] == 1
    assert done.record["held_out"]["primary"]["n"] == 60
