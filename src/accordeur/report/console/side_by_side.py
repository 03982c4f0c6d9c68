"""Two runs side by side. Nothing is tested: their rows need not be the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from accordeur.report.console.words import cell, lines, table
from accordeur.report.data import Entry, entries_of
from accordeur.report.numbers import DASH, count, interval, money, points, share

Record = Mapping[str, Any]


def compare(record_a: Record, record_b: Record) -> RenderableType:
    """The facts of two runs, then the scores of every entry of either."""
    facts = table()
    facts.add_column("", no_wrap=True)
    facts.add_column("A", overflow="fold")
    facts.add_column("B", overflow="fold")
    for (name, a), (_, b) in zip(_facts(record_a), _facts(record_b), strict=True):
        style = "" if a == b else "bold"
        facts.add_row(cell(name, "dim"), cell(a, style), cell(b, style))
    scores = table("", "Points with 95 % intervals. Not a paired comparison: nothing is tested.")
    scores.add_column("Entry", overflow="fold")
    for heading in ("Dev A", "Dev B", "Held-out A", "Held-out B"):
        scores.add_column(heading, justify="right", no_wrap=True)
    one, two = ({entry.name: entry for entry in entries_of(r)} for r in (record_a, record_b))
    for name in dict.fromkeys([*one, *two]):
        cells = [
            _score(found.get(name), split) for split in ("dev", "test") for found in (one, two)
        ]
        scores.add_row(cell(name, "bold"), *cells)
    return Group(facts, scores)


def _facts(record: Record) -> list[tuple[str, str]]:
    task, plan = record["task"], record.get("plan") or {}
    decision, held_out = record.get("decision") or {}, record.get("held_out") or {}
    counts = task.get("counts") or {}
    pick = next((entry for entry in entries_of(record) if entry.pick), None)
    sureness = str(decision.get("word") or DASH)
    if decision.get("sureness") is not None:
        sureness += f", {share(decision['sureness'])}"
    currency = str((task.get("prices") or {}).get("currency") or "")
    return [
        ("run", str(record["run"])),
        ("task", f"{task['name']} {str(task.get('digest') or '')[:10]}"),
        ("metric", str(task.get("metric_title") or task["metric"])),
        ("model", str((record.get("model") or {}).get("name") or "none")),
        ("rows", ", ".join(f"{number} {name}" for name, number in counts.items() if number)),
        ("seed", str(plan.get("seed", DASH))),
        ("pick", pick.name if pick else "none"),
        ("configuration", (pick.configuration if pick else "") or DASH),
        ("sureness", sureness),
        ("held-out", (held_out.get("primary") or {}).get("outcome") or DASH),
        ("total", money(pick.cost.get("total"), currency) if pick else DASH),
        ("queries", count((task.get("limits") or {}).get("queries"))),
    ]


def _score(entry: Entry | None, split: str) -> Text:
    measured = entry.measured(split) if entry else None
    if measured is None:
        return Text(entry.status if entry and entry.status != "finished" else DASH, style="dim")
    return lines(
        cell(points(measured["score"]), "bold"), cell(interval(measured.get("interval")), "dim")
    )
