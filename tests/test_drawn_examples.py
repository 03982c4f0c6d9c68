"""The examples that are drawn: the generator gives the files, and every step is right."""

from __future__ import annotations

import importlib.util
import json
import re
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from accordeur.measure.reasoning.first_error import holds
from accordeur.tasks import load_task

EXAMPLES = Path(__file__).parents[1] / "examples"
DRAWN = ("arithmetic", "logic")


def generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"draw_{name}", EXAMPLES / name / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def rows_of(name: str) -> list[dict[str, Any]]:
    found = []
    for split in ("train", "dev", "test"):
        text = (EXAMPLES / name / f"{split}.jsonl").read_text(encoding="utf-8")
        found += [json.loads(line) for line in text.splitlines()]
    return found


@pytest.mark.parametrize("name", DRAWN)
def test_the_generator_gives_the_files(name: str) -> None:
    drawn = generator(name).draw(1)
    assert {split: len(rows) for split, rows in drawn.items()} == {
        "train": 200,
        "dev": 120,
        "test": 240,
    }
    assert [row for rows in drawn.values() for row in rows] == rows_of(name)
    assert generator(name).draw(2) != drawn


@pytest.mark.parametrize("name", DRAWN)
def test_rows_are_a_task_with_steps_and_no_row_stands_twice(name: str) -> None:
    task = load_task(EXAMPLES / name)
    assert all(row.steps for row in (*task.train, *task.dev))
    rows = rows_of(name)
    assert len({row["input"] for row in rows}) == len(rows)
    assert len({row["id"] for row in rows}) == len(rows)


def test_every_equation_holds_and_the_last_gives_the_answer() -> None:
    for row in rows_of("arithmetic"):
        assert all(holds(step) for step in row["steps"]), row
        assert row["steps"][-1].endswith(f"= {row['expected']}"), row
        assert 0 <= int(row["expected"]) < 200, row
        used = {int(number) for step in row["steps"] for number in re.findall(r"\d+", step)[:2]}
        given = {int(number) for number in re.findall(r"\d+", row["input"])}
        made = {int(step.rsplit("= ", maxsplit=1)[1]) for step in row["steps"]}
        assert used <= given | made, row


def test_every_deduction_stands_in_the_clues_and_the_order_gives_the_answer() -> None:
    places = {"second": 1, "last but": -2, "last": -1, "youngest": -1, "lowest": -1}
    for row in rows_of("logic"):
        order = row["steps"][-1].removeprefix("So the order is ").removesuffix(".").split(", ")
        clues = row["input"].split(". ")[1:-1]
        assert len(clues) == len(order) - 1 == len(row["steps"]) - 1, row
        for (left, right), step in zip(pairwise(order), row["steps"], strict=False):
            assert step.index(left) < step.index(right), row
            assert any(left in clue and right in clue for clue in clues), row
        question = row["input"].rsplit(". ", maxsplit=1)[1]
        bottom = "youngest" in question or "lowest" in question
        if "second" in question:
            place = -2 if bottom else 1
        else:
            place = next((at for word, at in places.items() if word in question), 0)
        assert order[place] == row["expected"], row
