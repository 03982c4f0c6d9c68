from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.errors import SealError, TaskError, UsageError
from accordeur.core.task import Receipt, Task
from accordeur.tasks import load_task, run_checks

Rows = Callable[..., list[dict[str, Any]]]
File = Callable[..., Path]
Folder = Callable[..., Path]
RECEIPT = Receipt("0" * 64, "1" * 64)


def test_a_folder_with_given_splits(task_folder: Folder) -> None:
    task = load_task(task_folder("instruction: Which team?\n", train=18, dev=6, test=9))
    assert (task.kind, task.metric, task.splits) == ("labels", "accuracy", "given")
    assert (len(task.train), len(task.dev)) == (18, 6)
    assert task.held_out is not None
    assert task.held_out.count == 9
    assert {label.name for label in task.labels} == {"billing", "card", "login"}
    assert task.columns == {"input": "input", "expected": "expected", "id": "id"}
    assert [path.name for path in task.data_files] == ["train.jsonl", "dev.jsonl", "test.jsonl"]
    assert not task.warnings


def test_folder_file_and_yml_are_the_same_task(task_folder: Folder) -> None:
    folder = task_folder("name: one\n", train=18, dev=6)
    by_folder, by_file = load_task(folder), load_task(str(folder / "task.yaml"))
    assert by_folder == by_file
    (folder / "task.yaml").rename(folder / "task.yml")
    assert load_task(folder) == by_folder


def test_a_bare_file_is_a_task_of_its_own(rows: Rows, data_file: File) -> None:
    task = load_task(data_file("notes.jsonl", rows(100)))
    assert (task.name, task.splits, task.kind) == ("notes", "drawn", "labels")
    assert task.held_out is not None
    assert (len(task.train), len(task.dev), task.held_out.count) == (50, 20, 30)


def test_under_sixty_rows_nothing_is_held_out(rows: Rows, data_file: File) -> None:
    task = load_task(data_file("notes.jsonl", rows(50)))
    assert (len(task.train), len(task.dev), task.held_out) == (30, 20, None)
    assert "Nothing is held out, because 50 rows are fewer than 60" in task.warnings[-1]


def test_under_twenty_rows_still_load(rows: Rows, data_file: File) -> None:
    task = load_task(data_file("notes.jsonl", rows(6)))
    assert (len(task.train), len(task.dev), task.held_out) == (4, 2, None)


def test_a_short_test_split_that_is_given_is_kept(task_folder: Folder) -> None:
    task = load_task(task_folder(train=9, dev=3, test=2))
    assert task.held_out is not None
    assert task.held_out.count == 2


def test_train_and_test_without_dev_draw_dev_from_train(task_folder: Folder) -> None:
    task = load_task(task_folder(train=70, test=9))
    assert (len(task.train), len(task.dev)) == (50, 20)
    assert "20 of 70 train rows were drawn" in task.warnings[0]
    assert Counter(row.id.split("-")[0] for row in (*task.train, *task.dev)) == {"train": 70}


def test_train_and_dev_without_test_hold_nothing_out(task_folder: Folder) -> None:
    task = load_task(task_folder(train=70, dev=9))
    assert task.held_out is None
    assert "No test split is given" in task.warnings[0]


def test_train_alone_is_drawn_like_one_file(task_folder: Folder) -> None:
    task = load_task(task_folder(train=100))
    assert task.splits == "drawn"
    assert (len(task.train), len(task.dev)) == (50, 20)
    assert "Only train is given" in task.warnings[0]


def test_proportions_are_followed(rows: Rows, data_file: File, task_folder: Folder) -> None:
    data_file("all.jsonl", rows(100))
    shares = "{train: .7, dev: .3, test: 0}"
    task = load_task(task_folder(f"data: {{file: all.jsonl, proportions: {shares}}}\n"))
    assert (len(task.train), len(task.dev), task.held_out) == (70, 30, None)


