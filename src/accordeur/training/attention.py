"""Which attention a forward pass of training uses on a CPU.

The fused kernel never holds the scores of all pairs, which long texts need. On short ones its
backward pass takes several times as long as plain products and a softmax, which hold them.
Measured: docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PLAIN_SCORES = 1 << 21
"""Scores of one layer up to which plain attention is used; they are kept for the backward pass."""


@contextmanager
def attention_for(base: Any, rows: int, queries: int, keys: int) -> Iterator[None]:
    """Switch a transformer to plain attention where that is faster, and back.

    Args:
        base: of transformers; on other devices, or with another attention than the fused one, it
            stays as it is.
        rows: of the batch.
        queries, keys: positions of each row.
    """
    scores = rows * int(base.config.num_attention_heads) * queries * keys
    fused = base.config._attn_implementation == "sdpa"
    if not fused or scores > PLAIN_SCORES or base.device.type != "cpu":
        yield
        return
    base.set_attn_implementation("eager")
    try:
        yield
    finally:
        base.set_attn_implementation("sdpa")
