"""Requests that are asked several times at once: their indices, and their results put together.

The prompts of request i have the indices i * members and on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields
from typing import TypeVar

from accordeur.core.model import Batch, Usage

M = TypeVar("M")
R = TypeVar("R")


def every_member(done: Collection[int], members: int) -> frozenset[int]:
    """Indices of the prompts of requests that need no answer."""
    return frozenset(index * members + member for index in done for member in range(members))


def collected(
    batches: Iterator[Batch[M]], members: int, together: Callable[[Sequence[M]], R]
) -> Iterator[Batch[R]]:
    """Results per request, as soon as all its prompts have one.

    Args:
        batches: of prompts.
        members: prompts per request.
        together: makes one result of those of a request, given in order.
    """
    held: dict[int, dict[int, M]] = {}
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
            found = (held.pop(request) for request in whole)
            results = tuple(together([got[at] for at in range(members)]) for got in found)
            yield Batch(tuple(whole), results, seconds, tokens)
            seconds, tokens = 0.0, 0


def total_usage(usages: Sequence[Usage]) -> Usage:
    """Tokens of several calls together."""
    return Usage(
        **{field.name: sum(getattr(one, field.name) for one in usages) for field in fields(Usage)}
    )