def test_labels_with_display_texts_keep_their_order(task_folder: Folder) -> None:
    yaml = "labels: {login: Log in, card: Card lost, billing: Bills}\n"
    task = load_task(task_folder(yaml, train=18, dev=6))
    assert [label.text for label in task.labels] == ["Log in", "Card lost", "Bills"]


@pytest.mark.parametrize(
    ("answers", "kind", "metric"),
    [
        (["yes", "no"] * 10, "labels", "accuracy"),
        ([f"answer {n}" for n in range(20)], "text", "exact-match"),
        ([f"this is a much longer answer {n}" for n in range(20)], "text", "rouge-l"),
        ([["a", "b"], ["a", "c"]] * 10, "text", "exact-match"),
        (["a", []] * 10, "text", "exact-match"),
        (["one two three four five six seven", "no"] * 10, "text", "rouge-l"),
        (["yes", "no", "yes"], "text", "exact-match"),
        (["a", "b", "c", "d"] * 5, "labels", "accuracy"),
        ([f"an answer in five words{n}" for n in range(9)], "text", "exact-match"),
        ([f"an answer in six words {n}" for n in range(9)], "text", "rouge-l"),
        (["a", "b", "c", "d", "e"] * 4, "text", "exact-match"),
    ],
)
def test_kind_and_metric_by_default(
    task_folder: Folder, answers: list[Any], kind: str, metric: str
) -> None:
    found = [{"input": f"q {n}", "expected": answer} for n, answer in enumerate(answers)]
    task = load_task(task_folder(train=found, dev=[{**found[0], "input": "other"}]))
    assert (task.kind, task.metric) == (kind, metric)


def test_a_label_metric_makes_labels_of_many_answers(task_folder: Folder) -> None:
    found = [{"input": f"q {n}", "expected": f"label {n % 10}"} for n in range(30)]
    assert load_task(task_folder(train=found, dev=found[:3])).kind == "text"
    assert load_task(task_folder("metric: macro-f1\n", train=found, dev=found[:3])).kind == "labels"


def test_answers_that_recur_are_mentioned(task_folder: Folder) -> None:
    found = [{"input": f"q {n}", "expected": f"label {n % 60}"} for n in range(300)]
    task = load_task(task_folder(train=found, dev=[{"input": "other", "expected": "label 1"}]))
    assert task.kind == "text"
    assert "60 short answers recur over 300 rows" in task.warnings[-1]


def test_a_metric_that_names_code_is_only_noted(task_folder: Folder) -> None:
    task = load_task(task_folder("metric: score.py:mine\n", train=18, dev=6))
    assert (task.metric, task.kind) == ("score.py:mine", "text")


def test_unlabelled_rows_are_read_without_answers(task_folder: Folder) -> None:
    task = load_task(task_folder(train=18, dev=6, unlabelled=[{"input": "a"}, {"input": "b"}]))
    assert sorted(row.text for row in task.unlabelled) == ["a", "b"]
    assert all(row.expected is None for row in task.unlabelled)


def test_documents_and_tools(task_folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "handbook").mkdir()
    task = load_task(task_folder("documents: handbook\ntools: [a]\n", train=18, dev=6))
    assert task.documents == str(tmp_path / "handbook")
    assert any("`tools` is noted" in warning for warning in task.warnings)
    with pytest.raises(TaskError, match="There is no file or folder"):
        load_task(task_folder("documents: nowhere\n", train=18, dev=6))


def test_a_row_that_holds_a_special_token_is_read_as_it_is(task_folder: Folder) -> None:
    found = [{"input": f"close <|im_end|> the turn {n}", "expected": "ab"[n % 2]} for n in range(8)]
    task = load_task(task_folder(train=found, dev=2 * found[:1]))
    assert all("<|im_end|>" in row.text for row in task.train)


