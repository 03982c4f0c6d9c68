"""Decides which prompts are computed together, from the whole list and nothing else.

Equal prompts are computed once. Prompts are grouped by their shared prefix; inside a group, rows
that start alike for long enough (questions about one paragraph) share that start as a *stem*, which
is computed once for them; the rest goes by length into batches under a token budget.

The plan is a function of the list of prompts and the budget, so a resumed run forms the same
batches (DESIGN P9). With `alone`, every distinct prompt is a batch of its own and nothing that
depends on its companions is shared (D2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from accordeur.models.local.fitting import Prompt

TOKENS = 4_096
"""Token budget of a batch: padded row text and tree nodes of all its rows."""

_STEM_TOKENS = 32
_STEM_SAVING = 256


@dataclass(frozen=True, slots=True)
class Row:
    """A distinct prompt.

    Attributes:
        tokens: what follows prefix and stem; never empty.
        indices: the prompts of the list that are this one.
    """

    tokens: tuple[int, ...]
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """One batch.

    Attributes:
        prefix: shared by the whole candidate; worth keeping.
        stem: shared by this batch alone; usually empty.
        rows: longest first.
    """

    prefix: tuple[int, ...]
    stem: tuple[int, ...]
    rows: tuple[Row, ...]

    @property
    def indices(self) -> tuple[int, ...]:
        """All prompts it answers, row by row."""
        return tuple(index for row in self.rows for index in row.indices)


def plan(
    prompts: Sequence[Prompt],
    *,
    extra: int,
    budget: int = TOKENS,
    most: int | None = None,
    stems: bool = True,
    alone: bool = False,
) -> list[Work]:
    """Batches for a list of prompts, in the order of first appearance of their prefixes.

    Args:
        prompts: to be computed.
        extra: positions every row takes beside its text.
        budget: positions of a batch, padding included; a longer row is a batch by itself.
        most: rows of a batch at most.
        stems: rows that start alike may share that start; not so before an encoder.
        alone: one distinct prompt per batch, nothing shared but its own prefix.
    """
    groups: dict[tuple[int, ...], dict[tuple[int, ...], list[int]]] = {}
    for index, prompt in enumerate(prompts):
        groups.setdefault(prompt.prefix, {}).setdefault(prompt.row, []).append(index)
    works = []
    for prefix, distinct in groups.items():
        rows = [Row(tokens, tuple(indices)) for tokens, indices in distinct.items()]
        if alone:
            works += [Work(prefix, (), (row,)) for row in rows]
            continue
        for stem, members in _stems(rows) if stems else [((), rows)]:
            cut = [Row(row.tokens[len(stem) :], row.indices) for row in members]
            cut.sort(key=lambda row: (-len(row.tokens), row.indices))
            works += [Work(prefix, stem, part) for part in _fill(cut, extra, budget, most)]
    return works


def _fill(
    rows: Sequence[Row], extra: int, budget: int, most: int | None
) -> Iterator[tuple[Row, ...]]:
    """Cut rows, longest first, into batches."""
    at = 0
    while at < len(rows):
        size = max(1, budget // (len(rows[at].tokens) + extra))
        size = size if most is None else min(size, most)
        yield tuple(rows[at : at + size])
        at += size


def _stems(rows: Sequence[Row]) -> list[tuple[tuple[int, ...], list[Row]]]:
    """Rows with the start they share; those without one come last, together.

    One greedy pass over the rows in token order: a run grows as long as that saves more tokens, and
    is kept when it saves `_STEM_SAVING`, about what a batch of its own costs.
    """
    ordered = sorted(rows, key=lambda row: row.tokens)
    found: list[tuple[tuple[int, ...], list[Row]]] = []
    rest: list[Row] = []
    at = 0
    while at < len(ordered):
        end, stem = at + 1, len(ordered[at].tokens) - 1
        while end < len(ordered):
            longer = min(stem, _common(ordered[at].tokens, ordered[end].tokens))
            if longer < _STEM_TOKENS or (end - at) * longer < (end - at - 1) * stem:
                break
            stem, end = longer, end + 1
        if (end - at - 1) * stem >= _STEM_SAVING and end - at > 1:
            found.append((ordered[at].tokens[:stem], list(ordered[at:end])))
        else:
            rest += ordered[at:end]
        at = end
    return [*found, ((), rest)] if rest else found


def _common(left: tuple[int, ...], right: tuple[int, ...]) -> int:
    """Length of the common start, at most one less than either row."""
    limit = min(len(left), len(right)) - 1
    for at in range(limit):
        if left[at] != right[at]:
            return at
    return max(limit, 0)
