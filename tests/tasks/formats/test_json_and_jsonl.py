from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.tasks.formats import read_table

File = Callable[..., Path]
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
ROWS = st.lists(st.dictionaries(st.text(max_size=8), VALUE, max_size=4), min_size=1, max_size=6)


def cells(path: Path) -> list[dict[str, Any]]:
    return [dict(row.cells) for row in read_table(path).rows]


@settings(max_examples=100, deadline=None)
@given(ROWS, st.sampled_from(["lines", "list", "indented", "data"]))
def test_what_json_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], shape: str
) -> None:
    path = tmp_path_factory.getbasetemp() / ("x.jsonl" if shape == "lines" else "x.json")
    match shape:
        case "lines":
            text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        case "list":
            text = json.dumps(rows)
        case "indented":
            text = json.dumps(rows, indent=2, ensure_ascii=False)
        case _:
            text = json.dumps({"data": rows})
    path.write_text(text, encoding="utf-8", newline="")
    assert cells(path) == rows


def test_json_rows_know_the_line_they_begin_at(data_file: File) -> None:
    path = data_file("x.json", '[\n  {"input": "a"},\n\n  {"input":\n "b"}\n]\n')
    assert [row.where for row in read_table(path).rows] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1} {"a": 2}]', "a comma or `]` is missing"),
        ('[{"a": 1}', "a comma or `]` is missing"),
        ('[\n{"a": }]', "x.json:2` is not valid JSON"),
        ("[] []", "something stands after the list"),
        ("[1, 2]", "x.json:1` is not a JSON object"),
        ('{"rows": []}', "is not a list of rows"),
        ('{"a": 1}\n{"a": 2}', "x.json:2` is not valid JSON: Extra data"),
        ("[" * 100_000, "this row cannot be read"),
    ],
)
def test_broken_json_is_named(data_file: File, text: str, message: str) -> None:
    with pytest.raises(TaskError) as caught:
        read_table(data_file("x.json", text))
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('{"a": 1}\n{"a": \n', "x.jsonl:2` is not valid JSON", "one JSON object"),
        ('{"a": 1}\n\n[1]\n', "x.jsonl:3` holds a list, not a JSON object", "one JSON object"),
        ('[{"a": 1},\n', "x.jsonl:1` is not valid JSON", "name the file `.json`"),
        ('{"a": "\\ud800"}\n', "x.jsonl:1`: a text holds half of a character", ""),
        ('{"a": ' + "9" * 5000 + "}\n", "x.jsonl:1` holds JSON that cannot be read", ""),
        ("[" * 100_000, "x.jsonl:1` holds JSON that cannot be read", ""),
    ],
)
def test_a_broken_line_is_named(data_file: File, text: str, message: str, hint: str) -> None:
    with pytest.raises(TaskError) as caught:
        read_table(data_file("x.jsonl", text))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_json_lines_with_windows_ends_and_a_byte_order_mark(data_file: File) -> None:
    path = data_file("x.jsonl", b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}\r\n')
    assert cells(path) == [{"a": 1}, {"a": 2}]


def test_nan_is_read_as_missing(data_file: File) -> None:
    assert cells(data_file("x.jsonl", '{"a": NaN}')) == [{"a": None}]
