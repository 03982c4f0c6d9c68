from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.errors import RunInUse, StoreError
from accordeur.core.fingerprint import digest
from accordeur.core.measurement import RowResult
from accordeur.store import RunFolder
from accordeur.store.file_lock import FileLock

Rows = Callable[..., RowResult]


def append(run: RunFolder, row: Rows, batches: range, size: int = 4) -> None:
    for batch in batches:
        indices = range(batch * size, (batch + 1) * size)
        run.append_answers("dev", "k=8 Nearest", indices, [row(index) for index in indices])


def answers_file(run: RunFolder) -> Path:
    (path,) = (run.folder / "answers" / "dev").glob("*.jsonl")
    return path


def test_the_same_plan_finds_the_same_folder(tmp_path: Path, plan: dict[str, Any]) -> None:
    first = RunFolder.create_or_open(tmp_path, "Support Desk", plan)
    again = RunFolder.create_or_open(tmp_path, "Support Desk", dict(reversed(plan.items())))
    other = RunFolder.create_or_open(tmp_path, "Support Desk", {**plan, "seed": 1})
    assert first.folder == again.folder != other.folder
    assert first.name == f"support-desk-{digest(plan)[:10]}"
    assert first.plan == plan
    assert first.plan_hash == digest(plan)


def test_the_manifest_names_task_plan_and_versions(run: RunFolder, plan: dict[str, Any]) -> None:
    manifest = run.manifest.read()
    assert manifest["task"] == "support"
    assert manifest["plan"] == digest(plan)
    assert manifest["environment"]["python"] == sys.version.split()[0]
    assert manifest["created"] <= manifest["updated"]


def test_rows_come_back_as_they_were_written(run: RunFolder, row: Rows) -> None:
    with run.lock():
        append(run, row, range(3))
    reread = RunFolder.open(run.folder)
    assert reread.read_answers("dev", "k=8 Nearest") == {i: row(i) for i in range(12)}
    assert reread.read_answers("dev", "another") == {}
    assert reread.splits() == ["dev"]
    assert reread.configurations("dev") == ["k=8 Nearest"]


def test_a_row_written_again_counts_as_last_written(run: RunFolder, row: Rows) -> None:
    with run.lock():
        append(run, row, range(2))
        run.append_answers("dev", "k=8 Nearest", [5], [row(5, "retried")])
    answers = run.read_answers("dev", "k=8 Nearest")
    assert len(answers) == 8
    assert answers[5].answer.text == "retried"


def test_a_damaged_batch_is_reported_and_only_it_is_missing(
    run: RunFolder, row: Rows, warnings: list[str]
) -> None:
    with run.lock():
        append(run, row, range(4))
    path = answers_file(run)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"label-1", b"label-2", 1)
    path.write_bytes(b"".join(lines))
    assert sorted(run.read_answers("dev", "k=8 Nearest")) == [0, 1, 2, 3, *range(8, 16)]
    assert any(f"{path}:2" in text for text in warnings)
    with run.lock():
        append(run, row, range(1, 2))
    assert run.read_answers("dev", "k=8 Nearest") == {i: row(i) for i in range(16)}


def test_a_torn_batch_is_dropped_by_the_next_writer_and_reported(
    run: RunFolder, row: Rows, warnings: list[str]
) -> None:
    with run.lock():
        append(run, row, range(3))
        path = answers_file(run)
    os.truncate(path, path.stat().st_size - 7)
    assert len(run.read_answers("dev", "k=8 Nearest")) == 8
    assert warnings == []
    with run.lock():
        assert any(f"{path}:3" in text for text in warnings)
        append(run, row, range(2, 3))
    assert run.read_answers("dev", "k=8 Nearest") == {i: row(i) for i in range(12)}


def test_a_line_of_another_kind_does_not_end_the_run(
    run: RunFolder, row: Rows, warnings: list[str]
) -> None:
    from accordeur.store.journal import Journal

    with run.lock():
        append(run, row, range(1))
    Journal(answers_file(run)).append({"indices": [9], "rows": [{"row": "x"}]})
    assert sorted(run.read_answers("dev", "k=8 Nearest")) == [0, 1, 2, 3]
    assert any("cannot be understood" in text for text in warnings)


def test_writing_needs_the_lock(run: RunFolder, row: Rows) -> None:
    for write in (
        lambda: append(run, row, range(1)),
        lambda: run.append_ledger({"configuration": "a"}),
        lambda: run.log("hello"),
        lambda: run.set_phase("fit"),
        lambda: run.write_once("decision.json", {"pick": "as-is"}),
        lambda: run.write_files("candidates/a", {"a": b""}),
        run.finish,
    ):
        with pytest.raises(RuntimeError, match="lock"):
            write()


