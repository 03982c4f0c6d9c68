"""`/rate`: judge the last answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat.commands import usage
from accordeur.core.errors import UsageError

RATINGS = ("good", "bad")

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Keep a judgement beside the last answer.

    Raises:
        UsageError: it is neither good nor bad, or there is no answer.
    """
    rating, _, remark = rest.partition(" ")
    if rating not in RATINGS:
        raise UsageError("An answer is good or bad.", hint=usage("rate"))
    answer = session.last().answer
    if answer is None:
        raise UsageError("The last message has no answer.", hint="/retry")
    session.store.rate(answer.id, rating, remark.strip())
    session.screen.note(f"rated {rating}")
