"""`/quit`: leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Leave; the conversation is kept."""
    session.leaving = True
