"""`/use`: somebody else answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat.commands import usage
from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Switch the candidate; the conversation goes on.

    Raises:
        AccordeurError: there is no such bundle or model; who answered before still does.
    """
    if not rest:
        raise UsageError(f"`{session.respondent.title}` answers now.", hint=usage("use"))
    session.use(rest)
    session.screen.note(f"{session.respondent.title} answers from here on")
