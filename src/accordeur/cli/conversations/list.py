"""`accordeur conversations list`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from accordeur.store.conversation import Conversation


def command(
    number: Annotated[
        int, typer.Option("-n", "--number", metavar="N", help="Show this many; 0 shows all.")
    ] = 20,
    everybody: Annotated[
        bool, typer.Option("--all", help="Those of the server's clients, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> int:
    """List the conversations, the latest first."""
    from accordeur.store.conversations import ConversationStore

    if number < 0:
        raise UsageError(f"`-n {number}` is negative.", hint="accordeur conversations list -n 20")
    with ConversationStore() as store:
        known = store.conversations(None if everybody else "")
    shown = known[:number] if number else known
    if as_json:
        print(json.dumps([one.to_json() for one in shown], indent=1))
        return 0
    if not known:
        print("There are no conversations yet.\n\nnext: accordeur chat local/smollm2")
        return 0
    from accordeur.cli.figures import plural
    from accordeur.cli.terminal import console

    out = console()
    out.print(conversation_table(shown))
    if len(known) > len(shown):
        older = plural(len(known) - len(shown), "older conversation")
        out.print(f"\nand {older}: accordeur conversations list -n 0")
    return 0


def conversation_table(conversations: Sequence[Conversation]) -> Table:
    """A row for each."""
    from accordeur.cli.figures import moment
    from accordeur.cli.terminal import cut, one_line, table

    made = table("id", "~about", "~with", ">messages", "last")
    for one in conversations:
        made.add_row(
            one_line(one.id, 24),
            cut(one.title),
            cut(short_name(one.candidate)),
            f"{one.messages:,}",
            moment(one.updated),
        )
    return made


def short_name(candidate: str) -> str:
    """A model's name as it is; of a bundle's path the end that tells it from others."""
    path = Path(candidate)
    if not path.is_absolute():
        return candidate
    return f"{path.parent.name}/{path.name}" if path.name == "winner" else path.name
