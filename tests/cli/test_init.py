"""`accordeur init`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.tasks import load_task
from accordeur.testing.toy import write_label_task

from .terminal_session import converse

Say = Callable[..., Any]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A spreadsheet whose columns have names of its own."""
    rows = [f"message number {n},{'one' if n % 2 else 'two'},{n}" for n in range(80)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["what they wrote,where it went,number", *rows]))
    return path


def test_without_data_there_is_a_task_to_start_with(say: Say) -> None:
    said = say("init", "notes")
    assert said.code == 0
    assert load_task("notes").kind == "labels"
    assert "accordeur run notes" in said.out


def test_a_data_file_with_usual_names_needs_no_flags(tmp_path: Path, say: Say) -> None:
    data = write_label_task(tmp_path / "given") / "train.jsonl"
    said = say("init", "new", "--data", data)
    assert said.code == 0, said.err
    made = load_task("new")
    assert {label.name for label in made.labels} == {"billing", "card", "login"}
    assert made.name in said.out
    assert "3 labels: " in said.out


def test_flags_say_everything(table: Path, say: Say) -> None:
    said = say(
        "init", "new", "--data", table, "--input", "what they wrote",
        "--expected", "where it went", "--name", "routing", "--instruction", "Where to?",
        "--label", "one=The first team", "--metric", "macro-f1", "--link",
    )  # fmt: skip
    assert said.code == 0, said.err
    made = load_task("new")
    assert (made.name, made.instruction, made.metric) == ("routing", "Where to?", "macro-f1")
    assert {label.name: label.text for label in made.labels} == {
        "one": "The first team",
        "two": "two",
    }
    assert not (Path("new") / "mine.csv").exists()
    assert len(made.train) == 40


def test_what_cannot_be_guessed_is_an_error_with_the_command(table: Path, say: Say) -> None:
    said = say("init", "new", "--data", table)
    assert said.code == 1
    assert "--input" in said.err
    assert not Path("new").exists()


def test_an_unknown_label_names_those_there_are(table: Path, say: Say) -> None:
    columns = ["--input", "what they wrote", "--expected", "where it went"]
    said = say("init", "new", "--data", table, *columns, "--label", "three=x")
    assert said.code == 2
    assert "one, two" in said.err


def test_nothing_is_replaced_without_force(say: Say) -> None:
    assert say("init", "notes").code == 0
    said = say("init", "notes")
    assert said.code == 1
    assert "--force" in said.err
    assert say("init", "notes", "--force").code == 0


def test_it_asks_for_what_the_flags_leave_open(table: Path, tmp_path: Path) -> None:
    answers = f"{table}\nwhat they wrote\nwhere it went\nWhere does it go?\n\n"
    code, out, shown = converse(tmp_path, ["init", "new"], answers)
    assert code == 0, shown
    assert "80 rows with the columns: what they wrote, where it went, number" in out
    assert "Column of the expected answer" in shown
    made = load_task(tmp_path / "new")
    assert (made.instruction, made.metric) == ("Where does it go?", "accuracy")


def test_nobody_is_asked_after_yes(table: Path, tmp_path: Path) -> None:
    code, _, shown = converse(tmp_path, ["init", "notes", "-y"], "")
    assert code == 0
    assert ": " not in shown
    assert json.loads((tmp_path / "notes" / "notes.jsonl").read_text().splitlines()[0])
