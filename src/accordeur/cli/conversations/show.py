"""`accordeur conversations show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accordeur.store.conversation import StoredTurn


def command(
    reference: Annotated[
        str, typer.Argument(metavar="ID", help="Of a conversation, or the start of it, or `last`.")
    ] = "last",
    everything: Annotated[
        bool, typer.Option("--superseded", help="What was undone or asked again, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> int:
    """Show a conversation, by default the latest."""
    from accordeur.cli.figures import moment
    from accordeur.cli.terminal import one_line, safe
    from accordeur.store.conversations import ConversationStore

    with ConversationStore() as store:
        found = store.find(reference, None)
        turns = [one for one in store.turns(found.id) if everything or not one.superseded]
    if as_json:
        data = {**found.to_json(), "turns": [turn.to_json() for turn in turns]}
        print(json.dumps(data, indent=1))
        return 0
    print(f"{one_line(found.id)}  {one_line(found.title)}")
    print(f"{moment(found.created)}, with {one_line(found.candidate)}")
    if found.system:
        print(f"system: {safe(found.system)}")
    for turn in turns:
        print(f"\n{_heading(turn)}\n{safe(turn.text)}")
    return 0


def _heading(turn: StoredTurn) -> str:
    from accordeur.cli.figures import moment
    from accordeur.cli.terminal import one_line

    marks = [
        *(["cut"] if turn.cut else []),
        *(["superseded"] if turn.superseded else []),
        *([f"rated {turn.rating}"] if turn.rating else []),
        *([one_line(turn.remark)] if turn.remark else []),
    ]
    told = f" ({', '.join(marks)})" if marks else ""
    return f"[{turn.role}, {moment(turn.created)}]{told}"
