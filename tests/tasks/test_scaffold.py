from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.core.task import Label
from accordeur.tasks import choices_from, guess, load_task, run_checks, write_starter, write_task
from accordeur.tasks.scaffold import Choices, task_yaml

File = Callable[..., Path]
Rows = Callable[..., list[dict[str, Any]]]


def tickets(count: int = 40) -> str:
    names = ["Billing Team", "card_lost"]
    lines = (f'"Message, number {n}",{names[n % 2]},{n}' for n in range(count))
    return "Message,Category,Ticket\n" + "\n".join(lines) + "\n"


def test_a_guess_is_written_and_loads(data_file: File, tmp_path: Path) -> None:
    found = guess(data_file("tickets.csv", tickets()))
    assert (found.input, found.expected) == (("Message",), "Category")
    assert (found.kind, found.metric, found.rows) == ("labels", "accuracy", 40)
    assert found.complete
    assert "Input: the column `Message`." in found.notes
    folder = tmp_path / "my task"
    path = write_task(folder, choices_from(found, instruction="Which: team? # now"))
    task = load_task(path)
    assert task.name == "my task"
    assert task.instruction == "Which: team? # now"
    assert set(task.labels) == {
        Label("Billing Team", "Billing Team"),
        Label("card_lost", "card lost"),
    }
    assert (folder / "tickets.csv").read_text() == tickets()
    assert (len(task.train), len(task.dev)) == (24, 16)


def test_named_columns_are_taken(data_file: File, tmp_path: Path) -> None:
    path = data_file("x.csv", "title,body,team,x\n" + "a,b,c,d\ne,f,g,h\n" * 5)
    found = guess(path, input=["title", "body"], expected="team")
    assert found.input == ("title", "body")
    task = load_task(write_task(tmp_path / "t", choices_from(found)))
    assert task.train[0].input in ({"title": "a", "body": "b"}, {"title": "e", "body": "f"})


def test_a_column_that_is_not_there_is_refused(data_file: File) -> None:
    with pytest.raises(TaskError, match="no column `Mesage`") as caught:
        guess(data_file("tickets.csv", tickets()), input=["Mesage"])
    assert "did you mean `Message`?" in caught.value.hint


def test_what_cannot_be_guessed_is_said(data_file: File) -> None:
    found = guess(data_file("x.csv", "foo,bar\nhello,a\nyou,b\n"))
    assert not found.complete
    assert found.columns == ("foo", "bar")
    assert "no column could be found for `input`" in found.notes[0]


def test_rows_without_an_answer_are_counted(data_file: File) -> None:
    found = guess(data_file("x.csv", tickets() + '"Unanswered",,1\n'))
    assert any("1 of 41 rows have no answer" in note for note in found.notes)


def test_nothing_is_overwritten_unless_forced(data_file: File, tmp_path: Path) -> None:
    choices = choices_from(guess(data_file("tickets.csv", tickets())))
    path = write_task(tmp_path / "t", choices)
    before = path.read_text()
    with pytest.raises(TaskError, match="is there already") as caught:
        write_task(tmp_path / "t", replace(choices, instruction="new"))
    assert "--force" in caught.value.hint
    assert path.read_text() == before
    write_task(tmp_path / "t", replace(choices, instruction="new"), force=True)
    assert load_task(path).instruction == "new"


def test_a_data_file_already_in_the_folder_stays(data_file: File, tmp_path: Path) -> None:
    path = data_file("tickets.csv", tickets())
    write_task(tmp_path, choices_from(guess(path)))
    assert load_task(tmp_path).kind == "labels"


def test_data_can_be_referred_to_where_it_is(data_file: File, tmp_path: Path) -> None:
    choices = replace(choices_from(guess(data_file("tickets.csv", tickets()))), copy=False)
    path = write_task(tmp_path / "t", choices)
    assert not (tmp_path / "t" / "tickets.csv").exists()
    assert load_task(path).kind == "labels"
    with pytest.raises(TaskError, match="is there already"):
        write_task(tmp_path / "t", choices)


def test_the_starter_runs_as_it_is(tmp_path: Path) -> None:
    path = write_starter(tmp_path / "my-task")
    task = load_task(path)
    assert (task.name, task.kind, len(task.labels)) == ("my-task", "labels", 3)
    assert len(task.train) + len(task.dev) == 24
    assert task.held_out is None
    assert {check.level for check in run_checks(task)} <= {"ok", "warn"}
    assert "something to do" in {label.text for label in task.labels}
    with pytest.raises(TaskError, match="is there already"):
        write_starter(tmp_path / "my-task")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(TEXT, TEXT, st.dictionaries(TEXT.filter(str.strip), TEXT, max_size=4))
def test_any_text_survives_task_yaml(instruction: str, column: str, labels: dict[str, str]) -> None:
    choices = Choices(
        data=Path("x.csv"),
        instruction=instruction,
        input=(column, "b"),
        expected=column or None,
        labels=labels,
    )
    value = yaml.safe_load(task_yaml(choices, "x.csv", "folder"))
    assert value["instruction"] == instruction
    assert value["fields"]["input"] == [column, "b"]
    assert value.get("labels", {}) == labels