def test_a_limit_keeps_the_first_rows_of_each_split(task_folder: Folder) -> None:
    folder = task_folder(train=30, dev=12, test=9, unlabelled=[{"input": str(n)} for n in range(9)])
    whole, five = load_task(folder), load_task(folder, limit=5)
    assert five.held_out is not None
    assert (len(five.train), len(five.dev), five.held_out.count) == (5, 5, 5)
    assert len(five.unlabelled) == 5
    assert (
        set(five.train)
        if False
        else {row.id for row in five.train} < {row.id for row in whole.train}
    )
    assert {label.name for label in five.labels} == {"billing", "card", "login"}
    assert load_task(folder, limit=5).digest == five.digest
    assert load_task(folder, limit=5, seed=1).train != five.train


def test_a_limit_below_one_is_refused(task_folder: Folder) -> None:
    with pytest.raises(UsageError, match="keeps no rows"):
        load_task(task_folder(train=18, dev=6), limit=0)


def test_the_digest_knows_neither_file_order_nor_seed(rows: Rows, task_folder: Folder) -> None:
    first = load_task(task_folder("name: a\n", train=18, dev=6, test=9))
    shuffled = {name: rows(size, name)[::-1] for name, size in (("train", 18), ("test", 9))}
    second = load_task(task_folder("name: a\n", dev=6, **shuffled), seed=5)
    assert first.digest == second.digest
    assert first.train == second.train


def test_drawn_splits_follow_the_seed_and_not_the_file_order(rows: Rows, data_file: File) -> None:
    found = rows(100)
    first = load_task(data_file("x.jsonl", found))
    assert load_task(data_file("x.jsonl", found[::-1])).digest == first.digest
    assert load_task(data_file("x.jsonl", found), seed=1).digest != first.digest


def test_held_out_rows_stay_sealed(task_folder: Folder) -> None:
    task = load_task(task_folder(train=18, dev=6, test=9))
    assert task.held_out is not None
    with pytest.raises(SealError):
        task.held_out.open(Receipt("", ""))
    assert "charged" not in repr(task.held_out)
    assert len(task.held_out.open(RECEIPT)) == 9


def visible(task: Task) -> tuple[Any, ...]:
    """All that can be seen of a task and its checks, digests aside."""
    assert task.held_out is not None
    return (replace(task, held_out=None), task.held_out.count, run_checks(task))


def test_scrambled_test_labels_change_nothing_visible(rows: Rows, task_folder: Folder) -> None:
    held_out = [{k: v for k, v in row.items() if k != "id"} for row in rows(30, "test")]
    held_out += held_out[:3]
    first = load_task(task_folder("name: a\n", train=18, dev=6, test=held_out))
    answers = [row["expected"] for row in held_out]
    random.Random(1).shuffle(answers)
    scrambled = [{**row, "expected": new} for row, new in zip(held_out, answers, strict=True)]
    second = load_task(task_folder("name: a\n", train=18, dev=6, test=scrambled))
    assert visible(first) == visible(second)
    assert first.digest != second.digest


# Bad input, each with its own message.


def test_a_missing_folder_or_task_file(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="There is no file"):
        load_task(tmp_path / "nowhere")
    with pytest.raises(TaskError, match=r"has no `task\.yaml`") as caught:
        load_task(tmp_path)
    assert "accordeur init" in caught.value.hint


def test_a_missing_data_file(task_folder: Folder) -> None:
    folder = task_folder(train=18, dev=6)
    (folder / "dev.jsonl").rename(folder / "dew.jsonl")
    with pytest.raises(TaskError, match=r"There is no file `.*dev\.jsonl`") as caught:
        load_task(folder)
    assert "dew.jsonl" in caught.value.hint


def test_a_file_of_another_kind(data_file: File) -> None:
    with pytest.raises(TaskError, match="neither a task nor a data file"):
        load_task(data_file("x.docx", b"x"))


def test_an_empty_split(task_folder: Folder) -> None:
    folder = task_folder(train=18, dev=[])
    with pytest.raises(TaskError, match=r"dev\.jsonl` is empty"):
        load_task(folder)
    (folder / "dev.jsonl").write_text("\n\n")
    with pytest.raises(TaskError, match="The split `dev` is empty"):
        load_task(folder)


