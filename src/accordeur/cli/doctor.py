"""`accordeur doctor`: what is there, what is missing, and the command to get it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

_STYLES = {"ok": "green", "missing": "bold red", "old": "bold red", "broken": "bold red"}


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> int:
    """Say what is there, what is missing, and the command to get it.

    Ends with 1 when something that `accordeur run` needs is missing. Loads torch to see whether it
    works; uses no network.
    """
    from accordeur.cli.diagnosis import diagnose

    found = diagnose()
    if as_json:
        print(json.dumps([item.to_json() for item in found], indent=1))
    else:
        from rich.text import Text

        from accordeur.cli.terminal import console, one_line, table

        out = console()
        made = table("what", "state", "~detail")
        for item in found:
            state = Text(item.state, style=_STYLES.get(item.state, "dim"))
            made.add_row(one_line(item.name), state, one_line(item.detail))
        out.print(made)
        commands = list(dict.fromkeys(item.command for item in found if item.command))
        needed = [item for item in found if item.needed and item.state != "ok"]
        out.print()
        if commands:
            out.print("To get what is missing:")
            for line in commands:
                out.print(f"  {line}", soft_wrap=True)
        if not needed:
            out.print("Everything that `accordeur run` needs is there.")
    return 1 if any(item.needed and item.state != "ok" for item in found) else 0
