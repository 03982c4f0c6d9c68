"""Answers to requests for relevance, as plain data: `/rerank`."""

from __future__ import annotations

import json
import math
from typing import Any

from accordeur.models.openai_api.failures import Failure, Kind, from_answer


def read_relevance(text: str, wanted: int) -> list[float]:
    """The scores in a response's body, in the order of the documents.

    Results come best first, so each is put back by its `index`.

    Raises:
        Failure: it is no JSON, or holds not exactly one finite score for each document.
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
    try:
        scores = _by_index(data)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Failure(Kind.MALFORMED, f"the answer does not hold {wanted} scores") from None
    if len(data["results"]) != wanted or sorted(scores) != list(range(wanted)):
        raise Failure(Kind.MALFORMED, f"the answer does not hold {wanted} scores, one a document")
    if not all(map(math.isfinite, scores.values())):
        raise Failure(Kind.MALFORMED, "a score is not finite")
    return [scores[at] for at in range(wanted)]


def _by_index(data: dict[str, Any]) -> dict[int, float]:
    return {int(one["index"]): float(one["relevance_score"]) for one in data["results"]}
