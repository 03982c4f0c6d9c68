from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.tasks.formats import read_table
from accordeur.tasks.formats.csv import sniff_delimiter

File = Callable[..., Path]


def cells(path: Path) -> list[dict[str, str]]:
    return [dict(row.cells) for row in read_table(path).rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(data_file: File, delimiter: str) -> None:
    lines = ["text", "label"], ["One, two; three", "a"], ["Four | five", "b"]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows(lines)
    path = data_file("x.csv", buffer.getvalue())
    assert sniff_delimiter(path) == delimiter
    assert cells(path)[0] == {"text": "One, two; three", "label": "a"}


def test_windows_line_ends_byte_order_mark_and_blank_lines(data_file: File) -> None:
    path = data_file("x.csv", b"\xef\xbb\xbftext,label\r\n\r\nhello,a\r\nyou,b\r\n")
    assert cells(path) == [{"text": "hello", "label": "a"}, {"text": "you", "label": "b"}]


def test_a_row_knows_its_line_behind_a_cell_of_several_lines(data_file: File) -> None:
    path = data_file("x.csv", 'text,label\n"one\ntwo",a\nthree,b\n')
    assert [row.where for row in read_table(path).rows] == [f"{path}:2", f"{path}:4"]


def test_a_file_without_header_gets_numbered_columns_and_a_note(data_file: File) -> None:
    long = "This first row is a message of a customer, so long that it cannot be a column's name."
    table = read_table(data_file("x.csv", f'"{long}",a\n"Another one",b\n'))
    assert table.columns == ("column_1", "column_2")
    assert len(table.rows) == 2
    assert "no header" in table.notes[0]


def test_a_label_that_comes_back_below_shows_that_there_is_no_header(data_file: File) -> None:
    assert len(read_table(data_file("x.csv", "hello,greeting\nhi,greeting\n")).rows) == 2


def test_a_usual_column_name_is_a_header_even_when_it_comes_back_below(data_file: File) -> None:
    assert cells(data_file("x.csv", "text,label\ntext,a\n")) == [{"text": "text", "label": "a"}]


def test_nameless_empty_columns_at_the_right_are_dropped(data_file: File) -> None:
    table = read_table(data_file("x.csv", "text,label,,\nhello,a,,\nyou,b,,\n"))
    assert table.columns == ("text", "label")


def test_too_many_cells_name_file_and_line(data_file: File) -> None:
    path = data_file("x.csv", "text,label\nhello,a\none, two,b\n")
    with pytest.raises(TaskError, match=r"x\.csv:3` has 3 cells, but the file has 2 columns"):
        read_table(path)


def test_an_unclosed_quote_is_named(data_file: File) -> None:
    path = data_file("x.csv", 'text,label\nhello,a\n"never closed,b\nmore,c\n')
    with pytest.raises(TaskError, match=r"x\.csv:3` cannot be read") as caught:
        read_table(path)
    assert "quote" in caught.value.hint


def test_two_columns_of_one_name_are_refused(data_file: File) -> None:
    with pytest.raises(TaskError, match="two columns named `text`"):
        read_table(data_file("x.csv", "text,text\na,b\n"))


def test_a_cell_of_a_megabyte_is_read(data_file: File) -> None:
    text = "word " * 200_000
    assert cells(data_file("x.csv", f"text,label\n{text},a\n"))[0]["text"] == text


def test_many_rows_may_be_larger_than_the_limit_of_one(data_file: File) -> None:
    text = "word " * 200_000
    assert len(cells(data_file("x.csv", "text,label\n" + f"{text},a\n" * 12))) == 12


def test_tsv_without_quoting_may_begin_a_cell_with_a_quote(data_file: File) -> None:
    path = data_file("x.tsv", 'text\tlabel\n"So" he said\ta\nyes\tb\n')
    assert cells(path)[0] == {"text": '"So" he said', "label": "a"}


def test_tsv_with_quoting_keeps_a_tab_inside_a_cell(data_file: File) -> None:
    path = data_file("x.tsv", 'text\tlabel\n"one\ttwo"\ta\n')
    assert cells(path)[0] == {"text": "one\ttwo", "label": "a"}


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8), st.sampled_from([",", "\t"]))
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]], delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / ("x.csv" if delimiter == "," else "x.tsv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(["input", "expected"])
        writer.writerows(pairs)
    expected = [
        {"input": first, "expected": second}
        for first, second in pairs
        if first.strip() or second.strip()
    ]
    assert cells(path) == expected
