"""Consoles, and text that cannot take the terminal over.

Data and models may say anything: escape sequences that move the cursor, clear the screen, retitle
the window or turn the reading direction. Everything shown goes through `safe`. rich is imported
when a console is made.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

NARROWEST = 40

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def safe(text: str) -> str:
    """Text with everything that could steer a terminal written out, as `\\x1b`.

    Line ends and tabs stay; letters of every script stay.
    """
    return _HIDDEN.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def one_line(text: str, limit: int = 0) -> str:
    """Safe text on one line, cut with an ellipsis after `limit` characters (0: never)."""
    line = " ".join(safe(text).split())
    if not limit or len(line) <= limit:
        return line
    cut = line[: max(1, limit - 1)]
    while len(cut) > 1 and unicodedata.combining(line[len(cut)]):
        cut = cut[:-1]  # do not part a letter from its accents
    return f"{cut.rstrip()}…"


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
    """An empty table in the house style: a line under the head, no frame.

    A column whose name starts with `>` is aligned right; one that starts with `~` may wrap, the
    others keep their words together.
    """
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False,
        show_edge=False,
    )
    for name in columns:
        right, wraps = name.startswith(">"), name.startswith("~")
        made.add_column(
            name.lstrip(">~"),
            justify="right" if right else "left",
            no_wrap=not wraps,
            overflow="fold" if wraps else "ellipsis",
        )
    return made
