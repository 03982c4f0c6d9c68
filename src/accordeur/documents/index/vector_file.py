"""The vectors of an index: a NumPy file, float32 [passages, d], mapped into memory when it is read.

A file is written whole under a name of its own and never changed; the database says which one
counts, in the same transaction that names its passages. Others are leftovers.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from accordeur.core.errors import StoreError
from accordeur.core.model import FloatArray
from accordeur.store.durable import write_atomic

PATTERN = "vectors-*.npy"


def write_vectors(folder: Path, shape: tuple[int, int], blocks: Iterable[FloatArray]) -> str:
    """Write a file of vectors, and give its name.

    Args:
        folder: of the index.
        shape: [passages, d].
        blocks: the rows in order, float32 [any, d].

    Raises:
        StoreError: it cannot be written.
    """
    name = f"vectors-{secrets.token_hex(6)}.npy"
    write_atomic(folder / name, _pieces(shape, blocks))
    return name


def _pieces(shape: tuple[int, int], blocks: Iterable[FloatArray]) -> Iterator[bytes]:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    yield head.getvalue()
    for block in blocks:
        yield np.ascontiguousarray(block, dtype="<f4").tobytes()


def map_vectors(path: Path, shape: tuple[int, int]) -> FloatArray:
    """The vectors of a file, read as they are needed.

    Raises:
        StoreError: the file is missing, damaged or holds other vectors than are named.
    """
    try:
        found: FloatArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(path) from error
    if found.shape != shape or found.dtype != np.float32:
        raise damaged(path)
    return found


def damaged(path: Path) -> StoreError:
    """The message about vectors that cannot be used."""
    return StoreError(
        f"The vectors of the index, `{path}`, are missing or damaged.",
        hint=f"accordeur index build {path.parent} DOCS... --again",
    )
