"""The oracle ladder, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from accordeur.report.console.words import cell, lines, prose, table
from accordeur.report.ladder_words import heading, incomplete, left_out, searched_words
from accordeur.report.numbers import interval, points


def ladder_table(record: Mapping[str, Any]) -> RenderableType | None:
    """Rungs, and what the gaps between them mean; `None` for a run without documents."""
    found = record.get("ladder")
    if not found:
        return None
    parts: list[RenderableType] = []
    if found["rungs"]:
        made = table("Why retrieval helps, or not")
        made.add_column("Prompt with", overflow="fold")
        made.add_column("Dev", justify="right", no_wrap=True)
        for rung in found["rungs"]:
            score = _two(points(rung["score"]), interval(rung["interval"]))
            made.add_row(cell(rung["name"], "bold"), score)
        parts += [made, prose(f"{heading(found)}.")]
        told = [one["sentence"] for one in found["gaps"]]
        told += [found["where_found"]["sentence"]] if found.get("where_found") else []
        parts += [prose(f"· {sentence}") for sentence in told]
    if said := searched_words(found):
        parts.append(prose(said))
    parts += [prose(said) for said in (incomplete(found), left_out(found)) if said]
    return Group(*parts)


def _two(number: str, under: str) -> Text:
    return lines(cell(number), cell(under, "dim"))