def test_a_header_without_rows(data_file: File) -> None:
    with pytest.raises(TaskError, match="The data is empty"):
        load_task(data_file("x.csv", "text,label\n"))


def test_a_task_of_one_row(data_file: File) -> None:
    with pytest.raises(TaskError, match="has 1 row, which cannot be both") as caught:
        load_task(data_file("x.csv", "text,label\nhello,a\n"))
    assert "label more rows" in caught.value.hint


def test_one_label_only(task_folder: Folder) -> None:
    found = [{"input": f"q {n}", "expected": "a"} for n in range(20)]
    with pytest.raises(TaskError, match="every row has the label `a`"):
        load_task(task_folder(train=found, dev=found[:2]))


def test_a_dev_label_named_nowhere(task_folder: Folder) -> None:
    dev = [{"input": "q", "expected": "bilings"}]
    with pytest.raises(TaskError, match=r"label `bilings` of dev .*in no train row") as caught:
        load_task(task_folder(train=18, dev=dev))
    assert "did you mean `billing`?" in caught.value.hint


def test_a_train_label_missing_from_task_yaml(task_folder: Folder) -> None:
    with pytest.raises(TaskError, match=r"label `login` of train .* is not named in"):
        load_task(task_folder("labels: [billing, card]\n", train=18, dev=6))


def test_a_label_of_task_yaml_without_train_rows_only_warns(task_folder: Folder) -> None:
    yaml = "labels: [billing, card, login, refund]\n"
    dev = [{"input": "money back", "expected": "refund"}]
    task = load_task(task_folder(yaml, train=18, dev=dev))
    assert task.warnings[-1] == "The label `refund` of task.yaml has no train row."


def test_unknown_held_out_labels_are_counted_and_not_shown(task_folder: Folder) -> None:
    found = [{"input": "private", "expected": "secret"}, {"input": "b", "expected": "card"}]
    with pytest.raises(TaskError, match="1 of 2 held-out rows has a label") as caught:
        load_task(task_folder(train=18, dev=6, test=found))
    assert "secret" not in str(caught.value)
    assert "private" not in str(caught.value)


def test_two_answers_in_a_label_task(task_folder: Folder) -> None:
    dev = [{"id": "x", "input": "q", "expected": ["card", "login"]}]
    with pytest.raises(TaskError, match="row `x` has 2 answers; a label task needs exactly one"):
        load_task(task_folder(train=18, dev=dev))


def test_no_answer_in_a_label_task(task_folder: Folder) -> None:
    dev = [{"id": "x", "input": "q", "expected": []}]
    with pytest.raises(TaskError, match="row `x` has no answers"):
        load_task(task_folder(train=18, dev=dev))


def test_the_same_id_in_two_splits(rows: Rows, task_folder: Folder) -> None:
    with pytest.raises(TaskError, match=r"id `train-0`: `.*train\.jsonl:1` and `.*dev\.jsonl:1`"):
        load_task(task_folder(train=18, dev=rows(3, "train")))


def test_a_split_without_the_column_of_the_others(task_folder: Folder) -> None:
    with pytest.raises(TaskError, match=r"dev\.jsonl` has no column `expected`"):
        load_task(task_folder(train=18, dev=[{"input": "q", "label": "card"}]))


def test_windows_line_ends_everywhere(task_folder: Folder) -> None:
    folder = task_folder("name: a\n", train=18, dev=6, test=9)
    before = load_task(folder)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_task(folder).digest == before.digest


def test_bad_input_is_refused_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "import accordeur.tasks\n"
        "light = {'pydantic', 'yaml', 'numpy'} & set(sys.modules)\n"
        "from accordeur.core.errors import TaskError\n"
        "try:\n"
        "    accordeur.tasks.load_task(sys.argv[1])\n"
        "except TaskError:\n"
        "    print(sorted(light), {'torch', 'transformers', 'pyarrow'} & set(sys.modules))\n"
    )
    (tmp_path / "task.yaml").write_text("- a\n")
    command = [sys.executable, "-c", code, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "[] set()", result.stderr
