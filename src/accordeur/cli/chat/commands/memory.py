"""`/memory`: which earlier messages are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat.commands import usage
from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession
    from accordeur.parts.memory import Memory


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Choose a memory, or say which it is and what it has summed up.

    Raises:
        UsageError: there is no such memory.
    """
    if rest:
        session.remember_with(read_memory(rest))
    session.screen.note(f"memory: {session.memory.describe()}")
    if not rest and (exchanges := session.exchanges()):
        last = exchanges[-1].question
        summary = session.request(last.text, before=last.id)[1].summary
        if summary:
            session.screen.say(f"summary: {summary}")


def read_memory(text: str) -> Memory:
    """A memory as it is typed, such as `window 2000`.

    Raises:
        UsageError: there is none.
    """
    from accordeur.parts.memory import kinds, memory_from

    kind, _, number = text.strip().partition(" ")
    number = number.strip()

    if kind not in kinds() or (number and kind != "window"):
        raise UsageError(f"There is no memory `{text}`.", hint=usage("memory"))
    if not number:
        return memory_from({"kind": kind})
    digits = number.replace(",", "").replace("_", "")
    if not digits.isascii() or not digits.isdigit():
        raise UsageError(f"`{number}` is no number of tokens.", hint="/memory window 2000")
    return memory_from({"kind": kind, "tokens": int(digits)})
