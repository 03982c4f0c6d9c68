from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.core.task import Example, Turn
from accordeur.tasks import write_rows
from accordeur.tasks.columns import resolve_columns
from accordeur.tasks.config import FieldsConfig
from accordeur.tasks.formats import read_table
from accordeur.tasks.rows import Ids, example_from

File = Callable[..., Path]


def examples(path: Path, labelled: bool = True, **fields: Any) -> list[Example]:
    table = read_table(path)
    columns = resolve_columns(FieldsConfig(**fields), table.columns, str(path))
    ids = Ids()
    return [example_from(row, columns, ids, labelled=labelled) for row in table.rows]


def one(path: Path, **fields: Any) -> Example:
    return examples(path, **fields)[0]


def test_a_row_of_the_protocol_is_read_whole(data_file: File) -> None:
    row = {
        "id": 7,
        "input": "Who?",
        "expected": ["Ada", "Ada Lovelace"],
        "group": "p1",
        "context": "Ada wrote it.",
        "documents": ["a.md"],
        "steps": ["look", "say"],
        "rejected": "Bob",
    }
    assert one(data_file("x.jsonl", [row])) == Example(
        id="7",
        input="Who?",
        expected=("Ada", "Ada Lovelace"),
        group="p1",
        context="Ada wrote it.",
        documents=("a.md",),
        steps=("look", "say"),
        rejected=("Bob",),
    )


def test_an_empty_list_means_unanswerable(data_file: File) -> None:
    assert one(data_file("x.jsonl", [{"input": "a", "expected": []}])).expected == ()


@pytest.mark.parametrize(("value", "text"), [(3, "3"), (2.5, "2.5"), (True, "true"), (" a ", "a")])
def test_an_answer_that_is_no_text_becomes_one(data_file: File, value: Any, text: str) -> None:
    assert one(data_file("x.jsonl", [{"input": "a", "expected": value}])).expected == (text,)


def test_several_columns_become_fields(data_file: File) -> None:
    path = data_file("x.csv", "title,body,label\nHello,World,a\nYou,There,b\n")
    row = one(path, input=["title", "body"], expected="label")
    assert row.input == {"title": "Hello", "body": "World"}
    named = one(path, input={"subject": "title", "mail": "body"}, expected="label")
    assert named.text == "subject: Hello\nmail: World"


def test_a_conversation_becomes_turns(data_file: File) -> None:
    turns = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]
    row = one(data_file("x.jsonl", [{"input": turns, "expected": "a"}]))
    assert row.input == (Turn("system", "Be kind"), Turn("user", "Hi"))


def test_messages_without_an_answer_column_end_with_the_answer(data_file: File) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    row = one(data_file("x.jsonl", [{"messages": turns}]))
    assert row.input == (Turn("user", "Hi"),)
    assert row.expected == ("Hello",)


def test_a_list_that_is_no_conversation_is_refused(data_file: File) -> None:
    with pytest.raises(TaskError, match=r"x\.jsonl:1`: the list in `input` is not a conversation"):
        one(data_file("x.jsonl", [{"input": ["a"], "expected": "b"}]))


@pytest.mark.parametrize("header", ["text,label", "Question,Answer", "message,category"])
def test_common_names_are_guessed_and_marked(data_file: File, header: str) -> None:
    path = data_file("x.csv", f"{header}\nhello,a\nyou,b\n")
    assert one(path).input == "hello"
    columns = resolve_columns(FieldsConfig(), read_table(path).columns, "x")
    first, second = header.split(",")
    assert columns.describe() == {
        "input": f"{first} (guessed)",
        "expected": f"{second} (guessed)",
    }


@pytest.mark.parametrize(
    ("header", "message", "hint"),
    [
        ("text,question,label", "several columns could be `input`: `text`, `question`", "input:"),
        ("text,label,answer", "several columns could be `expected`: `label`", "expected: label"),
        ("foo,label", "no column could be found for `input`. Its columns are `foo`", "input: foo"),
        ("text,foo", "no column could be found for `expected`", "fields: {expected:"),
    ],
)
def test_what_cannot_be_guessed_names_the_columns(
    data_file: File, header: str, message: str, hint: str
) -> None:
    values = ",".join("abc"[: header.count(",") + 1])
    with pytest.raises(TaskError) as caught:
        examples(data_file("x.csv", f"{header}\n{values}\n"))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_named_column_that_is_not_there_offers_the_nearest(data_file: File) -> None:
    path = data_file("x.csv", "text,label\nhello,a\n")
    with pytest.raises(TaskError, match="has no column `lable`") as caught:
        examples(path, input="text", expected="lable")
    assert "did you mean `label`?" in caught.value.hint


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_answer_names_the_line(data_file: File, value: Any) -> None:
    rows = [{"input": "secret", "expected": "a"}, {"input": "secret", "expected": value}]
    with pytest.raises(TaskError, match=r"x\.jsonl:2` has no expected answer") as caught:
        examples(data_file("x.jsonl", rows))
    assert "secret" not in str(caught.value)


