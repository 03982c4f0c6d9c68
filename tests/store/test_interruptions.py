"""Planned interruptions: kill -9, a full disk, two processes at once."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from accordeur.core.errors import RunInUse, StoreError
from accordeur.core.measurement import RowResult
from accordeur.store import RunFolder, RunIndex

Child = Callable[..., subprocess.Popen[str]]
Rows = Callable[..., RowResult]

ROW = """
import sys
from pathlib import Path
from accordeur.core.answer import Answer
from accordeur.core.measurement import RowResult
from accordeur.store import RunFolder
def row(i):
    return RowResult(f"r{i}", f"g{i}", Answer(f"text {i} " * 200, seconds=i / 3), i / 7)
root, seed = Path(sys.argv[1]), int(sys.argv[2])
run = RunFolder.create_or_open(root, "support", {"seed": seed})
"""

WRITER = (
    ROW
    + """
with run.lock():
    done = run.read_answers("dev", "as-is")
    for start in range(0, int(sys.argv[3]), 4):
        batch = range(start, start + 4)
        if all(i in done for i in batch):
            continue
        run.append_answers("dev", "as-is", batch, [row(i) for i in batch])
        print(start, flush=True)
print("end", flush=True)
"""
)

HOLDER = (
    ROW
    + """
with run.lock():
    print("held", flush=True)
    sys.stdin.read()
"""
)


def read_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def kill(process: subprocess.Popen[str]) -> list[str]:
    """SIGKILL, and what had been printed but not yet read."""
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert process.stdout is not None
    return process.stdout.read().split()


def finish(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.split()


def append_forever(run: RunFolder, row: Rows, confirmed: list[int]) -> None:
    for index in range(2000):
        run.append_answers("dev", "as-is", [index], [row(index, "y" * 700)])
        confirmed.append(index)


@pytest.mark.parametrize("after", [1, 6, 17])
def test_kill_9_while_appending_loses_at_most_the_batch_in_flight(
    tmp_path: Path, child: Child, after: int
) -> None:
    process = child(WRITER, tmp_path / "cut", 0, 4000)
    confirmed = [int(line) for line in read_lines(process, after) + kill(process)]
    (folder,) = (tmp_path / "cut").glob("support-*")
    run = RunFolder.open(folder)
    answers = run.read_answers("dev", "as-is")
    assert len(answers) % 4 == 0, "a batch is wholly there or not"
    batches = sorted({index - index % 4 for index in answers})
    assert batches[: len(confirmed)] == confirmed
    assert len(batches) <= len(confirmed) + 1

    total = (len(batches) + 5) * 4
    again = finish(child(WRITER, tmp_path / "cut", 0, total))
    assert again == [*map(str, range(len(batches) * 4, total, 4)), "end"]
    finish(child(WRITER, tmp_path / "whole", 0, total))
    (whole,) = (tmp_path / "whole").glob("support-*")
    expected = RunFolder.open(whole).read_answers("dev", "as-is")
    assert run.read_answers("dev", "as-is") == expected
    assert finish(child(WRITER, tmp_path / "cut", 0, total)) == ["end"], "nothing is left to do"


def test_kill_9_while_a_bundle_is_replaced_leaves_one_whole_bundle_or_none(
    tmp_path: Path, child: Child
) -> None:
    code = (
        ROW
        + """
with run.lock():
    for n in range(100_000):
        run.write_files("candidates/a", {f"part-{k}": b"%d" % n * 999 for k in range(4)})
        run.set_phase("fit", n=n)
        print(n, flush=True)
