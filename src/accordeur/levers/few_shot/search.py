"""Neighbours of a demonstration set: the moves of a small local search.

Lu et al. 2022, "Fantastically Ordered Prompts and Where to Find Them", show that order alone moves
accuracy widely; so a move either shuffles the order or exchanges one demonstration.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accordeur.core.task import Example, TaskKind


def neighbour(
    chosen: Sequence[Example],
    rows: Sequence[Example],
    kind: TaskKind,
    rng: np.random.Generator,
) -> list[Example]:
    """A set one move away: a new order, or one row exchanged for another of the same label.

    Where no row is left to exchange for, the order changes; a single row that cannot be exchanged
    stays.
    """
    moved = list(chosen)
    if len(moved) > 1 and rng.random() < 0.5:
        return _reordered(moved, rng)
    position = int(rng.integers(len(moved)))
    old = moved[position]
    used = {row.group for row in moved}
    fresh = [
        row
        for row in sorted(rows, key=lambda row: row.id)
        if row.expected and row.group not in used and (kind == "text" or row.label == old.label)
    ]
    if fresh:
        moved[position] = fresh[int(rng.integers(len(fresh)))]
        return moved
    return _reordered(moved, rng) if len(moved) > 1 else moved


def _reordered(rows: Sequence[Example], rng: np.random.Generator) -> list[Example]:
    order = rng.permutation(len(rows))
    while (order == np.arange(len(rows))).all():
        order = rng.permutation(len(rows))
    return [rows[int(i)] for i in order]
