from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from accordeur.core.answer import Answer, Status
from accordeur.core.errors import UsageError
from accordeur.core.measurement import RowResult
from accordeur.store import RunFolder, export_rows
from accordeur.store.export import COLUMNS

Rows = Callable[..., RowResult]

ATTACKS = ['=HYPERLINK("http://x","y")', "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1"]


@pytest.fixture
def filled(run: RunFolder, row: Rows) -> RunFolder:
    with run.lock():
        run.append_answers("dev", "as-is", [2, 0], [row(2), row(0)])
        run.append_answers("test", "as-is", [0], [row(7, 'comma, "quote"\nnew line <b>')])
        missing = RowResult("row-9", "g", Answer("", Status.ERROR, error="timeout"), None)
        run.append_answers("dev", "as-is", [9], [missing])
    return run


def test_every_format_holds_the_same_rows(filled: RunFolder, tmp_path: Path) -> None:
    paths = [tmp_path / "out" / name for name in ("r.jsonl", "r.json", "r.CSV")]
    assert [export_rows(filled, path) for path in paths] == [4, 4, 4]
    lines = [json.loads(line) for line in paths[0].read_text("utf-8").splitlines()]
    assert json.loads(paths[1].read_text("utf-8")) == lines
    with paths[2].open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert [
        {name: "" if value is None else str(value) for name, value in line.items()}
        for line in lines
    ] == cells
    assert tuple(lines[0]) == COLUMNS
    assert [(line["split"], line["row"]) for line in lines] == [
        ("dev", "row-0"),
        ("dev", "row-2"),
        ("dev", "row-9"),
        ("test", "row-7"),
    ]
    assert lines[1] == {
        "run": filled.name,
        "split": "dev",
        "configuration": "as-is",
        "row": "row-2",
        "group": "group-1",
        "score": 1.0,
        "status": "ok",
        "label": "label-2",
        "text": "réponse 2 日本",
        "tokens": 13,
        "seconds": 0.1 + 2 / 3,
    }
    assert lines[2]["score"] is None
    assert lines[2]["status"] == "error"


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_cell_is_a_formula_in_csv(run: RunFolder, tmp_path: Path, attack: str) -> None:
    result = RowResult(attack, attack, Answer(attack, label=attack, seconds=0.5), -0.25)
    with run.lock():
        run.append_answers("dev", attack, [0], [result])
    export_rows(run, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        (cells,) = list(csv.DictReader(file))
    for name in ("configuration", "row", "group", "label", "text"):
        assert cells[name] == f"'{attack}"
    assert cells["score"] == "-0.25", "numbers stay numbers"
    export_rows(run, tmp_path / "r.jsonl")
    assert json.loads((tmp_path / "r.jsonl").read_text("utf-8"))["text"] == attack


def test_a_run_without_answers_gives_valid_empty_files(run: RunFolder, tmp_path: Path) -> None:
    for name in ("r.jsonl", "r.json", "r.csv"):
        assert export_rows(run, tmp_path / name) == 0
    assert (tmp_path / "r.jsonl").read_bytes() == b""
    assert json.loads((tmp_path / "r.json").read_bytes()) == []
    assert (tmp_path / "r.csv").read_text().split(",")[0] == "run"


def test_an_unknown_ending_is_refused_with_the_known_ones(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.xlsx") as caught:
        export_rows(run, tmp_path / "r.xlsx")
    assert ".jsonl, .json, .csv" in caught.value.hint
