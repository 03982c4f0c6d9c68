"""The oracle ladder, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from accordeur.report.console.words import cell, lines, prose, table
from accordeur.report.ladder_words import gap_name, heading, incomplete, left_out, searched_words
from accordeur.report.numbers import interval, points, signed


def ladder_table(record: Mapping[str, Any]) -> RenderableType | None:
    """Rungs, gaps and what they mean; `None` for a run without documents."""
    found = record.get("ladder")
    if not found:
        return None
    parts: list[RenderableType] = []
    if found["rungs"]:
        made = table("Why retrieval helps, or not", heading(found))
        made.add_column("Prompt with", overflow="fold")
        made.add_column("Dev", justify="right", no_wrap=True)
        made.add_column("Gap", overflow="fold")
        gaps = list(found["gaps"])
        for place in range(max(len(found["rungs"]), len(gaps))):
            rung = found["rungs"][place] if place < len(found["rungs"]) else None
            gap = gaps[place] if place < len(gaps) else None
            made.add_row(
                cell(rung["name"], "bold") if rung else "",
                _two(points(rung["score"]), interval(rung["interval"])) if rung else "",
                _gap(gap) if gap else "",
            )
        parts.append(made)
        parts += [prose(f"· {one['sentence']}") for one in gaps]
    if said := searched_words(found):
        parts.append(prose(said))
    parts += [prose(said) for said in (incomplete(found), left_out(found)) if said]
    return Group(*parts)


def _gap(gap: Mapping[str, Any]) -> Text:
    number = f"{signed(gap['difference'])} {interval(gap['interval'], sign=True)}".strip()
    return lines(cell(gap_name(gap)), cell(number, "dim"))


def _two(number: str, under: str) -> Text:
    return lines(cell(number), cell(under, "dim"))
