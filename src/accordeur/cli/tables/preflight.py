"""The checks before anything is spent, and the first prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from accordeur.cli.terminal import one_line, safe, table

if TYPE_CHECKING:
    from rich.console import Console

PROMPT_LINES = 14
_STYLES = {"ok": "green", "warn": "yellow", "error": "bold red"}


def show_preflight(
    console: Console, checks: Sequence[Mapping[str, Any]], first_prompt: str
) -> None:
    """Print both."""
    from rich.text import Text

    made = table("check", "", "~finding", title="Preflight")
    for check in checks:
        level = str(check.get("level", ""))
        message = one_line(str(check.get("message", "")))
        ids = [one_line(str(name), 24) for name in check.get("ids") or ()]
        if ids and level != "ok":
            more = f", and {len(ids) - 3} more" if len(ids) > 3 else ""
            message += f" Rows: {', '.join(ids[:3])}{more}."
        made.add_row(
            one_line(str(check.get("name", "")), 24),
            Text(level, style=_STYLES.get(level, "")),
            message,
        )
    console.print()
    console.print(made)
    if first_prompt:
        show_prompt(console, first_prompt)


def show_prompt(console: Console, prompt: str) -> None:
    """The prompt as the model receives it, behind a bar, the middle left out when it is long."""
    from rich.text import Text

    lines = safe(prompt.expandtabs(4)).split("\n")
    if len(lines) > PROMPT_LINES:
        half = PROMPT_LINES // 2
        left_out = f"… {len(lines) - 2 * half} lines; all of them are in the report …"
        lines = [*lines[:half], left_out, *lines[-half:]]
    console.print()
    console.print("The first dev row as the model receives it:")
    width = max(20, console.width - 2)
    for line in lines:
        for piece in Text(line).wrap(console, width) or [Text("")]:
            console.print(Text("│ ", style="dim") + piece)
