"""Content hashes and the seeds derived from them.

Everything that names a plan, a candidate, a cached answer or a split does so by the SHA-256 of its
canonical JSON: keys sorted, no spaces, UTF-8, NaN refused.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Encode plain data so that equal values give equal bytes.

    Raises:
        TypeError: the value holds something JSON has no word for.
        ValueError: the value holds NaN or an infinity.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


def digest(value: Any) -> str:
    """SHA-256 of plain data, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_bytes(data: bytes) -> str:
    """SHA-256 of bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def seed_for(run_seed: int, *names: str) -> int:
    """A 32-bit seed for one stage of a run: hash(run seed, lever, stage) of DESIGN P9.

    Independent names give unrelated streams, so adding a lever to a plan never moves the random
    draws of another.
    """
    data = canonical_json([run_seed, *names])
    return int.from_bytes(hashlib.sha256(data).digest()[:4], "big")