"""
    )
    for wait in (0.0, 0.003, 0.011):
        process = child(code, tmp_path, 0)
        read_lines(process, 2)
        time.sleep(wait)
        last = int(["-1", *kill(process)][-1])
        (folder,) = tmp_path.glob("support-*")
        warnings: list[str] = []
        run = RunFolder.open(folder, warn=warnings.append)
        with run.lock():
            files = run.read_files("candidates/a")
            assert files is None or len(set(files.values())) == 1
            assert files is None or len(files) == 4
            assert run.state["n"] >= last
            assert not list(folder.rglob(".*"))
            assert warnings == []


def test_two_processes_cannot_work_on_one_run(tmp_path: Path, child: Child) -> None:
    holder = child(HOLDER, tmp_path, 0)
    assert read_lines(holder, 1) == ["held"]
    run = RunFolder.create_or_open(tmp_path, "support", {"seed": 0})
    assert run.in_use
    start = time.monotonic()
    with pytest.raises(RunInUse, match=f"process {holder.pid} ") as caught, run.lock():
        pass
    assert time.monotonic() - start < 5
    assert re.search(r"since \d{4}-\d\d-\d\dT", caught.value.message)
    with RunIndex(tmp_path) as index:
        assert [info.live for info in index.runs()] == [True]
        with pytest.raises(RunInUse, match=str(holder.pid)):
            index.delete(run.name)
    assert run.folder.is_dir()
    kill(holder)
    with run.lock():
        run.set_phase("fit")
    assert not run.in_use


def test_two_processes_work_on_two_runs_of_one_store(tmp_path: Path, child: Child) -> None:
    first, second = child(WRITER, tmp_path, 1, 80), child(WRITER, tmp_path, 2, 80)
    with RunIndex(tmp_path) as index:
        while first.poll() is None or second.poll() is None:
            index.runs()
            time.sleep(0.005)
        assert finish(first)[-1] == finish(second)[-1] == "end"
        runs = index.runs()
    assert len(runs) == 2
    one, two = (RunFolder.open(info.folder).read_answers("dev", "as-is") for info in runs)
    assert one == two
    assert len(one) == 80


def test_many_processes_that_start_one_plan_make_one_run(tmp_path: Path, child: Child) -> None:
    racers = [child(ROW + "print(run.name)", tmp_path, 3) for _ in range(4)]
    assert len({name for racer in racers for name in finish(racer)}) == 1
    (folder,) = tmp_path.iterdir()
    assert RunFolder.open(folder).plan == {"seed": 3}
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "plan.json"]


def test_a_full_disk_keeps_every_finished_batch_and_the_run_goes_on_afterwards(
    small_disk: Path, row: Rows
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 150_000)
    run = RunFolder.create_or_open(small_disk, "support", {"seed": 0})
    confirmed: list[int] = []
    with run.lock():
        with pytest.raises(StoreError, match="The disk is full") as caught:
            append_forever(run, row, confirmed)
        assert "answers/dev/as-is.jsonl" in caught.value.message
        written = len(confirmed)
        assert written > 10
        with pytest.raises(StoreError, match="The disk is full"):
            run.write_files("candidates/a", {"weights": b"w" * 30_000})
        assert len(run.read_answers("dev", "as-is")) == written
        assert run.read_answers("dev", "as-is")[written - 1] == row(written - 1, "y" * 700)
    ballast.unlink()
    again = RunFolder.create_or_open(small_disk, "support", {"seed": 0})
    with again.lock():
        again.append_answers("dev", "as-is", [written], [row(written, "y" * 700)])
        again.write_files("candidates/a", {"weights": b"w" * 30_000})
    expected = {index: row(index, "y" * 700) for index in range(written + 1)}
    assert again.read_answers("dev", "as-is") == expected


def test_a_file_size_limit_is_met_like_a_full_disk(tmp_path: Path, child: Child) -> None:
    code = WRITER.replace(
        "with run.lock():",
        "import resource\n"
        "from accordeur.core.errors import StoreError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30_001, resource.RLIM_INFINITY))\n"
        "with run.lock():",
    )
    process = child(code, tmp_path, 0, 4000)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "StoreError: The largest allowed file size is reached" in err
    assert "hint: free some space" in err
    (folder,) = tmp_path.glob("support-*")
    warnings: list[str] = []
    run = RunFolder.open(folder, warn=warnings.append)
    with run.lock():
        assert len(run.read_answers("dev", "as-is")) == 4 * len(out.split())
        assert warnings == [], "the half line was cut off when it failed"
    total = 4 * len(out.split()) + 8
    assert finish(child(WRITER, tmp_path, 0, total))[-1] == "end"
    assert len(run.read_answers("dev", "as-is")) == total


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="could not be written") as caught:
        RunFolder.create_or_open(tmp_path / "file" / "runs", "support", {"seed": 0})
    assert "ACCORDEUR_RUNS" in caught.value.hint
