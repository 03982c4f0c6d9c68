"""Checkpoints of one fit as files: arrays in safetensors, facts and hashes in a manifest.

`NAME.safetensors` is written first and `NAME.json`, which holds its SHA-256, last; each appears
whole or not at all. A checkpoint without its manifest, or with another hash of its file or of its
facts, is none.
What a killed writer left half-written is swept by the run folder when it is locked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.core.checkpoints import Saved
from accordeur.core.model import FloatArray
from accordeur.store.durable import disk_errors, make_folder, pretty_json, write_atomic

FORMAT = 1
_BLOCK = 1 << 22


class CheckpointFolder:
    """A `core.checkpoints.Checkpoints` in a folder, which is made when something is written.

    Args:
        folder: of this fit alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Of those with a manifest."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def write(self, name: str, arrays: Mapping[str, FloatArray], facts: Mapping[str, Any]) -> None:
        """Keep arrays and plain data under a name. Errors as in `Checkpoints.write`."""
        make_folder(self._folder)
        with disk_errors(self._folder, "The checkpoints before it are kept."):
            self._manifest(name).unlink(missing_ok=True)
        hashed = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for piece in safetensors_pieces(arrays):
                hashed.update(piece)
                yield piece

        write_atomic(self._arrays(name), pieces())
        manifest = {
            "format": FORMAT,
            "sha256": hashed.hexdigest(),
            "facts_sha256": _facts_sha256(facts),
            "facts": facts,
        }
        write_atomic(self._manifest(name), pretty_json(manifest))

    def read(self, name: str) -> Saved | None:
        """What was kept, or `None` when it is not there or damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            manifest = json.loads(self._manifest(name).read_bytes())
            facts = dict(manifest["facts"])
            whole = (
                manifest["format"] == FORMAT
                and manifest["facts_sha256"] == _facts_sha256(facts)
                and manifest["sha256"] == _sha256(self._arrays(name))
            )
            return (load_file(self._arrays(name)), facts) if whole else None
        except (OSError, ValueError, KeyError, TypeError, SafetensorError):
            return None

    def remove(self, name: str) -> None:
        """Forget one, its manifest first."""
        for path in (self._manifest(name), self._arrays(name)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _manifest(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _arrays(self, name: str) -> Path:
        return self._folder / f"{name}.safetensors"


def safetensors_pieces(arrays: Mapping[str, FloatArray]) -> Iterator[bytes]:
    """A safetensors file of float32 arrays, array by array: never all of it twice in memory.

    The format is 8 bytes of length, little-endian, a JSON header with name, type, shape and byte
    range of every tensor, padded with spaces to a multiple of 8, then the numbers.
    """
    header: dict[str, Any] = {}
    at = 0
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise TypeError(f"`{name}` is {array.dtype}, not float32")
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for array in arrays.values():
        yield np.ascontiguousarray(array).tobytes()


def _facts_sha256(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hashed.update(block)
    return hashed.hexdigest()
