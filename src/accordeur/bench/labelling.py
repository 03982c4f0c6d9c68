"""Rows most worth labelling: where the candidates disagree.

Seung, Opper and Sompolinsky 1992, "Query by Committee", with vote entropy (Dagan and Engelson
1995) over the finished candidates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from accordeur.bench.entries import Outcome
from accordeur.core.model import ModelSource
from accordeur.core.rendering import Request
from accordeur.core.task import Example
from accordeur.parts.assemble import assemble

ENOUGH_ROWS = 60
"""Labelled rows from which a held-out split is drawn (P1)."""


def vote_entropy(votes: Sequence[str]) -> float:
    """Entropy of the committee's votes, nats."""
    counts = Counter(votes)
    return -sum(n / len(votes) * math.log(n / len(votes)) for n in counts.values())


def most_worth_labelling(
    rows: Sequence[Example], outcomes: Sequence[Outcome], source: ModelSource, *, most: int = 200
) -> list[tuple[Example, float]]:
    """Unlabelled rows by falling disagreement, ties in row order.

    Args:
        rows: at most `most` are asked about, the first ones.
        outcomes: finished entries form the committee.
    """
    asked = list(rows[:most])
    committee = [one.best for one in outcomes if one.finished and one.best is not None]
    if not asked or len(committee) < 2:
        return []
    requests = [Request.from_example(row) for row in asked]
    votes: list[list[str]] = [[] for _ in asked]
    for member in committee:
        for batch in assemble(member.candidate, source).answer(requests):
            for index, answer in zip(batch.indices, batch.results, strict=True):
                votes[index].append(answer.label or answer.text)
    ranked = [(row, vote_entropy(said)) for row, said in zip(asked, votes, strict=True)]
    return sorted(ranked, key=lambda pair: -pair[1])
