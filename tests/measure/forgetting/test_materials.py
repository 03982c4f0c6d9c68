"""The texts of the check: what they are, and that the other task is another one."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from accordeur.core.task import Label, TaskBrief
from accordeur.measure.forgetting import general_passages, materials_for
from accordeur.tasks import load_task

EXAMPLES = Path(__file__).parents[3] / "examples"
OWN = TaskBrief("own", "", "Yes or no?", "labels", (Label("yes", "Yes"),), "accuracy")


def rows_of(name: str, split: str) -> dict[str, str]:
    lines = (EXAMPLES / name / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["input"]: row["expected"] for row in map(json.loads, lines)}


def test_passages_are_of_a_length_and_all_different() -> None:
    passages = general_passages()
    assert len(passages) >= 25
    assert all(60 <= len(one.text.split()) <= 100 for one in passages)
    assert len({one.id for one in passages}) == len({one.text for one in passages}) == len(passages)
    assert len({one.id.split("-")[0] for one in passages}) >= 8, "registers"


@pytest.mark.parametrize("name", ["support", "finance"])
def test_a_run_of_an_example_is_checked_on_the_other(name: str) -> None:
    task = load_task(EXAMPLES / name)
    other = materials_for(task.brief, (*task.train, *task.dev)).other
    assert other is not None
    assert {name, other.name} == {"support", "finance"}
    assert len(other.rows) == 40
    counts = Counter(row.label for row in other.rows)
    assert set(counts) == {label.name for label in other.labels}
    assert len(set(counts.values())) == 1, "as many of each label"
    assert all(label.text in other.instruction for label in other.labels)


@pytest.mark.parametrize("name", ["support", "finance"])
def test_the_rows_are_dev_rows_of_the_example_and_no_held_out_ones(name: str) -> None:
    task = load_task(EXAMPLES / ("finance" if name == "support" else "support"))
    other = materials_for(task.brief).other
    assert other is not None
    dev, held_out = rows_of(name, "dev"), rows_of(name, "test")
    for row in other.rows:
        assert dev[row.text] == row.label
        assert row.text not in held_out


def test_a_set_that_shares_a_label_or_a_row_is_not_another_task() -> None:
    first = materials_for(OWN).other
    assert first is not None
    assert first.name == "support"
    shares_label = replace(OWN, labels=(Label("x", "lost card"),))
    for found in (
        materials_for(replace(OWN, name="Support")),
        materials_for(shares_label),
        materials_for(OWN, first.rows[:1]),
    ):
        assert found.other is not None
        assert found.other.name == "finance"
    both = replace(OWN, labels=(Label("login", "a"), Label("b", "Past results")))
    assert materials_for(both).other is None
    assert materials_for(both).digest != materials_for(OWN).digest
