"""`/system`: a system message of this conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Set it, take it away with `-`, or show it. A bundle keeps its own before it."""
    if not rest:
        session.screen.say(session.settings.system or "(no system message)")
        return
    session.set_system("" if rest == "-" else rest)
    session.screen.note("system message taken away" if rest == "-" else "system message set")
