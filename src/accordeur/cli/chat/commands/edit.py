"""`/edit`: change the last message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat.reading import PROMPT, TypedLines
from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Ask the text, or the last message as it is edited, in the place of the last message.

    Raises:
        UsageError: nothing was asked yet, or there is no line to edit.
    """
    last = session.last().question.text
    text = rest
    if not text and isinstance(lines, TypedLines) and "\\n" not in last:
        text = lines.read_with(PROMPT, last) or ""
        if not text.strip() or text == last:
            session.screen.note("nothing was changed")
            return
    if not text:
        raise UsageError(
            "The last message has several lines, or nobody is here to edit it.",
            hint="/edit TEXT",
        )
    session.edit(text)
