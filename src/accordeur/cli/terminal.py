"""Consoles, tables and questions; text from data and models that cannot take the terminal over.

Everything shown goes through `safe` or `one_line`, the same escaping as the report's. rich and the
report are imported when they are needed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

NARROWEST = 40


def safe(text: str) -> str:
    """Text with everything that could steer a terminal made visible; line ends and tabs stay."""
    from accordeur.report.plain_text import visible

    return visible(text)


def one_line(text: str, limit: int = 0) -> str:
    """Safe text on one line, cut with an ellipsis after `limit` characters (0: never)."""
    from accordeur.report import plain_text

    line = plain_text.one_line(text)
    return plain_text.shorten(line, limit) if limit else line


def console(*, stderr: bool = False) -> Console:
    """A console for results, or for progress on stderr.

    Text is taken as it is: no markup, no emoji codes, no guessed highlights.
    """
    from rich.console import Console

    made = Console(
        stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=False, safe_box=True
    )
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = 120  # rich assumes 80 for a file, where nothing needs to be cut
    made.width = max(NARROWEST, made.width)
    return made


def near_path(path: Path) -> str:
    """A path as one would type it here: relative below the working folder, `~` below home."""
    full = path.absolute()
    for base, start in ((Path.cwd(), ""), (Path.home(), "~/")):
        if full.is_relative_to(base) and full != base:
            return safe(f"{start}{full.relative_to(base)}")
    return safe(str(full))


def lively() -> bool:
    """Progress may redraw itself: stderr is a terminal that can, and nobody asked otherwise."""
    quiet = any(os.environ.get(name) for name in ("NO_COLOR", "CI"))
    return sys.stderr.isatty() and not quiet and os.environ.get("TERM") not in (None, "", "dumb")


def can_ask() -> bool:
    """Someone sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, default: str = "") -> str:
    """Ask on stderr, so that stdout holds results alone; the default on an empty answer."""
    shown = f" [{safe(default)}]" if default else ""
    print(f"{question}{shown}: ", end="", file=sys.stderr, flush=True)
    return input().strip() or default


def confirm(question: str) -> bool:
    """A yes or a no; everything but a yes is a no."""
    return ask(f"{question} (y/N)").lower() in ("y", "yes")


def table(*columns: str, title: str = "") -> Table:
    """An empty table in the form of the report's.

    A column whose name starts with `>` is aligned right. One that starts with `~` gives way when
    the terminal is narrow: it wraps, or is cut where its cells are made by `cut`. All others keep
    their width, so that no number loses a digit.
    """
    from accordeur.report.console import words

    made = words.table(title)
    for name in columns:
        made.add_column(
            name.lstrip(">~"),
            justify="right" if name.startswith(">") else "left",
            no_wrap=not name.startswith("~"),
            overflow="fold",
        )
    return made


def cut(text: str, style: str = "") -> Text:
    """A cell on one line that ends in an ellipsis where it does not fit."""
    from rich.text import Text

    return Text(one_line(text), style=style, no_wrap=True, overflow="ellipsis")
