"""Several prompts of one request, answered in the same batches, made one result."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields

import numpy as np

from accordeur.core.model import Batch, Scored, Usage


def every_member(done: Collection[int], members: int) -> frozenset[int]:
    """Indices of the prompts of requests that need no answer."""
    return frozenset(index * members + member for index in done for member in range(members))


def mixed(
    batches: Iterator[Batch[tuple[Scored, float]]], members: int
) -> Iterator[Batch[tuple[Scored, float]]]:
    """Results per request, as soon as all its prompts have one.

    Args:
        batches: of prompts; those of request i have the indices i * members and on.
        members: prompts per request.
    """
    held: dict[int, dict[int, tuple[Scored, float]]] = {}
    seconds, tokens = 0.0, 0
    for batch in batches:
        seconds, tokens = seconds + batch.seconds, tokens + batch.tokens
        whole = []
        for index, result in zip(batch.indices, batch.results, strict=True):
            request, member = divmod(index, members)
            got = held.setdefault(request, {})
            got[member] = result
            if len(got) == members:
                whole.append(request)
        if whole:
            results = tuple(_one(held.pop(request), members) for request in whole)
            yield Batch(tuple(whole), results, seconds, tokens)
            seconds, tokens = 0.0, 0


def _one(got: Mapping[int, tuple[Scored, float]], members: int) -> tuple[Scored, float]:
    results = [got[at] for at in range(members)]
    return mixture([scored for scored, _ in results]), sum(took for _, took in results)


def mixture(members: Sequence[Scored]) -> Scored:
    """Log-probabilities of the continuations when a member is drawn at random; tokens add up."""
    table = np.array([one.scores for one in members], dtype=np.float64)
    scores = np.logaddexp.reduce(table, axis=0) - np.log(len(members))
    usage = Usage(
        **{
            field.name: sum(getattr(one.usage, field.name) for one in members)
            for field in fields(Usage)
        }
    )
    return Scored(tuple(float(score) for score in scores), usage)
