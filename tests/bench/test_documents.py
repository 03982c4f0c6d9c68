"""The documents of a run: indexed once, held against the rows."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from accordeur.bench.documents import PRICE, TaskDocuments
from accordeur.bench.run import run
from accordeur.core.errors import TaskError
from accordeur.core.span import Span
from accordeur.core.task import Example, SealedSplit, Task
from accordeur.tasks import load_task
from accordeur.testing import ScriptedEmbedder, ScriptedSource, toy


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return load_task(toy.write_document_task(tmp_path / "notes"))


def documents(task: Task, tmp_path: Path, *rows: Example) -> TaskDocuments:
    assert task.documents is not None
    return TaskDocuments(
        Path(task.documents),
        ScriptedEmbedder(),
        rows or task.train,
        task.held_out,
        indexes=tmp_path / "indexes",
    )


def test_equal_documents_give_equal_passages_wherever_they_were_indexed(
    task: Task, tmp_path: Path
) -> None:
    first = documents(task, tmp_path / "1").indexed()
    second = documents(task, tmp_path / "2").indexed()
    assert first.collection.files == second.collection.files
    assert first.fingerprint == second.fingerprint
    text = b"".join(first.collection.files.values())
    assert str(tmp_path).encode() not in text


def test_the_price_is_that_of_making_it_not_of_finding_it_made(task: Task, tmp_path: Path) -> None:
    first = documents(task, tmp_path).indexed()
    (place,) = (tmp_path / "indexes").glob(f"*/{PRICE}")
    assert json.loads(place.read_text())["seconds"] == first.seconds
    place.write_text(json.dumps({"fingerprint": first.fingerprint, "seconds": 1234.5}))
    assert documents(task, tmp_path).indexed().seconds == 1234.5
    assert task.documents is not None
    (Path(task.documents) / "new.md").write_text("Something else altogether.\n")
    assert documents(task, tmp_path).indexed().seconds < 1234.5


def test_changed_documents_make_another_task(task: Task) -> None:
    assert task.documents is not None
    note = next(Path(task.documents).glob("*.md"))
    note.write_text(note.read_text() + "More.\n")
    assert load_task(task.folder).digest != task.digest


@pytest.mark.parametrize(
    ("span", "quote", "reason"),
    [
        (Span("none.md", 0, 4), "", "no document `none.md`"),
        (Span("mrs-abel.md", 0, 5000), "", "its place ends at 5000"),
        (Span("mrs-abel.md", 0, 8), "Mr Brandt", "its quote does not stand"),
        (Span("mrs-abel.md", 0, 4), "called about", "It stands at 9 to 21"),
    ],
)
def test_a_place_that_is_not_there_is_told_by_row(
    task: Task, tmp_path: Path, span: Span, quote: str, reason: str
) -> None:
    row = Example("row-7", "a secret question", ("x",), "row-7", spans=(span,), quotes=(quote,))
    with pytest.raises(TaskError) as told:
        documents(task, tmp_path, row).indexed()
    assert "`row-7`" in told.value.message
    assert reason in told.value.message
    assert "secret" not in str(told.value)
    held = replace(task, held_out=SealedSplit((row,)))
    with pytest.raises(TaskError, match="row-7"):
        documents(held, tmp_path, task.train[0]).indexed()


def test_white_space_in_a_quote_does_not_matter(task: Task, tmp_path: Path) -> None:
    row = Example(
        "a", "q", ("x",), "a", spans=(Span("mrs-abel.md", 0, 15),), quotes=("Mrs  Abel\ncalled",)
    )
    assert documents(task, tmp_path, row).indexed()


def test_a_document_under_two_names_is_one(task: Task, tmp_path: Path) -> None:
    assert task.documents is not None
    folder = Path(task.documents)
    (folder / "zz-copy.md").write_text((folder / "mrs-abel.md").read_text())
    span = Span("zz-copy.md", 0, 8)
    row = Example("a", "q", ("x",), "a", spans=(span,), quotes=("Mrs Abel",))
    indexed = documents(task, tmp_path, row).indexed()
    assert indexed.placed([span]) == (Span("mrs-abel.md", 0, 8),)
    assert "zz-copy.md" not in indexed.collection.documents


def test_documents_without_text_are_told(task: Task, tmp_path: Path) -> None:
    assert task.documents is not None
    for place in Path(task.documents).iterdir():
        place.unlink()
    (Path(task.documents) / "empty.md").write_text("\n")
    plain = replace(task.train[0], spans=(), quotes=())
    with pytest.raises(TaskError, match="holds text"):
        documents(replace(task, held_out=None), tmp_path, plain).indexed()


def test_a_wrong_place_stops_a_run_before_anything_is_pulled(task: Task) -> None:
    note = Path(task.documents or "") / "mr-brandt.md"
    note.write_text("Nothing of that sort.\n")
    with pytest.raises(TaskError, match="mr-brandt"):
        run(task.folder, model="scripted", levers="retrieve", source=ScriptedSource())


def test_what_is_left_out_is_told(task: Task, tmp_path: Path) -> None:
    assert task.documents is not None
    (Path(task.documents) / "photo.jpg").write_bytes(b"\xff\xd8\xff" * 9)
    lines = documents(task, tmp_path).indexed().told
    assert lines[0] == "documents: 26 in 26 passages"
    assert any("`photo.jpg` was left out" in line for line in lines)


def test_two_runs_at_once_read_documents_one_after_the_other(task: Task, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: documents(task, tmp_path).indexed(), range(2)))
    assert both[0].fingerprint == both[1].fingerprint
    assert both[0].seconds == both[1].seconds
