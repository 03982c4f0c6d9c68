from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.errors import LeakageError
from accordeur.tasks import Check, load_task, raise_errors, run_checks

Folder = Callable[..., Path]
Rows = Callable[..., list[dict[str, Any]]]


def found(folder: Path) -> dict[str, Check]:
    return {check.name: check for check in run_checks(load_task(folder))}


def row(name: str, text: str, label: str = "card", **more: Any) -> dict[str, Any]:
    return {"id": name, "input": text, "expected": label, **more}


def test_clean_data_is_all_ok(task_folder: Folder) -> None:
    checks = run_checks(load_task(task_folder(train=30, dev=12, test=9)))
    assert {check.level for check in checks} == {"ok"}
    assert len(checks) == 7
    raise_errors(checks)


def test_counts_are_told(task_folder: Folder) -> None:
    check = found(task_folder(train=30, dev=12, test=9, unlabelled=[{"input": "x"}]))["counts"]
    assert check.message == "train 30, dev 12, held-out 9, unlabelled 1 (given)."


def test_under_twenty_rows_say_how_many_more(task_folder: Folder) -> None:
    check = found(task_folder(train=9, dev=3, test=3))["counts"]
    assert check.level == "warn"
    assert "label 5 more" in check.message


def test_what_loading_found_odd_is_in_the_table(task_folder: Folder) -> None:
    assert found(task_folder(train=30, dev=12))["reading"].message.startswith("No test split")


def test_label_balance_names_rare_and_unseen_labels(rows: Rows, task_folder: Folder) -> None:
    train = [*rows(60, "train"), row("x", "odd one", "refund"), row("y", "two", "Refund")]
    check = found(task_folder("metric: accuracy\n", train=train, dev=6))["label balance"]
    assert check.level == "warn"
    assert "Fewer than two train rows: `" in check.message
    assert "No dev row: `" in check.message
    assert "differ only in case" in check.message


def test_uneven_labels_point_to_macro_f1(task_folder: Folder) -> None:
    train = [row(f"t{n}", f"q {n}", "card" if n < 60 else "login") for n in range(62)]
    dev = [row("d1", "a", "card"), row("d2", "b", "login")]
    check = found(task_folder(train=train, dev=dev))["label balance"]
    assert check.level == "warn"
    assert "from 2 (`login`) to 60 (`card`, 97%)" in check.message
    assert "macro-f1" in check.message


def test_empty_inputs_are_listed(rows: Rows, task_folder: Folder) -> None:
    test = [*rows(3, "test"), row("x", "  ")]
    check = found(task_folder(train=[*rows(9, "train"), row("y", "")], dev=6, test=test))[
        "empty inputs"
    ]
    assert (check.level, check.ids) == ("warn", ("y", "x"))
    assert "2 rows empty: train 1, held-out 1" in check.message


def test_repeats_within_a_split_are_listed_once_each(rows: Rows, task_folder: Folder) -> None:
    train = [
        *rows(9, "train"),
        row("a", "Same thing!"),
        row("b", "same thing"),
        row("c", "SAME, thing"),
    ]
    check = found(task_folder(train=train, dev=6))["duplicate inputs"]
    assert check.level == "warn"
    assert len(check.ids) == 2
    assert set(check.ids) < {"a", "b", "c"}


def test_one_input_with_two_labels_is_found_over_train_and_dev(
    rows: Rows, task_folder: Folder
) -> None:
    train = [*rows(20, "train"), row("a", "Which one?", "card")]
    dev = [*rows(3, "dev"), row("b", "which one", "login")]
    check = found(task_folder(train=train, dev=dev))["conflicting labels"]
    assert (check.level, check.ids) == ("warn", ("a", "b"))


@pytest.mark.parametrize(
    ("first", "second"), [("train", "dev"), ("train", "test"), ("dev", "test")]
)
def test_exact_leakage_is_an_error_between_any_two_splits(
    rows: Rows, task_folder: Folder, first: str, second: str
) -> None:
    splits = {name: rows(9, name) for name in ("train", "dev", "test")}
    splits[first].append(row("a", "Where's my card?"))
    splits[second].append(row("b", "where’s my CARD"))
    check = found(task_folder(**splits))["exact leakage"]
    later = "held-out" if second == "test" else second
    assert (check.level, check.ids, check.allow) == ("error", ("b",), "exact")
    assert f"1 row of {later} also in {first}" in check.message


def test_leakage_allowed_by_name_only_warns(rows: Rows, task_folder: Folder) -> None:
    splits = {"train": rows(9, "train"), "dev": [row("b", rows(9, "train")[0]["input"], "billing")]}
    with pytest.raises(LeakageError) as caught:
        raise_errors(run_checks(load_task(task_folder(**splits))))
    assert "Rows: `b`" in caught.value.message
    assert "allow_leakage: [exact]" in caught.value.hint
    allowed = found(task_folder("allow_leakage: [near, exact]\n", **splits))
    assert allowed["exact leakage"].level == "warn"
    raise_errors(list(allowed.values()))
    other = found(task_folder("allow_leakage: near\n", **splits))
    assert other["exact leakage"].level == "error"


def test_the_same_question_on_another_paragraph_is_another_row(task_folder: Folder) -> None:
    train = [row(f"t{n}", "When?", f"in {n}", context=f"It was in {n}.") for n in range(9)]
    dev = [row("d", "When?", "in 20", context="It was in 20.")]
    assert found(task_folder(train=train, dev=dev))["exact leakage"].level == "ok"


def test_empty_inputs_are_no_leakage(rows: Rows, task_folder: Folder) -> None:
    train = [*rows(9, "train"), row("a", ""), row("c", " ")]
    checks = found(task_folder(train=train, dev=[row("b", "")]))
    assert checks["exact leakage"].level == "ok"
    assert checks["duplicate inputs"].level == "ok"


def test_groups_torn_apart_are_listed(rows: Rows, task_folder: Folder) -> None:
    train = [{**item, "group": "g"} for item in rows(9, "train")]
    check = found(task_folder(train=train, dev=[row("b", "another", group="g")]))["groups"]
    assert check.level == "warn"
    assert "b" in check.ids
    assert "1 group stands in more than one split" in check.message


def test_unlabelled_rows_that_stand_in_a_split_are_listed(rows: Rows, task_folder: Folder) -> None:
    test = [*rows(3, "test"), row("x", "A held-out question")]
    unlabelled = [{"id": "u1", "input": "a held-out question?"}, {"id": "u2", "input": "new"}]
    check = found(task_folder(train=9, dev=6, test=test, unlabelled=unlabelled))["unlabelled rows"]
    assert (check.level, check.ids) == ("warn", ("u1",))


def test_no_check_says_what_a_held_out_row_says(rows: Rows, task_folder: Folder) -> None:
    test = [
        row("x1", "Zanzibar question", "card"),
        row("x2", "zanzibar question", "login"),
        row("x3", "", "card"),
        row("x4", rows(9, "train")[0]["input"], "card"),
    ]
    checks = run_checks(load_task(task_folder(train=9, dev=6, test=test)))
    text = str([check.to_json() for check in checks]).lower()
    assert "zanzibar" not in text
    assert "charged" not in text
