"""Planned faults: kill -9, two at once, a full disk, files that change, many files, large files."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.documents.index.conftest import SMALL, Build, Counting, check, same, write

from accordeur.core.errors import StoreError
from accordeur.documents.index import (
    BuildReport,
    IndexSettings,
    build_index,
    index_status,
    open_index,
    update_index,
)
from accordeur.documents.index.pending import FILE as PENDING
from accordeur.testing import ScriptedEmbedder

Update = Callable[[], BuildReport]

# An update in a process of its own; its embedder takes its time, so that a kill may hit anything.
UPDATE = """
import sys, time
from pathlib import Path
from accordeur.documents.index import update_index
from accordeur.documents.index import embedding
from accordeur.testing import ScriptedEmbedder
embedding.BATCH = 4
class Slow(ScriptedEmbedder):
    def embed(self, texts):
        time.sleep(float(sys.argv[2]))
        return super().embed(texts)
print("begun", flush=True)
report = update_index(Path(sys.argv[1]), Slow())
print("end", report.embedded, report.kept, flush=True)
"""


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def shuffle(docs: Path, chance: random.Random) -> None:
    """Change, add, move and delete some files."""
    for _ in range(chance.randint(1, 6)):
        name = f"{chance.choice('abc')}/{chance.randint(0, 9)}.txt"
        words = " ".join(chance.choice(("oak", "oar", "berth", "leave", "tide")) for _ in range(90))
        if chance.random() < 0.2 and (docs / name).exists():
            (docs / name).unlink()
        else:
            write(docs, {name: f"{name} at {chance.random()}. {words}"})


def kill_updates(tmp_path: Path, times: int, seed: int) -> int:
    """Kill updates at random moments; the index is always the old one or the new one, whole."""
    chance = random.Random(seed)
    docs = write(tmp_path / "docs", {"a/0.txt": "An oar.", "b/1.txt": "A berth for the night."})
    folder = tmp_path / "index"
    embedder = ScriptedEmbedder()
    build_index([docs], folder, SMALL, embedder)
    killed = 0
    for _ in range(times):
        with open_index(folder, embedder) as before:
            old = before.fingerprint
        shuffle(docs, chance)
        process = child(UPDATE, folder, 0.01)
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(chance.random() * 0.25)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate(timeout=60)[0]
        killed += not rest.startswith("end")
        status = index_status(folder)
        assert status.fault == ""
        with open_index(folder, embedder) as after:
            check(after)
            if not rest.startswith("end") and not status.clean:
                assert after.fingerprint == old
            assert after.search(["An oar."], 1)[0]
        if chance.random() < 0.4:
            update_index(folder, embedder)
            assert index_status(folder).clean
    update_index(folder, embedder)
    build_index([docs], tmp_path / "fresh", SMALL, embedder)
    with open_index(folder, embedder) as grown, open_index(tmp_path / "fresh", embedder) as fresh:
        assert same(grown, fresh)
        check(grown)
    assert len(list(folder.glob("vectors-*.npy"))) == 1
    assert not (folder / PENDING).exists()
    return killed


def test_updates_killed_at_random_moments_leave_the_index_whole(tmp_path: Path) -> None:
    assert kill_updates(tmp_path, 4, seed=1) >= 1


@pytest.mark.slow
def test_fifty_updates_killed_at_random_moments_leave_the_index_whole(tmp_path: Path) -> None:
    assert kill_updates(tmp_path, 50, seed=2) >= 10


def test_what_a_killed_build_has_embedded_is_not_embedded_again(
    tmp_path: Path, docs: Path, build: Build, embedder: Counting
) -> None:
    build()
    for number in range(40):
        write(docs, {f"new/{number}.txt": f"Number {number} is new, and nothing like it is there."})
    process = child(UPDATE, tmp_path / "index", 0.05)
    assert process.stdout is not None
    pending = tmp_path / "index" / PENDING
    deadline = time.monotonic() + 30
    while not pending.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(0.25)
    process.kill()
    assert "end" not in process.communicate()[0]
    embedder.texts.clear()
    report = update_index(tmp_path / "index", embedder)
    assert report.kept > 0
    assert report.kept + report.embedded == 40
    assert report.embedded == len(embedder.texts)
    with open_index(tmp_path / "index", embedder) as index:
        check(index)


def test_an_exception_while_embedding_leaves_the_index_as_it_was(
    tmp_path: Path, docs: Path, build: Build, embedder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    build()
    write(docs, {"leave.md": "# All is different\n\nNow."})
    with monkeypatch.context() as patch:
        patch.setattr(Counting, "embed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            update_index(tmp_path / "index", embedder)
    with open_index(tmp_path / "index", embedder) as index:
        check(index)
        assert "Illness" in index.document("leave.md").text
    assert update_index(tmp_path / "index", embedder).changed == ["leave.md"]


def test_of_two_updates_at_once_one_is_told_to_wait(
    tmp_path: Path, docs: Path, build: Build, embedder: Counting
) -> None:
    build()
    for number in range(60):
        write(docs, {f"{number}.txt": f"Number {number} is new."})
    process = child(UPDATE, tmp_path / "index", 0.15)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    refused = 0
    while process.poll() is None and not refused:
        if not (tmp_path / "index" / PENDING).exists():
            time.sleep(0.005)
            continue
        with open_index(tmp_path / "index", embedder) as index:
            assert len(index.documents()) == 4, "searching goes on, in the old one"
        with pytest.raises(StoreError, match=f"process {process.pid}") as caught:
            update_index(tmp_path / "index", embedder)
        assert "searching goes on" in caught.value.hint
        refused += 1
    assert process.communicate(timeout=60)[0].startswith("end 60")
    assert refused == 1
    with open_index(tmp_path / "index", embedder) as index:
        check(index)
        assert len(index.documents()) == 64


def test_many_readers_while_it_is_updated_see_the_old_or_the_new_one(
    tmp_path: Path, docs: Path, build: Build, embedder: Counting
) -> None:
    build()
    faults: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                with open_index(tmp_path / "index", ScriptedEmbedder()) as index:
                    check(index)
            except BaseException as error:
                faults.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(15):
        write(docs, {"0.txt": f"Version {number}. " + "Some words. " * number})
        update_index(tmp_path / "index", embedder)
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB, where this machine lets us mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a size-limited file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=20)


def test_a_full_disk_is_a_message_and_the_old_index_stays(
    docs: Path, small_disk: Path, embedder: Counting
) -> None:
    folder = small_disk / "index"
    build_index([docs], folder, SMALL, embedder)
    with open_index(folder, embedder) as index:
        before = index.fingerprint
    for number in range(400):
        write(docs, {f"{number}.txt": f"Number {number} has words, {number * 7} of them. " * 8})
    with pytest.raises(StoreError, match=r"no room|disk is full") as caught:
        update_index(folder, embedder)
    assert "free some space" in caught.value.hint
    with open_index(folder, embedder) as index:
        assert index.fingerprint == before
        check(index)
    for number in range(395):
        (docs / f"{number}.txt").unlink()
    assert update_index(folder, embedder).documents == 9
    with open_index(folder, embedder) as index:
        check(index)


LIMITED = (
    """
import resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
"""
    + UPDATE
)


@pytest.mark.parametrize("limit", [40_000, 120_000, 300_000])
def test_files_that_may_not_grow_are_a_message_and_the_old_index_stays(
    tmp_path: Path, docs: Path, build: Build, embedder: Counting, limit: int
) -> None:
    build()
    for number in range(300):
        write(docs, {f"{number}.txt": f"Number {number} has words, {number * 7} of them. " * 4})
    process = child(LIMITED, tmp_path / "index", 0, limit)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "StoreError" in err
    with open_index(tmp_path / "index", embedder) as index:
        check(index)
        assert len(index.documents()) == 4
    assert update_index(tmp_path / "index", embedder).documents == 304


def test_a_file_that_changes_while_it_is_read_is_skipped_until_it_rests(
    docs: Path, build: Build, update: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = docs / "growing.txt", os.fstat
    path.write_text("It grows. ")

    def grown(descriptor: int) -> os.stat_result:
        with path.open("a") as file:
            file.write("And grows. ")
        return real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", grown)
        assert build().skipped == {"growing.txt": "it changes while it is read"}
    report = update()
    assert (report.added, report.skipped) == (["growing.txt"], {})


@pytest.mark.slow
def test_ten_thousand_tiny_files(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for number in range(10_000):
        write(docs, {f"{number % 100}/{number}.md": f"# File {number}\n\nIt has {number} words."})
    begun = time.monotonic()
    assert build_index([docs], tmp_path / "index", SMALL, ScriptedEmbedder()).documents == 10_000
    middle = time.monotonic()
    assert update_index(tmp_path / "index", ScriptedEmbedder()).unchanged == 10_000
    end = time.monotonic()
    print(f"10,000 files: built in {middle - begun:.1f} s, updated in {end - middle:.1f} s")
    assert index_status(tmp_path / "index").clean
    assert middle - begun < 120
    assert end - middle < 30


def test_a_file_of_200_mb_is_skipped_unread_and_told(tmp_path: Path, docs: Path) -> None:
    with (docs / "large.txt").open("wb") as file:
        file.truncate(200_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = build_index([docs], tmp_path / "index", SMALL)
    assert report.skipped == {"large.txt": "it has 200 MB, more than 50 MB (`--max-file-size`)"}
    assert report.documents == 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kB"


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("megabytes", [20, 200])
def test_a_large_file_is_read_where_that_is_asked_for(tmp_path: Path, megabytes: int) -> None:
    docs = write(tmp_path / "docs", {"small.txt": "A small file."})
    line = "The ledger of the year has many lines, and each says nearly the same as the last.\n"
    with (docs / "large.txt").open("w") as file:
        for _ in range(megabytes * 1_000_000 // len(line) // 1_000):
            file.write(line * 1_000)
    settings = IndexSettings(max_file_size=300_000_000)
    report = build_index([docs], tmp_path / "index", settings)
    assert (report.documents, report.skipped) == (2, {})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"{megabytes} MB: {report.passages:,} passages in {report.seconds:.0f} s, "
        f"{time.process_time():.0f} s of processor, at most {peak:.0f} MB"
    )
    with open_index(tmp_path / "index") as index:
        assert len(index) == report.passages
    assert peak < 300 + 12 * megabytes
