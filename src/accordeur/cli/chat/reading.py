"""Messages from a terminal or a pipe; several lines make one where the user says so.

A line that ends in a backslash goes on in the next. A line of three backquotes opens a block that
the next such line closes; with a word behind the backquotes the fences belong to the message.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from accordeur.cli.chat.history import History

PROMPT = "> "
MORE = "… "
_FENCE = "```"


class Lines(Protocol):
    """Where lines come from."""

    def read(self, prompt: str) -> str | None:
        """The next line without its end; `None` when there is none."""
        ...


class PipedLines:
    """Lines of a file or a pipe."""

    def __init__(self) -> None:
        _forgive()

    def read(self, prompt: str) -> str | None:
        """The next line; nothing is shown."""
        line = sys.stdin.readline()
        return line.rstrip("\n").removesuffix("\r") if line else None


class TypedLines:
    """Lines that somebody types, with editing and the lines typed before.

    Args:
        history: lines of earlier sessions.
    """

    def __init__(self, history: History) -> None:
        import readline  # `input` edits with it once it is imported

        _forgive()
        self._readline = readline
        self._history = history
        readline.clear_history()
        for line in history.lines():
            readline.add_history(line)

    def read(self, prompt: str) -> str | None:
        """The next line; Ctrl-D on an empty one ends."""
        try:
            line = input(prompt)
        except EOFError:
            return None
        self._history.add(line)
        return line

    def read_with(self, prompt: str, text: str) -> str | None:
        """The next line, begun with a text that can be edited."""
        self._readline.set_startup_hook(lambda: self._readline.insert_text(text))
        try:
            return self.read(prompt)
        finally:
            self._readline.set_startup_hook()


def _forgive() -> None:
    """What is no UTF-8 is read as U+FFFD, it does not end the conversation."""
    reconfigure: Callable[..., None] | None = getattr(sys.stdin, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def read_message(lines: Lines) -> str | None:
    """The next message, over as many lines as it says; `None` at the end."""
    first = lines.read(PROMPT)
    if first is None:
        return None
    if first.lstrip().startswith(_FENCE) and _FENCE not in first.strip()[len(_FENCE) :]:
        return _block(lines, first)
    parts = [first]
    while _goes_on(parts[-1]):
        parts[-1] = parts[-1][:-1]
        following = lines.read(MORE)
        if following is None:
            break
        parts.append(following)
    return "\n".join(parts)


def _block(lines: Lines, first: str) -> str:
    parts = [first]
    while (line := lines.read(MORE)) is not None:
        parts.append(line)
        if line.strip() == _FENCE:
            break
    if first.strip() != _FENCE:
        return "\n".join(parts)
    inner = parts[1:-1] if parts[-1].strip() == _FENCE and len(parts) > 1 else parts[1:]
    return "\n".join(inner)


def _goes_on(line: str) -> bool:
    """One backslash at the end goes on; two are one that is meant."""
    return line.endswith("\\") and not line.endswith("\\\\")
