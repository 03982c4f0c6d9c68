"""The checks before anything is spent, and the first prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from accordeur.cli.terminal import safe

if TYPE_CHECKING:
    from rich.console import Console

PROMPT_LINES = 14


def show_preflight(
    console: Console, checks: Sequence[Mapping[str, Any]], first_prompt: str
) -> None:
    """Print both."""
    from accordeur.report.console import preflight_table

    console.print()
    console.print(preflight_table(checks))
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
