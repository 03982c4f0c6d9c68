"""Gold places of rows, from files and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.errors import TaskError
from accordeur.core.rendering import Request
from accordeur.core.span import Span
from accordeur.core.task import Example
from accordeur.tasks import load_task, write_rows

File = Callable[..., Path]
PLACE = {"document": "a.md", "start": 3, "end": 9, "quote": "ten da"}


def rows(place: Path) -> tuple[Example, ...]:
    task = load_task(place)
    return (*task.train, *task.dev)


def read(data_file: File, spans: Any) -> Example:
    """Of two rows the one with spans: a file of one row cannot be split."""
    first = {"id": "a", "input": "q", "expected": "ten", "spans": spans}
    other = {"id": "b", "input": "r", "expected": "two"}
    return next(one for one in rows(data_file("x.jsonl", [first, other])) if one.id == "a")


def test_places_are_read_with_their_quotes_in_their_order(data_file: File) -> None:
    row = read(data_file, [PLACE, {"document": "b.md", "start": 0, "end": 1}])
    assert row.spans == (Span("a.md", 3, 9), Span("b.md", 0, 1))
    assert row.quotes == ("ten da", "")


def test_without_quotes_there_are_none(data_file: File) -> None:
    row = read(data_file, [{"document": "b.md", "start": 0, "end": 1}])
    assert (len(row.spans), row.quotes) == (1, ())


def test_a_place_told_twice_counts_once(data_file: File) -> None:
    assert len(read(data_file, [PLACE, PLACE]).spans) == 1


def test_a_single_place_and_an_empty_list_are_lists_too(data_file: File) -> None:
    assert read(data_file, PLACE).spans == (Span("a.md", 3, 9),)
    assert read(data_file, []).spans == ()


def test_csv_holds_the_list_as_json(tmp_path: Path) -> None:
    cell = json.dumps([PLACE]).replace('"', '""')
    text = f'id,input,expected,spans\na,q,ten,"{cell}"\nb,r,two,\n'
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert {one.id: len(one.spans) for one in rows(tmp_path / "x.csv")} == {"a": 1, "b": 0}


def test_what_is_written_is_read_back(tmp_path: Path, data_file: File) -> None:
    row = read(data_file, [PLACE, {"document": "b.md", "start": 0, "end": 1}])
    plain = Example("z", "another", ("a",), "z")
    write_rows(tmp_path / "again.jsonl", [row, plain])
    assert {one.id: one for one in rows(tmp_path / "again.jsonl")} == {"a": row, "z": plain}


def test_a_row_without_places_is_hashed_as_before() -> None:
    assert set(Example("a", "q", ("x",), "a").to_json()) == {"id", "input", "group", "expected"}


def test_no_request_holds_a_place(data_file: File) -> None:
    row = read(data_file, [PLACE])
    assert "a.md" not in repr(Request.from_example(row, training=True))


@pytest.mark.parametrize(
    ("spans", "reason"),
    [
        ("not json", "no JSON list"),
        (7, "no list of places"),
        (["a.md"], "it is no object"),
        ([{"document": "a.md", "start": 0}], "it lacks `end`"),
        ([{**PLACE, "page": 2}], "it has no `page`"),
        ([{**PLACE, "start": 9}], "9 to 9"),
        ([{**PLACE, "start": -1}], "-1 to 9"),
        ([{**PLACE, "start": True}], "whole numbers"),
        ([{**PLACE, "end": 9.5}], "whole numbers"),
        ([{**PLACE, "document": ""}], "are texts"),
        ([{**PLACE, "quote": 3}], "are texts"),
    ],
)
def test_what_is_no_place_is_told_with_its_line(data_file: File, spans: Any, reason: str) -> None:
    with pytest.raises(TaskError) as told:
        read(data_file, spans)
    assert reason in told.value.message
    assert "x.jsonl" in told.value.message
    assert '"document": "guide.md"' in (told.value.hint or "")
