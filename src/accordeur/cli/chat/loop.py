"""Reads messages and commands until the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat import commands
from accordeur.cli.chat.reading import Lines, read_message
from accordeur.cli.failures import tell
from accordeur.core.errors import AccordeurError

if TYPE_CHECKING:
    from accordeur.cli.chat.session import ChatSession


def converse(session: ChatSession, lines: Lines) -> None:
    """Go on until the input ends or the user leaves. An error costs its message, nothing else.

    Raises:
        KeyboardInterrupt: stopped while nobody sits at a terminal.
    """
    while not session.leaving:
        try:
            message = read_message(lines)
        except KeyboardInterrupt:
            if not session.screen.interactive:
                raise
            session.screen.note("\n(Ctrl-D or /quit leaves)")
            continue
        if message is None:
            if session.screen.interactive:
                session.screen.say("")
            return
        if message.strip():
            _handle(session, lines, message)


def _handle(session: ChatSession, lines: Lines, message: str) -> None:
    try:
        if message.startswith("/") and not message.startswith("//"):
            commands.run(session, lines, message[1:])
        else:
            session.ask(message[1:] if message.startswith("//") else message)
    except AccordeurError as error:
        session.failures += 1
        tell(error.message, error.hint)
    except KeyboardInterrupt:
        if not session.screen.interactive:
            raise
        session.screen.note("(stopped; /retry asks again)")
    finally:
        session.screen.space()
