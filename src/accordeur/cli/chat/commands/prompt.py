"""`/prompt`: what the model receives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat.screen import left_out
from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Show the prompt of a text, by default of the last message.

    Raises:
        UsageError: no language model answers, or nothing was asked yet.
    """
    from accordeur.parts.memory.conversing import prompt_room

    answerer = session.respondent.answerer
    model = answerer.model
    if model is None:
        raise UsageError(
            f"`{session.respondent.title}` is no language model: it gets the message alone.",
            hint="/use MODEL",
        )
    if rest:
        request, remembered = session.request(rest)
    else:
        last = session.last().question
        request, remembered = session.request(last.text, before=last.id)
    rendered = answerer.render([request])[0]
    tokens, _ = model.prompt_tokens(rendered)
    room = prompt_room(answerer)
    session.screen.say(model.prompt_text(rendered))
    session.screen.say("")
    about = "about " if model.identity.remote else ""
    session.screen.say(f"{about}{tokens:,} tokens; {room:,} fit beside the answer")
    for line in left_out(session.memory, remembered, room):
        session.screen.say(line)
