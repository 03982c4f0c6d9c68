"""The comparison as a table for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from accordeur.report.console.words import cell, is_wide, lines, prose, table
from accordeur.report.data import Entry, entries_of
from accordeur.report.numbers import (
    DASH,
    count,
    interval,
    money,
    p_value,
    points,
    seconds,
    signed,
)

Column = tuple[str, Callable[[Entry], Text]]


def comparison_table(record: Mapping[str, Any], *, width: int | None = None) -> Table:
    """Every entry of a run, the highest estimate first.

    Args:
        record: `record.json`.
        width: columns of the terminal; `None` asks it. From 100 on, more is shown.
    """
    task = record["task"]
    entries = entries_of(record)
    currency = str((task.get("prices") or {}).get("currency") or "USD")
    queries = (task.get("limits") or {}).get("queries")
    metric = task.get("metric_title") or task["metric"]
    held_out = any(entry.measured("test") for entry in entries)
    caption = f"{metric} in points, 95 % intervals; total cost of {count(queries)} queries"
    made = table("", f"{caption}, {currency}")
    made.add_column("Entry", overflow="fold", max_width=44)
    columns = _columns(held_out, is_wide(width))
    for name, _ in columns:
        made.add_column(name, justify="right", no_wrap=True)
    for entry in entries:
        made.add_row(_name(entry), *(show(entry) for _, show in columns))
    return made


def _columns(held_out: bool, wide: bool) -> list[Column]:
    columns: list[Column] = [
        ("Dev", lambda entry: _score(entry.measured("dev"))),
        ("Est.", lambda entry: cell(points(entry.number_of("est")))),
    ]
    if held_out:
        columns += [
            ("Held-out", lambda entry: _score(entry.measured("test"))),
            ("vs as-is", _against),
        ]
    columns.append(("Total", lambda entry: cell(_amount(entry, "total"))))
    if wide:
        columns += [
            ("Per query", lambda entry: cell(_amount(entry, "use"))),
            ("Alone", lambda entry: cell(seconds(entry.cost.get("cold_seconds")))),
            ("Not ok", _failures),
        ]
    return columns


def _name(entry: Entry) -> Text:
    """Name, mark of the pick, configuration, and what became of it."""
    name = cell(entry.name, "bold green" if entry.pick else "bold")
    if entry.pick:
        name = Text("◆ ", style="bold green") + name
    configuration = entry.configuration if entry.configuration != "as given" else ""
    if entry.status != "finished":
        reason = str(entry.data.get("reason") or "")
        said = prose(f"{entry.status}: {reason}" if reason else entry.status)
        said.stylize("yellow")
    elif entry.data.get("eligible") is False:
        said = prose(f"not eligible: {entry.data.get('ineligible_because') or ''}")
        said.stylize("yellow")
    else:
        said = Text("within tolerance", style="dim") if entry.data.get("close") else Text()
    return lines(name, cell(configuration, "dim"), said)


def _score(measured: Mapping[str, Any] | None) -> Text:
    if measured is None:
        return Text(DASH)
    return lines(
        cell(points(measured["score"]), "bold"), cell(interval(measured.get("interval")), "dim")
    )


def _against(entry: Entry) -> Text:
    pair = entry.data.get("against_as_is")
    if not pair:
        return Text("reference" if entry.name == "as-is" else DASH, style="dim")
    holm = pair.get("p_holm")
    p = p_value(pair.get("p") if holm is None else holm)
    return lines(cell(signed(pair["difference"])), cell(p, "dim"))


def _amount(entry: Entry, name: str) -> str:
    return money(entry.cost.get(name)) if entry.cost else DASH


def _failures(entry: Entry) -> Text:
    said = []
    for split in ("dev", "test"):
        statuses = (entry.data.get(split) or {}).get("statuses") or {}
        said += [cell(f"{n} {status}") for status, n in statuses.items() if status != "ok"]
    return lines(*said) if said else Text("0" if entry.measured("dev") else DASH, style="dim")