def test_the_ledger_keeps_one_record_for_each_configuration(run: RunFolder) -> None:
    with run.lock():
        run.append_ledger({"configuration": "k=4", "score": 0.5, "labels": ("a", "b")})
        run.append_ledger({"configuration": "k=8", "score": 0.6})
        run.append_ledger({"configuration": "k=4", "score": 0.5, "labels": ("a", "b")})
        assert len((run.folder / "ledger.jsonl").read_text().splitlines()) == 2
        run.append_ledger({"configuration": "k=4", "score": 0.7})
    ledger = RunFolder.open(run.folder).read_ledger()
    assert [(item["configuration"], item["score"]) for item in ledger] == [
        ("k=4", 0.7),
        ("k=8", 0.6),
    ]


def test_the_log_keeps_order_time_and_details(run: RunFolder) -> None:
    with run.lock():
        run.log("fit", lever="few-shot")
        run.log("done")
    first, second = run.read_log()
    assert (first["message"], first["lever"], second["message"]) == ("fit", "few-shot", "done")
    assert first["time"].endswith("+00:00")


def test_the_phase_is_replaced_and_a_damaged_one_is_as_none(
    run: RunFolder, warnings: list[str]
) -> None:
    assert run.state == {}
    with run.lock():
        run.set_phase("fit", levers_done=1)
        run.set_phase("decided")
    assert run.state["phase"] == "decided"
    assert "levers_done" not in run.state
    (run.folder / "state.json").write_text('{"phase": "dec')
    assert run.state == {}
    assert any("state.json" in text for text in warnings)


def test_a_decision_is_written_once(run: RunFolder) -> None:
    decision = {"pick": "few-shot", "sureness": 0.93}
    with run.lock():
        first = run.write_once("decision.json", decision)
        assert run.write_once("decision.json", dict(decision)) == first
        with pytest.raises(StoreError, match="cannot be changed"):
            run.write_once("decision.json", {**decision, "pick": "as-is"})
        with pytest.raises(StoreError, match="cannot be changed"):
            run.write_json("decision.json", decision)
    assert run.read_json("decision.json") == decision
    assert first == hashlib.sha256((run.folder / "decision.json").read_bytes()).hexdigest()
    assert RunFolder.open(run.folder).sha256("decision.json") == first


@pytest.mark.parametrize("change", ["edit", "delete"])
def test_a_decision_changed_behind_our_back_stops_the_run(run: RunFolder, change: str) -> None:
    with run.lock():
        run.write_once("decision.json", {"pick": "few-shot"})
    path = run.folder / "decision.json"
    if change == "edit":
        path.write_text(path.read_text().replace("few-shot", "as-is"))
    else:
        path.unlink()
    with pytest.raises(StoreError, match="changed after"):
        run.read_json("decision.json")
    with run.lock(), pytest.raises(StoreError, match="changed after"):
        run.write_once("decision.json", {"pick": "as-is"})


def test_a_decision_whose_writer_was_killed_before_noting_its_hash_is_sealed_on_return(
    run: RunFolder,
) -> None:
    content = b'{\n  "pick": "few-shot"\n}\n'
    (run.folder / "decision.json").write_bytes(content)
    with run.lock():
        assert run.sha256("decision.json") == hashlib.sha256(content).hexdigest()


def test_a_damaged_plan_is_mended_by_its_own_run(
    run: RunFolder, plan: dict[str, Any], warnings: list[str]
) -> None:
    (run.folder / "plan.json").write_text('{"seed": 5}')
    with pytest.raises(StoreError, match="changed after"):
        _ = run.plan
    RunFolder.create_or_open(run.folder.parent, "support", plan, warn=warnings.append)
    assert run.plan == plan
    assert any("plan.json" in text for text in warnings)


@pytest.mark.parametrize("content", ["", "[]", '{"files": 3}', "\0\0\0"])
def test_a_damaged_manifest_is_made_anew(
    tmp_path: Path, plan: dict[str, Any], row: Rows, content: str
) -> None:
    run = RunFolder.create_or_open(tmp_path, "support", plan)
    with run.lock():
        append(run, row, range(1))
        run.write_once("decision.json", {"pick": "as-is"})
    (run.folder / "manifest.json").write_text(content)
    again = RunFolder.create_or_open(tmp_path, "support", plan)
    with again.lock():
        assert again.manifest.read()["plan"] == digest(plan)
        assert again.read_json("decision.json") == {"pick": "as-is"}
        assert len(again.read_answers("dev", "k=8 Nearest")) == 4
        assert again.sha256("decision.json") is not None


def test_a_run_of_a_newer_version_is_not_touched(run: RunFolder, plan: dict[str, Any]) -> None:
    path = run.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(StoreError, match="newer version"):
        RunFolder.create_or_open(run.folder.parent, "support", plan)


