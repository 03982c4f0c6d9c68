"""Texts and empty tables for the terminal."""

from __future__ import annotations

import re
import shutil

from rich import box
from rich.table import Table
from rich.text import Text

from accordeur.report.plain_text import one_line, visible

WIDE = 100
"""Columns from which tables show more."""


def cell(text: object, style: str = "") -> Text:
    """One line, safe to print."""
    return Text(one_line(str(text)), style=style)


def prose(text: str) -> Text:
    """A sentence in which names stand in `backticks`; they are shown bold."""
    shown = Text()
    for place, part in enumerate(re.split(r"`([^`]*)`", visible(text))):
        shown.append(part, style="bold" if place % 2 else "")
    return shown


def lines(*parts: Text | None) -> Text:
    """Texts under each other; what is missing or empty is left out."""
    return Text("\n").join(part for part in parts if part is not None and part.plain)


def table(title: str = "", caption: str = "") -> Table:
    """A table of our form."""
    return Table(
        box=box.SIMPLE_HEAD,
        title=cell(title, "bold") if title else None,
        caption=cell(caption, "dim") if caption else None,
        title_justify="left",
        caption_justify="left",
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        header_style="dim",
    )


def is_wide(width: int | None) -> bool:
    """Whether there is room for more columns; `None` asks the terminal."""
    return (shutil.get_terminal_size().columns if width is None else width) >= WIDE
