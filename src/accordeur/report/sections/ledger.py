"""The dev ledger: every configuration that was scored on dev, not only the best ones."""

from __future__ import annotations

from accordeur.report.data import Report
from accordeur.report.markup import Markup, join, tag
from accordeur.report.numbers import DASH, count, interval, points, seconds
from accordeur.report.sections.section import Section, folded, scrolled

_COLUMNS = (
    ("Entry", "text"),
    ("Configuration", "text"),
    ("k", "number"),
    ("Dev", "number"),
    ("Rows", "number"),
    ("Seconds", "number"),
    ("Tokens", "number"),
    ("Competes", "text"),
)


def ledger(report: Report) -> Section | None:
    """The whole ledger."""
    lines = report.record.get("ledger") or ()
    if not lines:
        return None
    head = [
        tag("th", word, scope="col", data_sort=kind, class_="number" if kind == "number" else None)
        for word, kind in _COLUMNS
    ]
    best = {entry.data.get("configuration_id") for entry in report.entries}
    body = []
    for line in lines:
        chosen = line.get("configuration_id") in best
        body.append(
            tag(
                "tr",
                tag("td", tag("code", line["entry"], dir="auto")),
                tag("td", str(line["configuration"]), tag("em", " best") if chosen else None),
                _number(line.get("k"), count(line.get("k"))),
                _number(
                    line.get("score"),
                    points(line.get("score")),
                    tag("small", interval(line["interval"])) if line.get("interval") else None,
                ),
                _number(line.get("n"), count(line.get("n"))),
                _number(line.get("seconds"), seconds(line.get("seconds"))),
                _number(line.get("tokens"), count(line.get("tokens"))),
                tag("td", "yes" if line.get("competes") else "beneath a stack"),
            )
        )
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="sortable plain")
    summary = f"All {count(len(body))} configurations scored on dev"
    note = tag("p", "Choosing among these is what the estimate pays for.", class_="note")
    return Section(
        "ledger", "Dev ledger", join(note, folded(summary, scrolled(table, "Dev ledger")))
    )


def _number(value: float | None, shown: str, below: Markup | None = None) -> Markup:
    return tag(
        "td",
        shown if value is not None else DASH,
        below,
        class_="number",
        data_value=None if value is None else repr(value),
    )
