"""No room left: a clear message, nothing lost, and the same command goes on afterwards."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.core.errors import StoreError
from accordeur.store.openings import Openings
from accordeur.testing.puzzle import puzzle_labels

Outcome = Callable[[Mapping[str, Any]], dict[str, Any]]
Go = Callable[..., Run]


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


def test_a_full_disk_stops_the_run_with_a_message_and_room_lets_it_go_on(
    tmp_path: Path, small_disk: Path, go: Go, outcome_of: Outcome
) -> None:
    task = puzzle_labels(tmp_path / "task")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (2**21 - 200_000))
    with pytest.raises(StoreError, match="The disk is full") as caught:
        go(task, runs=small_disk / "runs")
    assert "free some space" in caught.value.hint
    (place,) = (small_disk / "runs").iterdir()
    kept = sum(path.stat().st_size for path in place.glob("answers/dev/*.jsonl"))
    assert kept > 0
    ballast.unlink()
    finished = go(task, runs=small_disk / "runs")
    assert outcome_of(finished.record) == outcome_of(go(task, use_cache=False).record)


@pytest.mark.parametrize("after", [15, 90, 200])
def test_an_injected_enospc_at_any_write_is_a_message_and_loses_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    go: Go,
    outcome_of: Outcome,
    after: int,
) -> None:
    task = puzzle_labels(tmp_path / "task")
    real, left = os.fsync, after

    def full(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="The disk is full"):
            go(task)
    finished = go(task)
    assert finished.record["held_out"]["openings"] == 1
    aside = tmp_path / "aside"
    alone = outcome_of(go(task, use_cache=False, runs=aside).record)
    assert outcome_of(finished.record) == alone


def test_the_split_stays_closed_when_its_opening_cannot_be_written_down(
    tmp_path: Path, go: Go, folder_of: Callable[[], Any]
) -> None:
    task = puzzle_labels(tmp_path / "task")
    ledger = tmp_path / "cache" / "openings.jsonl"
    ledger.mkdir(parents=True)  # a folder cannot be appended to
    with pytest.raises(StoreError, match=r"openings\.jsonl"):
        go(task, levers="as-is")
    assert folder_of().has("decision.json")
    assert not folder_of().has("rows-test.jsonl")
    assert folder_of().splits() == ["dev"]
    ledger.rmdir()
    assert go(task, levers="as-is").record["held_out"]["openings"] == 1
    assert len(Openings().path.read_text().splitlines()) == 1
