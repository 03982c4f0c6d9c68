"""What starts with a slash: a file for each, in the table below."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession

COMMANDS: dict[str, tuple[str, str]] = {
    "help": ("", "this list"),
    "use": ("BUNDLE_OR_MODEL", "somebody else answers from here on"),
    "prompt": ("[TEXT]", "the prompt as the model receives it"),
    "undo": ("", "take back the last message and its answer"),
    "retry": ("", "ask the last message again"),
    "edit": ("[TEXT]", "change the last message and ask it again"),
    "rate": ("good|bad [WORDS]", "judge the last answer"),
    "save": ("FILE.jsonl [ANSWER]", "append it as an example of a task"),
    "sources": ("[NUMBER]", "what the last answer rests on; a number opens it"),
    "memory": ("[whole | window [N] | summary | recall]", "which earlier messages are sent"),
    "system": ("[TEXT]", "a system message; `-` takes it away"),
    "title": ("TEXT", "name this conversation"),
    "list": ("", "the latest conversations"),
    "quit": ("", "leave; Ctrl-D does, too"),
}
"""Name -> what follows it, and what it does. The module of the same name has `run`."""


def run(session: ChatSession, lines: Lines, typed: str) -> None:
    """Do what was typed behind the slash.

    Raises:
        AccordeurError: there is no such command, or it cannot be done.
    """
    words = typed.split(None, 1)
    name, rest = (words[0] if words else ""), (words[1].strip() if len(words) > 1 else "")
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=2, cutoff=0.5)
        offer = f"did you mean {' or '.join(f'/{one}' for one in near)}? " if near else ""
        raise UsageError(
            f"There is no command `/{name}`.",
            hint=f"{offer}/help lists them; a message that starts with a slash: //{typed}",
        )
    importlib.import_module(f"{__name__}.{name}").run(session, lines, rest)


def usage(name: str) -> str:
    """How a command is typed."""
    return f"/{name} {COMMANDS[name][0]}".strip()
