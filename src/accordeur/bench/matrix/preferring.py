"""Two columns under a judge: which answers are better by a criterion, asked in both orders."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from accordeur.bench.matrix.filling import rendered, variables
from accordeur.bench.matrix.folder import Results
from accordeur.bench.matrix.matrix import Column
from accordeur.bench.matrix.plan import Plan
from accordeur.bench.matrix.scoring import Outcome
from accordeur.bench.matrix.sources import Sources, echoed
from accordeur.bench.matrix.summary import Row, rows_of
from accordeur.core.errors import TaskError
from accordeur.measure.judges.pairwise import prefer_all
from accordeur.measure.statistics.mcnemar import mcnemar
from accordeur.measure.statistics.wilson import wilson

BLOCK = 256
"""Pairs that a judge is asked about together."""


def prefer(plan: Plan, results: Results, a: Column, b: Column, sources: Sources) -> dict[str, Any]:
    """How often a judge prefers the second column's first answers to the first's.

    Returns:
        `criterion`, `judge`, `n` pairs with a verdict, `a`, `b`, `ties`, `turned` (ties because the
        order decided), `unjudged`, `share` of `b` among clear preferences with its Wilson
        `interval`, `p` of the exact sign test.

    Raises:
        TaskError: the config names no judge.
        EndpointGone: the judge cannot be asked.
    """
    matrix = plan.matrix
    if not matrix.judge:
        raise TaskError("`prefer` needs a model that judges.", hint="judge: openai/NAME")
    counts = {"a": 0, "b": 0, "neither": 0}
    turned = unjudged = 0
    pairs = _pairs(plan, results, a, b)
    while block := list(islice(pairs, BLOCK)):
        for one in prefer_all(matrix.judge, matrix.prefer, block, sources):
            turned += one.turned
            if one.better is None:
                unjudged += 1
            else:
                counts[one.better] += 1
    clear = counts["a"] + counts["b"]
    found = wilson(counts["b"], clear) if clear else None
    return {
        "criterion": matrix.prefer,
        "judge": matrix.judge,
        "n": clear + counts["neither"],
        "a": counts["a"],
        "b": counts["b"],
        "ties": counts["neither"],
        "turned": turned,
        "unjudged": unjudged,
        "share": counts["b"] / clear if clear else None,
        "interval": {"low": found.low, "high": found.high, "level": found.level} if found else None,
        "p": mcnemar(counts["a"], counts["b"]) if clear else None,
    }


def _pairs(plan: Plan, results: Results, a: Column, b: Column) -> Iterator[tuple[str, str, str]]:
    """Question and both answers of each case that both columns answered."""
    texts: dict[int, str] = {}
    case = -1
    for row in rows_of(plan, results):
        if row.number != case:
            case, texts = row.number, {}
        text = _text(row)
        if text is not None:
            texts[row.column.number] = text
        if row.column.number == plan.columns[-1].number and {a.number, b.number} <= set(texts):
            question = echoed(rendered(a.prompt, row.case, variables(row.case)))
            yield question, texts[a.number], texts[b.number]


def _text(row: Row) -> str | None:
    if not row.lines or row.lines[0].get("status") == Outcome.ERROR:
        return None
    return str(row.lines[0]["answer"]["text"])
