"""`/undo`: take back the last message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.terminal import one_line

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Take back the last message and its answer; both are kept, and no longer sent."""
    text = session.undo()
    session.screen.note(f"taken back: {one_line(text, 60)}")
