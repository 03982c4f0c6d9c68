"""What an evaluation's page shows: numbers, filled prompts, and as many rows as a page can hold."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from accordeur.bench.matrix.filling import rendered, variables
from accordeur.bench.matrix.folder import Results
from accordeur.bench.matrix.outputs import row_json
from accordeur.bench.matrix.plan import Plan
from accordeur.bench.matrix.scoring import Outcome
from accordeur.bench.matrix.summary import rows_of

MOST_ROWS = 1_000
"""On the page; those that did not pass come first."""

MOST_TEXT = 4_000
"""Characters of one answer or value on the page."""


def page_data(plan: Plan, results: Results, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data for `report.evaluation`."""
    failed: list[dict[str, Any]] = []
    passed: list[dict[str, Any]] = []
    count = 0
    for row in rows_of(plan, results):
        count += 1
        kept = passed if row.folded.outcome is Outcome.PASS else failed
        if len(kept) < MOST_ROWS:
            kept.append(_short(row_json(row)))
    rows = [*failed, *passed][:MOST_ROWS]
    return {
        "summary": summary,
        "rows": rows,
        "left_out": count - len(rows),
        "prompts": _prompts(plan),
    }


def _prompts(plan: Plan) -> list[dict[str, Any]]:
    first = next(islice(plan.matrix.cases, 1))
    shown = variables(first)
    return [
        {
            "column": one.number,
            "label": one.label,
            "text": "\n\n".join(
                f"{message.role}: {message.text}"
                for message in rendered(one.prompt, first, shown).messages
            ),
        }
        for one in plan.columns
    ]


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MOST_TEXT else f"{value[:MOST_TEXT]} …"
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in value]
    return value
