"""Nothing of the held-out split is known before the decision is written."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.core.candidate import Candidate
from accordeur.core.errors import SealError
from accordeur.core.lever import Lever
from accordeur.core.rendering import Rendered
from accordeur.core.task import Example, Receipt, SealedSplit
from accordeur.levers import LEVERS
from accordeur.levers.floor import FLOORS
from accordeur.store.openings import Openings
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import LABELS, KnowingModel, asked, puzzle_labels
from accordeur.testing.scripted import ScriptedEmbedder, ScriptedModel
from accordeur.testing.toy import label_task

Go = Callable[..., Run]

BLIND = ("as-is", "self-consistency")

READS_ROWS = [
    *(LEVERS.load(name)() for name in LEVERS.names() if name not in BLIND),
    *(floor for floor in FLOORS if floor.name not in ("floor:copy", "floor:lead")),
]
"""Every lever but the four that look at no row."""


def before_the_opening(finished: Run) -> dict[str, Any]:
    """All that was decided on, digests of the data apart."""
    folder = RunFolder.open(finished.folder)
    plan = {**folder.plan, "task": None}
    ledger = [{**row, "seconds": 0} for row in folder.read_ledger()]
    decision = folder.read_json("decision.json")
    dev = {
        name: [row.answer.label for _, row in sorted(folder.read_answers("dev", name).items())]
        for name in folder.configurations("dev")
    }
    return {"plan": plan, "ledger": ledger, "decision": decision, "dev": dev}


def rewrite_test(task: Path, change: Callable[[int, dict[str, str]], None]) -> None:
    rows = [json.loads(line) for line in (task / "test.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        change(number, row)
    (task / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def other_label(number: int, row: dict[str, str]) -> None:
    row["expected"] = LABELS[(LABELS.index(row["expected"]) + 1 + number % 2) % 3]


def other_text(number: int, row: dict[str, str]) -> None:
    row["input"] = f"something {number * 77} altogether different {number}"


@pytest.mark.parametrize("change", [other_label, other_text], ids=["labels", "texts"])
def test_scrambling_the_held_out_rows_changes_nothing_before_the_opening(
    tmp_path: Path, go: Go, change: Callable[[int, dict[str, str]], None]
) -> None:
    task = puzzle_labels(tmp_path / "task")
    before = go(task, use_cache=False)
    rewrite_test(task, change)
    after = go(task, use_cache=False)
    assert before.folder != after.folder, "other held-out rows are another plan"
    assert before_the_opening(before) == before_the_opening(after)
    shift = [one.record["held_out"]["shrinkage"]["test"] for one in (before, after)]
    assert shift[0] != shift[1], "and held-out is really scored"


def test_the_model_sees_no_held_out_text_before_decision_and_opening_are_written(
    tmp_path: Path, go: Go, folder_of: Callable[[], RunFolder]
) -> None:
    seen: list[str] = []

    def on_batch(prompts: Sequence[Rendered], indices: Sequence[int]) -> None:
        held_out = [text for one in prompts if " of test: " in (text := asked(one))]
        if held_out:
            assert folder_of().has("decision.json")
            assert Openings().path.is_file()
            seen.extend(held_out)

    finished = go(puzzle_labels(tmp_path / "task"), KnowingModel(on_batch=on_batch))
    assert len(set(seen)) == 60
    assert finished.record["decision"]["hash"] == folder_of().sha256("decision.json")


def test_a_held_out_label_that_is_unknown_does_not_tell_what_it_is(tmp_path: Path, go: Go) -> None:
    task = puzzle_labels(tmp_path / "task")
    rewrite_test(task, lambda number, row: row.update(expected="zebra-crossing"))
    with pytest.raises(Exception, match=r"held-out|test") as caught:
        go(task, levers="as-is")
    assert "Ticket" not in str(caught.value)


@pytest.mark.parametrize("lever", READS_ROWS, ids=lambda lever: lever.name)
def test_a_lever_given_the_sealed_split_fails(lever: Lever) -> None:
    task = label_task()
    sealed: Any = SealedSplit(task.dev)
    brief = task.brief
    context: Any = SimpleNamespace(
        task=brief,
        seed=1,
        effort=3,
        embedder=ScriptedEmbedder(),
        model=ScriptedModel(),
        evaluate=lambda candidate, name: SimpleNamespace(score=0.5),
        answer=lambda candidate, rows: [SimpleNamespace(scores=(0.0, -1.0, -2.0)) for _ in rows],
    )
    with pytest.raises(TypeError, match="SealedSplit"):
        lever.fit(Candidate(brief, None), sealed, context)


def test_the_sealed_split_gives_nothing_away() -> None:
    rows = (Example("a", "secret text", ("yes",), "a"), Example("b", "other", ("no",), "b"))
    sealed: Any = SealedSplit(rows)
    assert sealed.count == 2
    assert "secret" not in repr(sealed)
    for peep in (iter, len, list, lambda one: one[0], lambda one: one.__dict__):
        with pytest.raises((TypeError, AttributeError)):
            peep(sealed)
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(SealError):
            copying(sealed)
    for receipt in (Receipt("", ""), Receipt("a" * 64, ""), Receipt("", "b" * 64)):
        with pytest.raises(SealError, match="after a decision is written"):
            sealed.open(receipt)
    assert sealed.open(Receipt("a" * 64, "b" * 64)) == rows
