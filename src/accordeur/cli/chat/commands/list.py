"""`/list`: the latest conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


LATEST = 10


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """List them."""
    from accordeur.cli.conversations.list import conversation_table
    from accordeur.cli.terminal import console

    known = session.store.conversations()[:LATEST]
    if known:
        console().print(conversation_table(known))
    else:
        session.screen.say("There are no conversations yet.")
