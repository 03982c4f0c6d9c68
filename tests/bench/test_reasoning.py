"""Entries that reason or revise, from the plan to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.bench.conftest import Go

from accordeur.core.rendering import Rendered
from accordeur.report import write_report
from accordeur.testing import ScriptedModel


def sums(folder: Path, *, steps: bool = True) -> Path:
    """Sums of two numbers; every row has a place, `add 7 and 3` for instance."""
    folder.mkdir()
    for split, start, size in (("train", 0, 12), ("dev", 100, 24), ("test", 200, 12)):
        rows = []
        for place in range(start, start + size):
            row: dict[str, Any] = {
                "id": f"{split}{place}",
                "input": f"add {place} and {place % 7}",
                "expected": str(place + place % 7),
            }
            if steps:
                row["steps"] = [f"{place} + {place % 7} = {place + place % 7}"]
            rows.append(json.dumps(row))
        (folder / f"{split}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "task.yaml").write_text(
        "data: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}\n"
        "instruction: Add.\nmetric: numeric\nallow_leakage: [near]\n",
        encoding="utf-8",
    )
    return folder


def numbers(text: str) -> tuple[int, int]:
    words = text.split()
    return int(words[-3]), int(words[-1])


def adds(prompt: Rendered) -> str:
    """Right where the place is even; a second look mends every third row, spoils every fifth."""
    turns = prompt.turns()
    rows = [turn.text for turn in turns if turn.role == "user" and "add " in turn.text]
    if not rows:
        return "nothing"  # the run times the model on texts of its own
    left, right = numbers(rows[-1].rsplit("\n", maxsplit=1)[-1])
    value = left + right if left % 2 == 0 else left + right + 1
    if "step by step" in turns[0].text:
        wrong = left % 2 and left % 3 == 0
        return (
            f"{left} + {right} = {left + right + bool(wrong)}\nAnswer: {left + right + bool(wrong)}"
        )
    last = turns[-1].text
    if last.startswith(("Answer the question again", "Give the corrected")):
        if left % 5 == 0:
            return "Answer: 1"
        return f"Answer: {left + right if left % 3 == 0 else value}"
    if last.startswith(("List the", "Check each")):
        return "I added."
    return str(value)


def entries_of(run: Any) -> dict[str, Any]:
    return {entry["name"]: entry for entry in run.record["entries"]}


def test_revisions_and_first_errors_stand_in_record_and_report(tmp_path: Path, go: Go) -> None:
    run = go(
        sums(tmp_path / "task"),
        ScriptedModel(answers=adds),
        levers="reason,critique",
        settings=None,
    )
    entries = entries_of(run)
    # Places 100 to 123 and 200 to 211.
    dev = range(100, 124)
    odd = [place for place in dev if place % 2]
    assert entries["as-is"]["dev"]["score"] == pytest.approx(1 - len(odd) / len(dev))
    assert entries["as-is"]["reasoning"] is None

    measured = entries["critique"]["reasoning"]["measured"]
    by_name = {(one["configuration"], one["split"]): one["revisions"] for one in measured}
    assert {split for _, split in by_name} == {"dev", "test"}
    for name in ("draft, deductions, checks, revision", "asked again"):
        found = by_name[name, "dev"]
        mended = [place for place in odd if place % 3 == 0 and place % 5]
        spoiled = [place for place in dev if place % 2 == 0 and place % 5 == 0]
        assert (found["wrong_to_right"], found["right_to_wrong"]) == (len(mended), len(spoiled))
        assert found["n"] == len(dev)
        assert found["draft_right"] == len(dev) - len(odd)

    [*_, last] = entries["reason"]["reasoning"]["measured"]
    errors = last["first_errors"]
    wrong = [place for place in range(200, 212) if place % 2 and place % 3 == 0]
    assert (errors["n"], errors["wrong"], errors["sound"]) == (12, len(wrong), 12 - len(wrong))
    assert errors["kinds"] == {"calculation": len(wrong)}

    page = tmp_path / "report.html"
    write_report(run.folder, page)
    text = page.read_text(encoding="utf-8")
    assert "Wrong → right" in text
    assert "Wrong calculation" in text
    assert "At step" in text
    assert "asked again" in text


def test_a_winner_that_reasons_answers_from_its_bundle(tmp_path: Path, go: Go) -> None:
    from accordeur.core.rendering import Request
    from accordeur.parts.assemble import assemble
    from accordeur.parts.bundle import load_bundle
    from accordeur.testing import ScriptedSource

    run = go(
        sums(tmp_path / "task"),
        ScriptedModel(answers=adds),
        levers="reason,reason+self-consistency",
        settings=None,
    )
    assert run.record["decision"]["pick"] == "reason"
    made = load_bundle(run.folder / "winner").candidate
    [batch] = assemble(made, ScriptedSource(ScriptedModel(answers=adds))).answer(
        [Request("add 40 and 2")]
    )
    assert batch.results[0].text == "42"
    assert batch.results[0].trace[0].text == "40 + 2 = 42\nAnswer: 42"


def test_worked_examples_are_shown_where_rows_have_steps(tmp_path: Path, go: Go) -> None:
    def tried(name: str, *, steps: bool) -> list[str]:
        run = go(
            sums(tmp_path / name, steps=steps),
            ScriptedModel(answers=adds),
            levers="reason",
            settings=None,
        )
        return [one["configuration"] for one in run.record["ledger"] if one["entry"] == "reason"]

    assert tried("with", steps=True) == [
        "4 worked examples",
        "asked in words",
        "8 worked examples",
    ]
    assert tried("without", steps=False) == ["asked in words"]
