"""Rows most worth labelling: where the candidates disagree.

Seung, Opper and Sompolinsky 1992, "Query by Committee". The finished candidates are the committee.
Labels: vote entropy (Dagan and Engelson 1995). Texts hardly ever agree word for word, so there
disagreement is one less the mean token F1 over all pairs of answers.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from accordeur.bench.entries import Outcome
from accordeur.bench.fit_context import Bench
from accordeur.core.answer import Answer
from accordeur.core.rendering import Request
from accordeur.core.task import Example, TaskKind
from accordeur.measure.metrics.token_f1 import token_f1
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.assemble import assemble

ENOUGH_ROWS = 60
"""Labelled rows from which a held-out split is drawn (P1)."""

_MOST: Mapping[TaskKind, int] = {"labels": 200, "text": 50}
"""Rows asked about at most; a text takes a generation of every member."""

_AT_ONCE = 50
"""Rows asked about between two looks at the clock."""


def vote_entropy(votes: Sequence[str]) -> float:
    """Entropy of the committee's votes, nats."""
    counts = Counter(votes)
    return -sum(n / len(votes) * math.log(n / len(votes)) for n in counts.values())


def text_disagreement(texts: Sequence[str]) -> float:
    """One less the mean token F1 over all pairs of at least two texts; 0 to 1."""
    return 1.0 - statistics.fmean(token_f1(a, b) for a, b in itertools.combinations(texts, 2))


def most_worth_labelling(
    rows: Sequence[Example], outcomes: Sequence[Outcome], bench: Bench
) -> list[tuple[Example, float]]:
    """Unlabelled rows by falling disagreement, ties in row order.

    Args:
        rows: the first 200 are asked about, 50 where answers are texts, and no more than the clock
            allows.
        outcomes: finished entries form the committee.
        bench: task, models, answer cache and clock of the run.
    """
    best = [one.best for one in outcomes if one.finished and one.best is not None]
    if len(best) < 2:
        return []
    committee = [assemble(one.candidate, bench.source, cache=bench.cache) for one in best]
    ranked: list[tuple[Example, float]] = []
    rows = rows[: _MOST[bench.task.kind]]
    for at in range(0, len(rows), _AT_ONCE):
        if bench.budget.spent:
            break
        block = rows[at : at + _AT_ONCE]
        for row, answers in zip(block, _asked(committee, block), strict=True):
            if bench.task.kind == "labels":
                ranked.append((row, vote_entropy([one.label or one.text for one in answers])))
            else:
                ranked.append((row, text_disagreement([one.text for one in answers])))
    return sorted(ranked, key=lambda pair: -pair[1])


def _asked(committee: Sequence[Answerer], rows: Sequence[Example]) -> Iterator[list[Answer]]:
    """Every member's answers, row by row."""
    requests = [Request.from_example(row) for row in rows]
    said: list[list[Answer]] = [[] for _ in rows]
    for member in committee:
        for batch in member.answer(requests):
            for index, answer in zip(batch.indices, batch.results, strict=True):
                said[index].append(answer)
    yield from said
