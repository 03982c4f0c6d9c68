"""The verdict for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from accordeur.report.console.words import prose


def verdict_panel(record: Mapping[str, Any]) -> Panel:
    """Headline, paragraph and the sentences beneath it."""
    said = record["verdict"]
    headline = str(said["headline"])
    rest = str(said["paragraph"]).removeprefix(headline).strip()
    shown = prose(headline)
    shown.stylize("bold")
    parts: list[Text | Padding | Table] = [shown]
    if rest:
        parts.append(Padding(prose(rest), (1, 0, 0, 0)))
    if said.get("sentences"):
        bullets = Table.grid(padding=(0, 1))
        for sentence in said["sentences"]:
            bullets.add_row(Text("–", style="dim"), prose(str(sentence)))
        parts.append(Padding(bullets, (1, 0, 0, 0)))
    return Panel(Group(*parts), title="Verdict", title_align="left", padding=(1, 2))
