"""`accordeur answer`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Finished, Start

Say = Callable[..., Any]
LABELS = {"billing", "card", "login"}


def test_a_label_with_its_probabilities(finished: Finished, say: Say) -> None:
    said = say("answer", finished.folder / "winner", "Somebody stole my card")
    assert said.code == 0
    first, *rest = said.out.splitlines()
    assert first in LABELS
    assert rest[0].split()[1] == first
    assert {line.split()[1] for line in rest} == LABELS
    assert all(line.split()[0].endswith("%") for line in rest)


def test_the_name_of_a_run_means_its_winner(finished: Finished, say: Say) -> None:
    by_name = say("answer", finished.name[:6], "Somebody stole my card")
    by_path = say("answer", finished.folder, "Somebody stole my card")
    assert by_name.code == by_path.code == 0
    assert by_name.out == by_path.out


def test_json_is_one_object(finished: Finished, say: Say) -> None:
    data = json.loads(say("answer", finished.name, "Somebody stole my card", "--json").out)
    assert data["label"] in LABELS
    assert sum(data["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert next(iter(data["probabilities"])) == data["label"]


def test_a_question_may_come_from_stdin(finished: Finished, start: Start) -> None:
    done = start("answer", finished.name, "-", stdin="Somebody stole my card")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] in LABELS


def test_rows_come_back_in_order_with_their_ids(finished: Finished, say: Say) -> None:
    rows = [
        {"id": "one", "input": "Somebody stole my card"},
        {"input": {"subject": "invoice", "body": "charged twice"}},
        {"messages": [{"role": "user", "content": "my password is wrong"}]},
        {"id": "four", "fields": {"text": "blocked card"}},
    ]
    Path("rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    said = say("answer", finished.name, "--input", "rows.jsonl", "-o", "answers.jsonl")
    assert said.out == "4 answers written to answers.jsonl\n"
    answers = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    assert [answers[0]["id"], answers[3]["id"]] == ["one", "four"]
    assert all(answer["label"] in LABELS for answer in answers)
    alone = json.loads(say("answer", finished.name, "Somebody stole my card", "--json").out)
    assert answers[0]["label"] == alone["label"]
    assert answers[0]["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-5)


def test_rows_go_to_stdout_without_a_file_and_the_splits_of_a_task_are_rows(
    finished: Finished, say: Say
) -> None:
    said = say("answer", finished.name, "--input", finished.task / "test.jsonl")
    ids = [json.loads(line)["id"] for line in said.out.splitlines()]
    given = (finished.task / "test.jsonl").read_text().splitlines()
    assert ids == [json.loads(line)["id"] for line in given]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ('{"a": "b", "c": "d"}', "`input`"), ('{"input": null}', "input")],
)
def test_rows_that_ask_nothing_are_an_error(
    text: str, message: str, finished: Finished, say: Say
) -> None:
    Path("rows.jsonl").write_text(text)
    said = say("answer", finished.name, "--input", "rows.jsonl")
    assert said.code == 1
    assert message in said.err
    assert said.out == ""


def test_a_folder_that_is_no_bundle_is_named(say: Say, tmp_path: Path) -> None:
    said = say("answer", tmp_path, "hello")
    assert said.code == 1
    assert "is not a bundle" in said.err


def test_a_bundle_with_a_path_outside_itself_is_refused(finished: Finished, say: Say) -> None:
    import shutil

    shutil.copytree(finished.folder / "winner", "bad")
    about = json.loads(Path("bad/bundle.json").read_text())
    about["files"]["../outside"] = "0" * 64
    Path("bad/bundle.json").write_text(json.dumps(about))
    said = say("answer", "bad", "hello")
    assert said.code == 1
    assert "../outside" in said.err
