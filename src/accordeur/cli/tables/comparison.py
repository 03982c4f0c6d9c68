"""The comparison and the verdict of a finished run, from its record (docs/run-record.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from accordeur.cli.figures import (
    UNKNOWN,
    difference,
    duration,
    measured,
    money,
    points,
)
from accordeur.cli.terminal import one_line, table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDE = 110
"""Columns from which everything has room; narrower ones leave out what the report shows too."""

Record = Mapping[str, Any]
Entry = Mapping[str, Any]


def comparison_table(record: Record, width: int) -> Table:
    """Entries with a score, the best first, the pick marked.

    Columns: dev score; est, with the optimism of choosing removed; the held-out score with its 95 %
    interval, else dev's; the difference to the prompt as given; seconds of one query; total cost.
    """
    wide = width >= WIDE
    decision = record.get("decision") or {}
    held_out = record.get("held_out") is not None
    shown = "test" if held_out else "dev"
    heads = [">dev", ">est", "held-out, 95 %" if held_out else "dev, 95 %", ">as-is"]
    made = table("", "entry", *heads, *([">a query", ">to make"] if wide else []), ">total")
    if wide:
        made.add_column("configuration", overflow="ellipsis", no_wrap=True)
    for entry in ranked(record):
        cost = entry.get("cost") or {}
        against = entry.get("against_as_is") or {}
        picked = entry["name"] == decision.get("pick")
        cells = [
            "→" if picked else "",
            one_line(entry["name"], 32 if wide else 22),
            points((entry.get("dev") or {}).get("score")),
            points(entry.get("est")),
            measured(entry.get(shown)),
            difference(against.get("difference")),
        ]
        if wide:
            cells += [duration(cost.get("cold_seconds")), duration(cost.get("fit_seconds"))]
        cells.append(money(cost.get("total"), cost.get("currency", "")))
        if wide:
            cells.append(one_line(entry.get("configuration") or "", 28))
        made.add_row(*cells, style="bold" if picked else None)
    return made


def ranked(record: Record) -> list[Entry]:
    """Entries with a score: by estimate, then dev score, best first."""

    def worth(entry: Entry) -> tuple[float, float]:
        dev = (entry.get("dev") or {}).get("score")
        estimate = entry.get("est")
        return (-1.0 if estimate is None else estimate, -1.0 if dev is None else dev)

    scored = [entry for entry in record.get("entries", ()) if entry.get("dev")]
    return sorted(scored, key=worth, reverse=True)


def show_comparison(console: Console, record: Record) -> None:
    """Print the table, what its columns say, and what did not come to a score."""
    made = comparison_table(record, console.width)
    console.print()
    if made.row_count:
        console.print(made)
        console.print()
        for line in legend(record):
            console.print(line, style="dim")
    for entry in record.get("entries", ()):
        if entry.get("status") != "finished":
            reason = one_line(entry.get("reason") or "no reason is known")
            console.print(f"{one_line(entry['name'])} {entry.get('status')}: {reason}")
        elif notes := counted_failures(entry):
            console.print(f"{one_line(entry['name'])}: {notes}", style="dim")


def legend(record: Record) -> list[str]:
    """What the columns say, one or two lines."""
    task = record.get("task") or {}
    title = one_line(str(task.get("metric_title") or task.get("metric") or "score"))
    rows = record.get("held_out") or {}
    counts = task.get("counts") or {}
    said = f"{title} in points; dev {counts.get('dev', UNKNOWN)} rows"
    if rows.get("n") is not None:
        said += f", held-out {rows['n']} rows"
    queries = next(
        (cost["queries"] for entry in record.get("entries", ()) if (cost := entry.get("cost"))),
        None,
    )
    about = "est: dev without the luck of choosing; as-is: difference to the prompt as given"
    total = "" if queries is None else f"; total: for {queries:,} queries"
    return [f"→ the pick. {said}.", f"{about}{total}."]


def counted_failures(entry: Entry) -> str:
    """Answers that were no answers, counted apart; empty when there were none."""
    side = entry.get("test") or entry.get("dev") or {}
    statuses = {
        name: count for name, count in (side.get("statuses") or {}).items() if name != "ok"
    }
    return ", ".join(f"{count} {one_line(name)}" for name, count in statuses.items())


def show_verdict(console: Console, record: Record) -> None:
    """Print the paragraph a manager reads, then the sentences an engineer reads."""
    from rich.padding import Padding

    verdict = record.get("verdict") or {}
    headline = one_line(verdict.get("headline") or "")
    paragraph = one_line(verdict.get("paragraph") or "")
    console.print()
    if headline:
        console.print(headline, style="bold")
    rest = paragraph.removeprefix(headline).strip()
    if rest:
        console.print(rest)
    sentences: Sequence[str] = verdict.get("sentences") or ()
    for sentence in sentences:
        console.print(Padding(f"- {one_line(sentence)}", (0, 0, 0, 0)))
