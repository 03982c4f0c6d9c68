from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from accordeur.core.errors import StoreError
from accordeur.store.durable import create_exclusive, disk_error, pretty_json, write_atomic


def test_a_failed_write_leaves_the_old_content_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    write_atomic(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="disk is full"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["state.json"]


def test_a_system_that_writes_a_little_at_a_time_writes_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    write_atomic(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_an_error_while_pieces_are_made_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_atomic(path, b"old")

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_atomic(path, pieces())
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_is_made_exclusively_once(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert create_exclusive(path, b"first") is True
    assert create_exclusive(path, b"second") is False
    assert path.read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EDQUOT, "The disk quota is used up"),
        (errno.EFBIG, "The largest allowed file size is reached"),
        (errno.EACCES, "Permission denied"),
        (errno.EROFS, "Read-only file system"),
    ],
)
def test_each_kind_of_disk_error_is_said_with_its_path_and_a_hint(code: int, words: str) -> None:
    error = disk_error(OSError(code, os.strerror(code)), Path("/runs/x/answers.jsonl"))
    assert words in error.message
    assert "`/runs/x/answers.jsonl`" in error.message
    assert "kept" in error.message
    assert "run the same command again" in error.hint


def test_equal_data_give_equal_bytes() -> None:
    assert pretty_json({"b": 1, "a": "é"}) == pretty_json({"a": "é", "b": 1})
    with pytest.raises(ValueError):
        pretty_json({"a": float("inf")})
