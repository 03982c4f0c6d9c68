"""Answers to requests for vectors, as plain data: `/embeddings`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from accordeur.core.model import FloatArray
from accordeur.models.openai_api.failures import Failure, Kind, from_answer


def read_embeddings(text: str, wanted: int) -> FloatArray:
    """The unit vectors in a response's body, float32 [wanted, d].

    Raises:
        Failure: it is no JSON, no list of as many vectors of one length, or one of them has no
            direction.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Failure(Kind.NOT_JSON, f"the answer is not JSON: {text[:80]!r}") from None
    if not isinstance(data, dict):
        raise Failure(Kind.MALFORMED, "the answer is no JSON object")
    inside = from_answer(data)
    if inside is not None:
        raise inside
    vectors = np.array(_rows(data, wanted), dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise Failure(Kind.MALFORMED, "a vector is no direction: zero or not finite")
    unit: FloatArray = (vectors / lengths).astype(np.float32)
    return unit


def _rows(data: dict[str, Any], wanted: int) -> list[list[float]]:
    """Vectors by their `index`, which need not be the order they come in."""
    try:
        by_index = {int(one["index"]): [float(x) for x in one["embedding"]] for one in data["data"]}
        rows = [by_index[at] for at in range(wanted)]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Failure(Kind.MALFORMED, f"the answer does not hold {wanted} vectors") from None
    sizes = {len(row) for row in rows}
    if len(by_index) != wanted or len(sizes) != 1 or sizes == {0}:
        raise Failure(Kind.MALFORMED, f"the answer does not hold {wanted} vectors of one length")
    return rows
