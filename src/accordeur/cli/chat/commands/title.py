"""`/title`: name this conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat.commands import usage
from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Name it.

    Raises:
        UsageError: there is no name.
    """
    if not rest:
        raise UsageError("A title has words.", hint=usage("title"))
    session.set_title(rest)
