from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.errors import StoreError
from accordeur.store.journal import Journal, decode_line, encode_line

PLAIN = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def filled(path: Path, count: int = 3) -> Journal:
    journal = Journal(path)
    for number in range(count):
        journal.append({"batch": number, "rows": ["é" * number, number / 3]})
    return journal


@settings(max_examples=60)
@given(st.dictionaries(st.text(min_size=1).filter(lambda key: key != "crc"), PLAIN, min_size=1))
def test_a_record_survives_its_line(record: dict[str, object]) -> None:
    line = encode_line(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_line(line[:-1]) == record


def test_a_line_is_json_for_everybody_else(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    filled(path)
    batches = [json.loads(line)["batch"] for line in path.read_text("utf-8").splitlines()]
    assert batches == [0, 1, 2]


def test_half_a_surrogate_pair_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.append({"text": "broken \ud83d emoji"})
    assert journal.records() == [{"text": "broken \ud83d emoji"}]


@pytest.mark.parametrize("record", [{}, {"crc": 1}, {"x": float("nan")}])
def test_a_record_that_cannot_be_a_line_is_refused_before_the_file_is_touched(
    tmp_path: Path, record: dict[str, object]
) -> None:
    with pytest.raises(ValueError):
        Journal(tmp_path / "j.jsonl").append(record)
    assert not (tmp_path / "j.jsonl").exists()


def test_wherever_the_last_line_is_torn_the_whole_ones_stand(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    filled(path)
    whole = path.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(start + 1, len(whole)):
        path.write_bytes(whole[:cut])
        warnings: list[str] = []
        journal = Journal(path, warn=warnings.append)
        assert [record["batch"] for record in journal.records()] == [0, 1]
        assert warnings == [], "a reader must not take another's line in progress for damage"
        journal.append({"batch": 2, "rows": ["éé", 2 / 3]})
        assert path.read_bytes() == whole
        assert len(warnings) == 1
        assert f"{path}:3" in warnings[0]


def test_any_changed_byte_of_a_line_costs_that_line_only(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    filled(path)
    whole = path.read_bytes()
    first = whole.find(b"\n") + 1
    second = whole.find(b"\n", first)
    for place in range(first, second):
        changed = bytearray(whole)
        changed[place] ^= 0x01
        path.write_bytes(changed)
        warnings: list[str] = []
        journal = Journal(path, warn=warnings.append)
        records = journal.records()
        assert [r["batch"] for r in records if r["batch"] != 1] == [0, 2]
        assert len(records) == 2
        assert f"{path}:2" in warnings[0]
        journal.records()
        assert sum(f"{path}:2" in text for text in warnings) == 1, "each line is told once"


def test_zeros_after_a_power_cut_are_an_unfinished_line(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    filled(path, 1)
    with path.open("ab") as file:
        file.write(b"\0" * 4096)
    journal = Journal(path)
    assert journal.repair() is True
    assert [record["batch"] for record in journal.records()] == [0]


def test_a_disk_that_fills_inside_a_line_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.jsonl"
    journal = filled(path)
    before = path.read_bytes()
    real = os.write
    calls = 0

    def nearly_full(descriptor: int, data: memoryview) -> int:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:9])

    monkeypatch.setattr(os, "write", nearly_full)
    with pytest.raises(StoreError, match="The disk is full") as caught:
        journal.append({"batch": 3})
    monkeypatch.undo()
    assert str(path) in caught.value.message
    assert "is kept" in caught.value.message
    assert "run the same command again" in caught.value.hint
    assert path.read_bytes() == before
    journal.append({"batch": 3})
    assert [record["batch"] for record in journal.records()] == [0, 1, 2, 3]


def test_an_interrupt_inside_a_line_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.jsonl"
    journal = filled(path)
    before = path.read_bytes()
    real = os.write

    def interrupted(descriptor: int, data: memoryview) -> int:
        real(descriptor, data[:9])
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.append({"batch": 3})
    monkeypatch.undo()
    assert path.read_bytes() == before
