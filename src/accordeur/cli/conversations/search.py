"""`accordeur conversations search`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from accordeur.core.errors import UsageError

AROUND = 60
"""Letters shown on either side of what was found."""


def command(
    words: Annotated[
        list[str], typer.Argument(metavar="WORD...", help="All of them, whatever their case.")
    ],
    everybody: Annotated[
        bool, typer.Option("--all", help="Those of the server's clients, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> int:
    """Find messages by their words. The exit code is 1 when there is none."""
    from accordeur.store.conversations import ConversationStore

    wanted = " ".join(words)
    if not wanted.strip():
        raise UsageError("Say what to look for.", hint="accordeur conversations search invoice")
    with ConversationStore() as store:
        found = store.search(wanted, None if everybody else "")
    if as_json:
        rows = [{"conversation": one.conversation.id, **one.turn.to_json()} for one in found]
        print(json.dumps(rows, indent=1))
        return 0 if found else 1
    from accordeur.cli.figures import moment, plural
    from accordeur.cli.terminal import one_line

    last = ""
    for one in found:
        if one.conversation.id != last:
            last = one.conversation.id
            print(f"{one_line(last)}  {one_line(one.conversation.title)}")
        said = one_line(excerpt(one.turn.text, wanted.split()[0]))
        print(f"  {moment(one.turn.created)}  {one.turn.role}: {said}")
    if found:
        print(f"\n{plural(len(found), 'message')}; accordeur chat --resume ID")
    else:
        print("There is no such message.")
    return 0 if found else 1


def excerpt(text: str, word: str) -> str:
    """The text around a word."""
    at = max(0, text.casefold().find(word.casefold()))
    start, end = max(0, at - AROUND), at + len(word) + AROUND
    before, after = "…" if start else "", "…" if end < len(text) else ""
    return f"{before}{text[start:end]}{after}"
