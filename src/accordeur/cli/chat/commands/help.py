"""`/help`: what can be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat.commands import COMMANDS, usage

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """List the commands."""
    width = max(len(usage(name)) for name in COMMANDS if len(usage(name)) <= 28)
    for name, (_, words) in COMMANDS.items():
        typed = usage(name)
        if len(typed) > width:
            session.screen.say(typed)
            typed = ""
        session.screen.say(f"{typed:<{width}}  {words}")
    session.screen.say(
        "\nA message over several lines: end each but the last with a backslash, or put it\n"
        "between two lines of ```. A message that starts with a slash: //text"
    )