def test_a_missing_input_names_the_line(data_file: File) -> None:
    rows = [{"input": "a", "expected": "a"}, {"expected": "b"}]
    with pytest.raises(TaskError, match=r"x\.jsonl:2` has no input"):
        examples(data_file("x.jsonl", rows))


def test_two_rows_of_one_id_are_refused(data_file: File) -> None:
    rows = [{"id": 1, "input": "a", "expected": "a"}, {"id": 1, "input": "b", "expected": "b"}]
    path = data_file("x.jsonl", rows)
    with pytest.raises(TaskError, match=r"Two rows have the id `1`: `.*:1` and `.*:2`"):
        examples(path)
    assert len({row.id for row in examples(path, id=None)}) == 2


def test_made_ids_depend_on_the_question_alone(data_file: File) -> None:
    first = examples(data_file("x.csv", "text,label\nq1,a\nq2,b\nq1,b\n"))
    second = examples(data_file("y.csv", "text,label\nq1,b\nq2,b\nq1,a\n"))
    assert [row.id for row in first] == [row.id for row in second]
    assert first[2].id == f"{first[0].id}-2"
    assert first[0].group == first[0].id


def test_unlabelled_rows_lose_an_answer_that_is_there(data_file: File) -> None:
    path = data_file("x.csv", "text,label\nhello,a\nyou,b\n")
    assert [row.expected for row in examples(path, labelled=False)] == [None, None]


def test_a_value_that_is_no_text_is_refused(data_file: File) -> None:
    rows = [{"input": "a", "expected": {"name": "b"}}]
    with pytest.raises(TaskError, match="the column `expected` holds an object"):
        examples(data_file("x.jsonl", rows))


WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(
    lambda text: text.strip() or "x"
)
CONTENT = (
    WORD
    | st.lists(
        st.builds(Turn, st.sampled_from(["system", "user", "assistant"]), WORD),
        min_size=1,
        max_size=3,
    ).map(tuple)
    | st.dictionaries(WORD, WORD, min_size=1, max_size=3)
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(CONTENT, st.lists(WORD, max_size=2, unique=True), st.none() | WORD, WORD),
        min_size=1,
        max_size=5,
    )
)
def test_written_rows_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[Any, list[str], str, str]]
) -> None:
    rows = [
        Example(
            id=f"r{number}",
            input=content,
            expected=tuple(expected),
            group=group,
            context=context,
            steps=tuple(expected),
        )
        for number, (content, expected, context, group) in enumerate(parts)
    ]
    path = tmp_path_factory.getbasetemp() / "rows.jsonl"
    assert write_rows(path, rows) == len(rows)
    assert examples(path) == rows


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old")
    blocked = tmp_path / "rows.jsonl" / "rows.jsonl"
    with pytest.raises(TaskError, match="cannot be written"):
        write_rows(blocked, [Example("a", "b", None, "a")])
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["rows.jsonl"]


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    # A file-size limit stops the write half-way, as a full disk does.
    import resource
    import subprocess
    import sys

    path = tmp_path / "rows.jsonl"
    path.write_text("old")
    code = (
        "import pathlib, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from accordeur.core.task import Example\n"
        "from accordeur.tasks import write_rows\n"
        "write_rows(pathlib.Path(sys.argv[1]), [Example('a', 'b' * 10**6, None, 'a')])\n"
    )
    result = subprocess.run(
        [sys.executable, "-B", "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
    )
    assert "TaskError" in result.stderr
    assert "cannot be written: File too large" in result.stderr
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["rows.jsonl"]


def test_messages_beside_a_label_column_keep_all_their_turns(data_file: File) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    row = one(data_file("x.jsonl", [{"messages": turns, "label": "greeting"}]))
    assert row.expected == ("greeting",)
    assert len(row.input) == 2
