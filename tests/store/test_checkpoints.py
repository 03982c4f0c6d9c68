"""Checkpoints are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.store.checkpoints import CheckpointFolder, safetensors_pieces


def test_what_was_written_is_read(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "deep" / "place")
    assert folder.names() == []
    assert folder.read("a") is None
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "y": np.zeros(0, np.float32)}
    folder.write("a", arrays, {"step": 3, "losses": [0.1 + 0.2]})
    folder.write("b", {}, {})
    assert folder.names() == ["a", "b"]
    saved = folder.read("a")
    assert saved is not None
    assert saved[1] == {"step": 3, "losses": [0.1 + 0.2]}
    assert all(np.array_equal(saved[0][name], array) for name, array in arrays.items())
    folder.write("a", {}, {"step": 4})
    assert folder.read("a") == ({}, {"step": 4})
    folder.remove("a")
    folder.remove("a")
    assert folder.names() == ["b"]
    folder.clear()
    assert folder.names() == []


def test_a_file_without_its_manifest_or_with_another_hash_is_none(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.write("a", {"x": np.ones(4, np.float32)}, {})
    place = tmp_path / "a.safetensors"
    place.write_bytes(place.read_bytes()[:-1] + b"\0")
    assert folder.read("a") is None
    folder.write("a", {"x": np.ones(4, np.float32)}, {})
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    assert folder.read("a") is None
    (tmp_path / "a.json").unlink()
    assert folder.names() == []


@pytest.mark.parametrize("suffix", ["json", "safetensors"])
def test_one_flipped_bit_anywhere_is_noticed(suffix: str, tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.write("a", {"x": np.ones(2, np.float32)}, {"losses": [0.25, 0.5], "step": 2})
    place = tmp_path / f"a.{suffix}"
    whole = place.read_bytes()
    for at in range(len(whole)):
        place.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert folder.read("a") is None, whole[at - 10 : at + 10]
    place.write_bytes(whole)
    assert folder.read("a") is not None


@given(
    shapes=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8),
        st.lists(st.integers(0, 4), max_size=3),
        max_size=5,
    )
)
def test_safetensors_reads_what_is_written_in_pieces(shapes: dict[str, list[int]]) -> None:
    from safetensors.numpy import load

    draws = np.random.default_rng(0)
    arrays = {
        name: draws.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()
    }
    read = load(b"".join(safetensors_pieces(arrays)))
    assert read.keys() == arrays.keys()
    assert all(np.array_equal(read[name], array) for name, array in arrays.items())


def test_other_numbers_than_float32_are_refused() -> None:
    with pytest.raises(TypeError, match="not float32"):
        list(safetensors_pieces({"x": np.zeros(2)}))  # type: ignore[dict-item]
