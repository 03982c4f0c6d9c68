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
    not_measured,
    perplexities,
    same_answers,
    scale,
    switched_off_briefly,
)


def forgetting_table(record: Mapping[str, Any]) -> RenderableType | None:
    """One line per entry that was measured; `None` when none was to be."""
    found = list((record.get("forgetting") or {}).get("entries") or ())
    if not found:
        return None
    measured = [one for one in found if one["status"] == "measured"]
    parts: list[RenderableType] = [prose(said) for said in not_measured(found)]
    if measured:
        made = table("What it forgot", f"base → adapted: {scale(found).replace('`', '')}")
        made.add_column("Entry", overflow="fold")
        for heading in ("Perplexity", "Other task", "Same answer"):
            made.add_column(heading, justify="right", no_wrap=True)
        made.add_column("Switched off", overflow="fold")
        for one in measured:
            numbers = (_two(*told(one)) for told in (perplexities, accuracies, same_answers))
            made.add_row(cell(one["name"], "bold"), *numbers, cell(switched_off_briefly(one)))
        parts.insert(0, made)
    if warning := blind(found):
        parts.append(prose(warning))
    return Group(*parts)


def _two(number: str, under: str) -> Text:
    return lines(cell(number), cell(under, "dim"))
