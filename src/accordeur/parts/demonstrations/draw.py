"""Demonstrations by seeded stratified draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accordeur.core.task import Example, TaskKind


def stratified_draw(
    rows: Sequence[Example], k: int, kind: TaskKind, rng: np.random.Generator
) -> list[Example]:
    """k rows, labels as even as the data allows, in random order; one row per group.

    Labels take turns in random order, each giving a random row it has left; text tasks have a
    single stratum. Fewer than k rows come back when there are not enough groups.
    """
    strata: dict[str, list[Example]] = {}
    for row in sorted(rows, key=lambda row: row.id):
        if row.expected:
            strata.setdefault(row.label if kind == "labels" else "", []).append(row)
    queues = [
        [members[int(i)] for i in rng.permutation(len(members))] for members in strata.values()
    ]
    queues = [queues[int(i)] for i in rng.permutation(len(queues))]
    chosen: list[Example] = []
    groups: set[str] = set()
    while len(chosen) < k and any(queues):
        for queue in queues:
            while queue:
                row = queue.pop()
                if row.group not in groups:
                    chosen.append(row)
                    groups.add(row.group)
                    break
            if len(chosen) == k:
                break
    return [chosen[int(i)] for i in rng.permutation(len(chosen))]
