"""`accordeur conversations forget`."""

from __future__ import annotations

from typing import Annotated

import typer

from accordeur.core.errors import UsageError


def command(
    references: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="Conversations, by id, the start of one, or `last`."),
    ],
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> int:
    """Remove conversations for good, down to the bytes of their texts.

    What was typed in them leaves the line history, too. Exports and saved examples stay.
    """
    from accordeur.cli.chat.history import History
    from accordeur.cli.failures import warn
    from accordeur.cli.figures import plural
    from accordeur.cli.terminal import can_ask, confirm, one_line
    from accordeur.store.conversations import ConversationStore

    with ConversationStore() as store:
        found = {one.id: one for one in (store.find(name, None) for name in references)}
        if not yes:
            names = " ".join(found)
            if not can_ask():
                raise UsageError(
                    f"Forgetting {plural(len(found), 'conversation')} needs a yes.",
                    hint=f"accordeur conversations forget -y {names}",
                )
            told = ", ".join(f"{key} ({one_line(one.title, 40)})" for key, one in found.items())
            if not confirm(f"Forget {told} for good?"):
                print("Nothing was forgotten.")
                return 1
        typed = [turn.text for key in found for turn in store.turns(key) if turn.role == "user"]
        clean = store.forget(list(found))
    History().forget(typed)
    for key in found:
        print(f"forgot {one_line(key)}")
    if not clean:
        warn(
            f"another process is reading `{store.path}`; the bytes go with the next conversation "
            "that is forgotten"
        )
    return 0
