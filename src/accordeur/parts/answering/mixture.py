"""Several prompts of one request, answered in the same batches, made one result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from accordeur.core.model import Batch, Scored
from accordeur.parts.answering.members import collected, total_usage


def mixed(
    batches: Iterator[Batch[tuple[Scored, float]]], members: int
) -> Iterator[Batch[tuple[Scored, float]]]:
    """Mixtures per request, as soon as all its prompts are scored; see `collected`."""
    return collected(batches, members, _one)


def _one(results: Sequence[tuple[Scored, float]]) -> tuple[Scored, float]:
    return mixture([scored for scored, _ in results]), sum(took for _, took in results)


def mixture(members: Sequence[Scored]) -> Scored:
    """Log-probabilities of the continuations when a member is drawn at random; tokens add up."""
    table = np.array([one.scores for one in members], dtype=np.float64)
    scores = np.logaddexp.reduce(table, axis=0) - np.log(len(members))
    usage = total_usage([one.usage for one in members])
    return Scored(tuple(float(score) for score in scores), usage)
