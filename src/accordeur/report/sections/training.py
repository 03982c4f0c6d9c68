"""Trained levers: what was learned from, and forecast against actual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.data import Entry, Report
from accordeur.report.markup import Markup, join, tag
from accordeur.report.numbers import DASH, count, seconds, significant, size
from accordeur.report.sections.section import Section, folded, scrolled

_COLUMNS = ("Entry", "Steps", "Rows", "Trained", "Loss", "Time", "Memory")


def training(report: Report) -> Section | None:
    """One line per entry that was trained; nothing when none was."""
    trained = [
        entry
        for entry in report.entries
        if "training" in (notes := entry.data.get("notes") or {}) or "targets" in notes
    ]
    if not trained:
        return None
    head = tag("tr", [tag("th", word, scope="col") for word in _COLUMNS])
    table = tag(
        "table",
        tag("thead", head),
        tag("tbody", [_line(entry) for entry in trained]),
        class_="plain",
    )
    note = tag(
        "p",
        "Time is that of the optimiser steps, memory what they took above what was in use; each "
        "beside what three steps forecast. Loss is the mean over the first and over the last "
        "quarter of the steps, nats per answer token.",
        class_="note",
    )
    shown = [join(_warning(entry), _targets(entry)) for entry in trained]
    return Section("training", "Training", join(scrolled(table, "Training"), note, shown))


def _line(entry: Entry) -> Markup:
    notes = entry.data["notes"]
    targets, facts = notes.get("targets", {}), notes.get("training")
    cells: list[Markup | str | None] = [DASH, count(targets.get("rows")), DASH, DASH, DASH, DASH]
    if facts is not None:
        forecast, actual = facts["forecast"], facts["actual"]
        cells = [
            f"{count(facts['steps'])} of {count(facts['batch_rows'])} rows",
            count(targets.get("rows")),
            count(facts["trained"]),
            _loss(facts["losses"]),
            _both(seconds(actual["seconds"]), seconds(forecast["seconds"])),
            _both(size(actual["bytes"]), size(forecast["bytes"])),
        ]
    return tag(
        "tr",
        tag("th", tag("code", entry.name, dir="auto"), scope="row"),
        [tag("td", cell, class_="number") for cell in cells],
    )


def _both(actual: str, forecast: str) -> Markup:
    return join(actual, tag("small", f"forecast {forecast}"))


def _loss(losses: list[float]) -> str:
    part = max(1, len(losses) // 4)
    first, last = sum(losses[:part]) / part, sum(losses[-part:]) / part
    return f"{significant(first)} → {significant(last)}"


def _targets(entry: Entry) -> Markup | None:
    """Decoded rows, what is masked and what is learned apart."""
    targets: Mapping[str, Any] | None = entry.data["notes"].get("targets")
    if targets is None:
        return None
    rows = [
        tag(
            "p",
            tag("code", str(row["masked"]), dir="auto", class_="masked"),
            tag("mark", tag("code", str(row["trained"]), dir="auto")),
        )
        for row in targets["shown"]
    ]
    about = tag(
        "p",
        f"{count(targets['rows'])} rows, {count(targets['answer_tokens'])} tokens learned; a row "
        f"has {targets['mean_length']:.0f} tokens on average, {count(targets['longest'])} at most, "
        f"of which {count(targets['prefix_tokens'])} are shared and computed once per step. What "
        "is marked is learned; the end of each prompt before it is shown and masked.",
        class_="note",
    )
    return folded(f"What {entry.name} learns from", about, *rows)


def _warning(entry: Entry) -> Markup | None:
    warning = entry.data["notes"].get("warning")
    return warning and tag("p", tag("code", entry.name), f": {warning['message']}.")
