from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accordeur.core.errors import StoreError
from accordeur.store import Openings

Together = Callable[..., list[str]]


def test_each_plan_counts_once_for_each_held_out_split(tmp_path: Path) -> None:
    ledger = Openings(tmp_path / "cache" / "openings.jsonl")
    assert ledger.count("digest-a") == 0
    assert ledger.record("digest-a", "plan-1", "run-1", "decision-1") == 1
    assert ledger.record("digest-a", "plan-1", "run-1", "decision-1") == 1
    assert ledger.record("digest-a", "plan-2", "run-2", "decision-2") == 2
    assert ledger.record("digest-b", "plan-1", "run-1", "decision-1") == 1
    again = Openings(tmp_path / "cache" / "openings.jsonl")
    assert again.count("digest-a") == 2
    assert [(item.plan, item.run) for item in again.of("digest-a")] == [
        ("plan-1", "run-1"),
        ("plan-2", "run-2"),
    ]


def test_the_ledger_lies_in_the_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path))
    Openings().record("d", "p", "r", "c")
    assert (tmp_path / "openings.jsonl").is_file()


def test_damaged_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "openings.jsonl"
    warnings: list[str] = []
    ledger = Openings(path, warn=warnings.append)
    for number in range(4):
        ledger.record("d", f"plan-{number}", "r", "c")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"not json\n"
    path.write_bytes(b"".join(lines)[:-5])
    again = Openings(path, warn=warnings.append)
    assert again.count("d") == 2
    assert again.damaged == 1
    assert any(f"{path}:2" in text for text in warnings)
    assert again.record("d", "plan-3", "r", "c") == 3


def test_two_processes_count_every_opening_once(tmp_path: Path, together: Together) -> None:
    code = """
import sys
from pathlib import Path
from accordeur.store import Openings
ledger = Openings(Path(sys.argv[1]), warn=print)
START
for n in range(15):
    ledger.record("d", f"shared-{n}", "r", "c")
    ledger.record("d", f"{sys.argv[2]}-{n}", "r", "c")
"""
    path = tmp_path / "openings.jsonl"
    assert together(code, 2, path) == ["", ""]
    ledger = Openings(path)
    assert ledger.count("d") == 45
    assert len(path.read_text().splitlines()) == 45
    assert ledger.damaged == 0


def test_an_opening_that_cannot_be_written_down_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        Openings(tmp_path / "file" / "openings.jsonl").record("d", "p", "r", "c")
