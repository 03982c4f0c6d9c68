from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from accordeur.core.errors import RunInUse, StoreError
from accordeur.store import RunFolder, RunIndex


def make(root: Path, task: str, seed: int, phase: str = "done") -> RunFolder:
    run = RunFolder.create_or_open(root, task, {"task": task, "seed": seed})
    with run.lock():
        run.set_phase(phase, pick="few-shot")
    return run


def names(index: RunIndex) -> set[str]:
    return {info.name for info in index.runs()}


def test_no_folder_means_no_runs_and_none_is_made(tmp_path: Path) -> None:
    with RunIndex(tmp_path / "runs") as index:
        assert index.runs() == []
        with pytest.raises(StoreError, match="no runs"):
            index.latest()
    assert not (tmp_path / "runs").exists()


def test_a_run_is_listed_with_its_task_plan_phase_and_times(tmp_path: Path) -> None:
    run = make(tmp_path, "Support Desk", 0, phase="decided")
    with RunIndex(tmp_path) as index:
        (info,) = index.runs()
    assert (info.name, info.folder, info.task) == (run.name, run.folder, "Support Desk")
    assert (info.plan, info.phase, info.live) == (run.plan_hash, "decided", False)
    assert info.state["pick"] == "few-shot"
    assert info.created <= info.updated


def test_the_index_follows_the_folders(tmp_path: Path) -> None:
    first = make(tmp_path, "a", 0)
    with RunIndex(tmp_path) as index, RunIndex(tmp_path) as other:
        assert names(index) == {first.name}
        second = make(tmp_path, "b", 0, phase="fit")
        assert names(index) == names(other) == {first.name, second.name}
        with second.lock():
            second.set_phase("opened")
        assert {info.phase for info in index.runs()} == {"done", "opened"}
        shutil.rmtree(first.folder)
        assert names(index) == {second.name}
        assert names(other) == {second.name}


def test_the_last_updated_run_comes_first(tmp_path: Path) -> None:
    runs = [make(tmp_path, "a", seed) for seed in range(3)]
    for position, run in enumerate((runs[1], runs[2], runs[0])):
        with run.lock():
            state = {"phase": "done", "updated": f"2099-01-0{9 - position}T00:00:00+00:00"}
            run.write_json("state.json", state)
    with RunIndex(tmp_path) as index:
        assert [info.name for info in index.runs()] == [runs[1].name, runs[2].name, runs[0].name]
        assert index.latest().name == runs[1].name


def test_a_run_is_found_by_name_prefix_plan_hash_or_path(tmp_path: Path) -> None:
    run, other = make(tmp_path, "support", 0), make(tmp_path, "finance", 0)
    with RunIndex(tmp_path) as index:
        for reference in (run.name, run.name[:-3], "supp", run.plan_hash[:8], run.plan_hash):
            assert index.find(reference).name == run.name
        assert index.find(str(other.folder)).name == other.name
        assert index.find(os.path.relpath(other.folder)).name == other.name


def test_a_full_name_wins_over_longer_ones(tmp_path: Path) -> None:
    run = make(tmp_path, "a", 0)
    shutil.copytree(run.folder, tmp_path / f"{run.name}-copy")
    with RunIndex(tmp_path) as index:
        assert index.find(run.name).name == run.name


def test_an_ambiguous_or_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    first, second = make(tmp_path, "support", 0), make(tmp_path, "support", 1)
    make(tmp_path, "finance", 0)
    with RunIndex(tmp_path) as index:
        with pytest.raises(StoreError, match="2 runs") as caught:
            index.find("support")
        assert first.name in caught.value.hint
        assert second.name in caught.value.hint
        with pytest.raises(StoreError, match="no run `suport`") as caught:
            index.find("suport")
        assert "support-" in caught.value.hint
        for nothing in ("", "../..", "zzz"):
            with pytest.raises(StoreError):
                index.find(nothing)


@pytest.mark.parametrize("harm", ["garbage", "truncated", "other schema", "missing"])
def test_a_damaged_index_is_moved_aside_and_rebuilt(tmp_path: Path, harm: str) -> None:
    runs = {make(tmp_path, "support", seed).name for seed in range(3)}
    path = tmp_path / "index.sqlite"
    with RunIndex(tmp_path) as index:
        assert names(index) == runs
    if harm == "garbage":
        path.write_bytes(b"this is no database " * 500)
    elif harm == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif harm == "missing":
        path.unlink()
    else:
        path.unlink()
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE runs (something TEXT)")
            other.execute("PRAGMA user_version = 1")
        other.close()
    warnings: list[str] = []
    with RunIndex(tmp_path, warn=warnings.append) as index:
        assert names(index) == runs
        assert names(index) == runs
    assert (len(warnings) == 1) == (harm != "missing")
    assert len(list(tmp_path.glob("index.sqlite.corrupt-*"))) == (harm != "missing")
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT COUNT(*) FROM runs").fetchone() == (3,)
    database.close()


def test_an_index_damaged_while_open_is_rebuilt(tmp_path: Path) -> None:
    run = make(tmp_path, "support", 0)
    with RunIndex(tmp_path) as index:
        index.runs()
        index.close()
        (tmp_path / "index.sqlite").write_bytes(b"x" * 9000)
        assert names(index) == {run.name}


def test_where_no_index_can_be_written_the_runs_are_listed_all_the_same(tmp_path: Path) -> None:
    run = make(tmp_path, "support", 0)
    (tmp_path / "index.sqlite").mkdir()
    with RunIndex(tmp_path) as index:
        assert names(index) == {run.name}
        assert index.find("supp").name == run.name


def test_a_run_with_damaged_files_is_still_listed(tmp_path: Path) -> None:
    run = make(tmp_path, "support", 0)
    (run.folder / "manifest.json").write_text("{")
    (run.folder / "state.json").write_text("nonsense")
    with RunIndex(tmp_path) as index:
        (info,) = index.runs()
    assert (info.name, info.task, info.phase) == (run.name, "support", "")


def test_deleting_removes_the_run_and_nothing_else(tmp_path: Path) -> None:
    run, other = make(tmp_path, "support", 0), make(tmp_path, "finance", 0)
    with RunIndex(tmp_path) as index:
        assert index.delete("supp").name == run.name
        assert names(index) == {other.name}
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [other.name]


def test_a_live_run_is_not_deleted(tmp_path: Path) -> None:
    run = make(tmp_path, "support", 0)
    with RunIndex(tmp_path) as index:
        with run.lock():
            assert index.find(run.name).live
            with pytest.raises(RunInUse):
                index.delete(run.name)
        assert run.read_json("state.json") is not None
        assert not index.find(run.name).live
