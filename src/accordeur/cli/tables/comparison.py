"""The comparison and the verdict of a finished run, from its record (docs/run-record.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from accordeur.cli.figures import measured
from accordeur.cli.terminal import cut, one_line, table
from accordeur.report.numbers import DASH, money, points, seconds, signed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

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
    pick = (record.get("decision") or {}).get("pick")
    shown = "test" if record.get("held_out") is not None else "dev"
    heads = [">dev", ">est", "held-out, 95 %" if shown == "test" else "dev, 95 %", ">to as-is"]
    tails = [">a query", ">to make", ">total", "~configuration"] if wide else [">total"]
    made = table("", "~entry", *heads, *tails)
    for entry in ranked(record):
        cost = entry.get("cost") or {}
        picked = entry["name"] == pick
        cells: list[str | Text] = [
            "→" if picked else "",
            cut(entry["name"]),
            points((entry.get("dev") or {}).get("score")),
            points(entry.get("est")),
            measured(entry.get(shown)),
            signed((entry.get("against_as_is") or {}).get("difference")),
        ]
        if wide:
            cells += [seconds(cost.get("cold_seconds")), seconds(cost.get("fit_seconds"))]
        cells.append(money(cost.get("total")))
        if wide:
            cells.append(cut(entry.get("configuration") or ""))
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
    said = f"{title} in points; dev {counts.get('dev', DASH)} rows"
    if rows.get("n") is not None:
        said += f", held-out {rows['n']} rows"
    costs = [cost for entry in record.get("entries", ()) if (cost := entry.get("cost"))]
    about = "est: dev without the luck of choosing; to as-is: difference to the prompt as given"
    total = ""
    if costs:
        total = f"; total: {costs[0]['currency']} for {costs[0]['queries']:,} queries"
    return [f"→ the pick. {said}.", f"{about}{total}."]


def counted_failures(entry: Entry) -> str:
    """Answers that were no answers, counted apart; empty when there were none."""
    side = entry.get("test") or entry.get("dev") or {}
    statuses = {name: count for name, count in (side.get("statuses") or {}).items() if name != "ok"}
    return ", ".join(f"{count} {one_line(name)}" for name, count in statuses.items())


def show_verdict(console: Console, record: Record) -> None:
    """Print the paragraph a manager reads, then the sentences an engineer reads."""
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
        console.print(f"- {one_line(sentence)}")
