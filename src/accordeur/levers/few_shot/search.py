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
    """A set one move away: a new order, or one row exchanged for another of the same label."""
    moved = list(chosen)
    if len(moved) > 1 and rng.random() < 0.5:
        order = rng.permutation(len(moved))
        return [moved[int(i)] for i in order]
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
