"""What trained entries forgot, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from accordeur.report.console.words import cell, lines, prose, table
from accordeur.report.forgetting_words import (
    accuracies,
    blind,
    perplexities,
    same_answers,
    scale,
    switched_off,
)


def forgetting_table(record: Mapping[str, Any]) -> RenderableType | None:
    """One line per entry that was checked; `None` when none was to be."""
    found = list((record.get("forgetting") or {}).get("entries") or ())
    if not found:
        return None
    said = scale(found).replace("`", "")
    made = table("What it forgot", f"base → adapted: {said}" if said else "")
    made.add_column("Entry", overflow="fold")
    made.add_column("Perplexity", justify="right", no_wrap=True)
    made.add_column("Other task", justify="right", no_wrap=True)
    made.add_column("Same", justify="right", no_wrap=True)
    made.add_column("Switched off", overflow="fold")
    for one in found:
        name = cell(one["name"], "bold")
        if one["status"] != "measured":
            made.add_row(name, cell("–"), cell("–"), cell("–"), prose(one["reason"]))
            continue
        made.add_row(
            name,
            *(_two(*told(one)) for told in (perplexities, accuracies, same_answers)),
            cell(switched_off(one), "dim"),
        )
    warning = blind(found)
    return Group(made, prose(warning)) if warning else made


def _two(number: str, under: str) -> Text:
    return lines(cell(number), cell(under, "dim"))
