"""What holds for every format: encodings, sizes, missing files."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from accordeur.core.errors import MissingDependency, TaskError
from accordeur.tasks.formats import read_table
from accordeur.tasks.formats.table import ROW_LIMIT

File = Callable[..., Path]
HEADS = {"x.jsonl": b'{"input": "a"}\n', "x.csv": b"text,label\na,b\n", "x.json": b'[{"input": "'}


@pytest.mark.parametrize("name", HEADS)
def test_what_is_not_utf8_is_refused_with_its_position_and_the_command(
    data_file: File, name: str
) -> None:
    path = data_file(name, HEADS[name] + "café".encode("latin-1") + b"\n")
    with pytest.raises(TaskError) as caught:
        read_table(path)
    position = len(HEADS[name]) + 3
    line = HEADS[name].count(b"\n") + 1
    assert f"is not UTF-8: byte 0xE9 at position {position} (line {line})" in caught.value.message
    assert caught.value.hint.startswith("iconv -f WINDOWS-1252 -t UTF-8 ")


def test_utf16_is_recognised(data_file: File) -> None:
    with pytest.raises(TaskError, match="UTF-16") as caught:
        read_table(data_file("x.csv", "text,label\na,b\n".encode("utf-16")))
    assert "iconv -f UTF-16" in caught.value.hint


@pytest.mark.parametrize("name", [*HEADS, "x.tsv"])
def test_an_empty_file_is_refused(data_file: File, name: str) -> None:
    with pytest.raises(TaskError, match=r"is empty\."):
        read_table(data_file(name, b""))


def test_a_missing_file_offers_the_nearest_names(data_file: File, tmp_path: Path) -> None:
    data_file("train.jsonl", '{"a": 1}')
    with pytest.raises(TaskError, match="There is no file") as caught:
        read_table(tmp_path / "trian.jsonl")
    assert "did you mean `train.jsonl`?" in caught.value.hint


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(TaskError) as caught:
        read_table(tmp_path / "nowhere" / "x.csv")
    assert "there is no folder" in caught.value.hint


def test_a_folder_is_no_data_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(TaskError, match="is not a file"):
        read_table(tmp_path / "x.csv")


def test_an_unknown_ending_lists_the_known_ones(data_file: File) -> None:
    with pytest.raises(TaskError, match=r"ends in `\.xlsx`") as caught:
        read_table(data_file("x.xlsx", b"x"))
    assert ".parquet" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("x.jsonl", '{"input": "', '"}\n'),
        ("x.json", '[{"input": "', '"}]'),
        ("x.json", '{"data": [{"input": "', '"}]}'),
        ("x.csv", 'text,label\n"', '",a\n'),
        ("x.tsv", 'text\tlabel\n"', '"\ta\n'),
    ],
)
def test_a_row_over_ten_megabytes_is_refused(
    data_file: File, name: str, before: str, after: str
) -> None:
    path = data_file(name, before + "word " * (ROW_LIMIT // 5 + 1) + after)
    with pytest.raises(TaskError, match="larger than 10 MB"):
        read_table(path)


def test_a_row_of_a_hundred_megabytes_is_refused_without_reading_it_all(data_file: File) -> None:
    path = data_file("x.jsonl", b"")
    with path.open("wb") as file:
        file.write(b'{"input": "')
        for _ in range(100):
            file.write(b"a" * 2**20)
        file.write(b'"}\n')
    code = (
        "import sys, pathlib\n"
        "from accordeur.core.errors import TaskError\n"
        "from accordeur.tasks.formats import read_table\n"
        "try:\n"
        "    read_table(pathlib.Path(sys.argv[1]))\n"
        "except TaskError as error:\n"
        "    print(error.message)\n"
    )

    def limit_memory() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (80 * 2**20, 80 * 2**20))

    result = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        preexec_fn=limit_memory,
        check=False,
    )
    assert "x.jsonl:1`: this row is larger than 10 MB" in result.stdout, result.stderr


def test_an_unclosed_quote_at_the_top_of_a_large_file_stops_at_the_limit(data_file: File) -> None:
    path = data_file("x.csv", 'text,label\n"open,a\n' + "some text,b\n" * 1_000_000)
    with pytest.raises(TaskError, match=r"x\.csv:2`: this row is larger") as caught:
        read_table(path)
    assert "quote" in caught.value.hint


def test_parquet_is_read_back(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"input": "héllo", "expected": ["a", "b"]}, {"input": "you", "expected": []}]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "x.parquet")
    table = read_table(tmp_path / "x.parquet")
    assert [dict(row.cells) for row in table.rows] == rows
    assert table.rows[1].where == f"{tmp_path / 'x.parquet'} row 2"


def test_what_is_no_parquet_is_refused(data_file: File) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(TaskError, match="is not a Parquet file"):
        read_table(data_file("x.parquet", b"text,label\n"))


def test_parquet_without_pyarrow_says_what_to_install(
    data_file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependency) as caught:
        read_table(data_file("x.parquet", b"PAR1"))
    assert caught.value.hint == "pip install 'accordeur[data]'"
