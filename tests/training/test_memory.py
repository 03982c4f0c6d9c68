"""What a process holds beyond what it uses."""

from __future__ import annotations

import ctypes
import sys

import pytest
import torch

from accordeur.training.memory import release, resident

CPU = torch.device("cpu")

glibc = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="this C library gives memory back by itself, or not at all",
)


@glibc
def test_memory_that_was_freed_is_given_back() -> None:
    release()
    before = resident(CPU)
    assert before is not None
    pieces = [torch.ones(25_000) for _ in range(4_000)]  # 100 kB each: below what is mapped alone
    held = resident(CPU)
    assert held is not None
    assert held - before > 300e6
    pinned = pieces[::40]  # lie between the others, so no stretch at the end is free
    del pieces
    kept = resident(CPU)
    release()
    after = resident(CPU)
    assert kept is not None
    assert after is not None
    assert after < kept - 200e6
    assert all(float(one.sum()) == 25_000 for one in pinned)
