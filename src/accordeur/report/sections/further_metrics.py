"""Metrics beside the one that decides, such as calibration error and Brier score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.report.data import Entry
from accordeur.report.markup import Markup, tag
from accordeur.report.numbers import DASH, significant
from accordeur.report.sections.section import folded, scrolled

_TITLES = {"ece": "calibration error (ECE)", "brier": "Brier score"}
_SPLITS = {"dev": "dev", "test": "held-out"}


def further_metrics(entries: Sequence[Entry]) -> Markup | None:
    """One column per metric and split, in the metric's own units; `None` without any."""
    columns = [
        (split, name)
        for name in dict.fromkeys(name for one in entries for name in _names(one))
        for split in _SPLITS
        if any(_value(one, split, name) is not None for one in entries)
    ]
    if not columns:
        return None
    head = [tag("th", "Entry", scope="col", data_sort="text")]
    for split, name in columns:
        title = f"{_TITLES.get(name, name)}, {_SPLITS[split]}"
        head.append(tag("th", title, scope="col", data_sort="number", class_="number"))
    body = [
        tag(
            "tr",
            tag("th", f"{entry.number} {entry.name}", scope="row"),
            [_cell(_measured(entry, split, name)) for split, name in columns],
        )
        for entry in entries
    ]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="sortable plain")
    return folded("Further metrics", scrolled(table, "Further metrics"))


def _names(entry: Entry) -> list[str]:
    return [name for split in _SPLITS for name in (entry.data.get(split) or {}).get("extra") or ()]


def _value(entry: Entry, split: str, name: str) -> float | None:
    found = _measured(entry, split, name)
    return None if found is None else float(found["value"])


def _measured(entry: Entry, split: str, name: str) -> Mapping[str, Any] | None:
    return ((entry.data.get(split) or {}).get("extra") or {}).get(name)


def _cell(found: Mapping[str, Any] | None) -> Markup:
    """The number with its interval, in its own units, and its rows."""
    if found is None:
        return tag("td", DASH, class_="number")
    spread = found["interval"]
    said = f"[{significant(spread['low'])}, {significant(spread['high'])}] " if spread else ""
    return tag(
        "td",
        significant(found["value"]),
        tag("small", f"{said}n={found['n']}"),
        class_="number",
        data_value=repr(found["value"]),
    )