def test_a_bundle_is_written_whole_replaced_and_read_back(run: RunFolder) -> None:
    first = {"bundle.json": b"{}", "classifier/weights.safetensors": bytes(range(256))}
    with run.lock():
        folder = run.write_files("candidates/naive-bayes", first)
        assert run.read_files("candidates/naive-bayes") == first
        run.write_files("candidates/naive-bayes", {"prompt.md": b"hello"})
    assert run.read_files("candidates/naive-bayes") == {"prompt.md": b"hello"}
    assert [path.name for path in folder.iterdir()] == ["prompt.md"]
    assert run.read_files("candidates/other") is None


def test_a_damaged_or_unfinished_bundle_counts_as_absent(
    run: RunFolder, warnings: list[str]
) -> None:
    with run.lock():
        run.write_files("candidates/a", {"prompt.md": b"hello", "x/y": b"z"})
    (run.folder / "candidates/a/prompt.md").write_bytes(b"hellO")
    assert run.read_files("candidates/a") is None
    assert any("prompt.md" in text for text in warnings)
    with run.lock():
        run.write_files("candidates/a", {"prompt.md": b"hello", "x/y": b"z"})
    assert run.read_files("candidates/a") == {"prompt.md": b"hello", "x/y": b"z"}
    (run.folder / "candidates/b").mkdir()
    (run.folder / "candidates/b/prompt.md").write_bytes(b"never noted")
    assert run.read_files("candidates/b") is None


def test_taking_the_lock_does_not_touch_the_files_of_bundles(run: RunFolder) -> None:
    files = {"demonstrations.jsonl": b'{"a": 1}\n{"no line end": 2}'}
    with run.lock():
        run.write_files("candidates/a", files)
    with run.lock():
        assert run.read_files("candidates/a") == files


@pytest.mark.parametrize("name", ["../x.json", "/tmp/x.json", "a/../../x", "..", ""])
def test_paths_that_leave_the_run_are_refused(run: RunFolder, name: str) -> None:
    with run.lock():
        for attempt in (
            lambda: run.write_json(name, {}),
            lambda: run.write_once(name, {}),
            lambda: run.read_json(name),
            lambda: run.write_files(name, {"a": b""}),
            lambda: run.write_files("candidates/a", {name: b""}),
            lambda: run.read_files(name),
        ):
            with pytest.raises(StoreError, match="does not stay inside"):
                attempt()
    assert not (run.folder / "candidates").exists()


def test_a_configuration_named_like_a_path_stays_a_file_of_the_run(
    run: RunFolder, row: Rows
) -> None:
    with run.lock():
        run.append_answers("dev", "../../../evil", [0], [row(0)])
        run.append_answers("dev", "K", [0], [row(1)])
        run.append_answers("dev", "k", [0], [row(2)])
    assert run.read_answers("dev", "../../../evil") == {0: row(0)}
    assert run.read_answers("dev", "K") == {0: row(1)}
    assert sorted(run.configurations("dev")) == ["../../../evil", "K", "k"]
    assert len(list((run.folder / "answers/dev").iterdir())) == 3


def test_what_a_killed_process_left_half_made_is_swept_away(run: RunFolder) -> None:
    (run.folder / ".123-abc.tmp").write_bytes(b"half")
    half = run.folder / "candidates" / ".few-shot.tmp" / "classifier"
    half.mkdir(parents=True)
    (half / ".9-0.tmp").write_bytes(b"half")
    with run.lock():
        assert list(run.folder.rglob(".*")) == []


def test_finished_files_are_hashed_and_later_changes_are_named(run: RunFolder, row: Rows) -> None:
    with run.lock():
        append(run, row, range(2))
        run.append_ledger({"configuration": "k=8 Nearest"})
        run.finish()
    assert run.manifest.problems() == []
    answers_file(run).write_bytes(b"")
    (run.folder / "ledger.jsonl").unlink()
    problems = run.manifest.problems()
    assert len(problems) == 2
    assert str(answers_file(run)) in problems[0]
    assert "missing" in problems[1]


def test_the_second_holder_is_told_who_the_first_is(run: RunFolder) -> None:
    assert run.in_use is False
    with run.lock():
        assert run.in_use is True
        with pytest.raises(RunInUse, match=f"process {os.getpid()}") as caught:
            RunFolder.open(run.folder).lock().__enter__()
        assert "run the same command again" in caught.value.hint
    assert run.in_use is False
    with RunFolder.open(run.folder).lock():
        pass


def test_a_lock_on_a_deleted_file_protects_nothing_and_is_not_taken(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire()
    (tmp_path / "lock").unlink()
    assert second.acquire()
    first.release()
    assert FileLock(tmp_path / "lock").acquire(wait=0.05) is False
    second.release()
