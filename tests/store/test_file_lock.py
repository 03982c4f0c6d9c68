from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from accordeur.store.file_lock import FileLock, Holder, locked


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire()
    assert second.acquire(wait=0.05) is False
    assert second.holder().pid == os.getpid()
    assert locked(tmp_path / "lock")
    first.release()
    first.release()
    assert not locked(tmp_path / "lock")
    assert second.holder() == Holder(), "a lock that is free names nobody"
    assert second.acquire()
    second.release()


def test_looking_makes_no_file(tmp_path: Path) -> None:
    assert locked(tmp_path / "lock") is False
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_deleted_while_it_is_being_taken_is_not_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    real = fcntl.flock
    deleted = False

    def delete_first(descriptor: int, operation: int) -> None:
        nonlocal deleted
        if not deleted:
            deleted = True
            path.unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", delete_first)
    lock = FileLock(path)
    assert lock.acquire()
    assert deleted
    assert FileLock(path).acquire(wait=0.05) is False, "the lock is on the file that is there"
    lock.release()


def test_a_lock_file_with_nonsense_in_it_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("[1, 2")
    assert str(FileLock(tmp_path / "lock").holder()) == "another process"
