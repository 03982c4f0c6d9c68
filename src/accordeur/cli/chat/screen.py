"""What a conversation shows: answers on stdout, everything about them on stderr."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from accordeur.cli.chat.safe_stream import SafeStream
from accordeur.cli.chat.word_wrap import WordWrap
from accordeur.cli.failures import note
from accordeur.cli.figures import plural
from accordeur.cli.terminal import safe

if TYPE_CHECKING:
    from accordeur.cli.ask.collection import Asked
    from accordeur.core.answer import Answer
    from accordeur.core.task import Label
    from accordeur.documents.citations import Cited
    from accordeur.parts.memory import Memory, Remembered


class Screen:
    """A terminal, or a file that gets the answers alone.

    Args:
        interactive: somebody sits there.
    """

    def __init__(self, interactive: bool) -> None:
        self.interactive = interactive
        self._stream = SafeStream()
        self._wrap = WordWrap(shutil.get_terminal_size().columns if interactive else 0)
        self._written = False
        self._open_line = False

    def piece(self, text: str) -> None:
        """A piece of an answer. What a model writes before its first word is not shown."""
        shown = self._stream.feed(text)
        if not self._written:
            shown = shown.lstrip()
        if shown:
            self._written = True
            self._open_line = not shown.endswith("\n")
            sys.stdout.write(self._wrap.feed(shown))
            sys.stdout.flush()

    def end_answer(self) -> None:
        """The answer is over; a line is begun."""
        sys.stdout.write(self._wrap.feed(self._stream.end()) + self._wrap.end())
        if self._open_line or not self._written:
            sys.stdout.write("\n")
        sys.stdout.flush()
        self._written = self._open_line = False

    def answer(self, answer: Answer, labels: Sequence[Label]) -> None:
        """An answer that came whole; for labels on a terminal the most likely ones, too."""
        from accordeur.cli.answer import label_lines, likely

        print(safe(answer.label or answer.text))
        if answer.status != "ok":
            self.note(f"status: {answer.status}")
        if self.interactive:
            for line in label_lines(likely(answer, labels)):
                print(line)
        sys.stdout.flush()

    def space(self) -> None:
        """A blank line before the next message of somebody who sits there."""
        sys.stdout.write("\n" if self.interactive else "")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """What was asked for by a command."""
        print(safe(text), flush=True)

    def note(self, text: str) -> None:
        """Something about the conversation."""
        note(text)

    def cited(self, cited: Cited, asked: Asked, *, found: bool) -> None:
        """Where an answer stands, a line each; `/sources` shows the words."""
        from accordeur.cli.ask.showing import citation_lines

        for line in citation_lines(cited, asked):
            self.note(line)
        if not found:
            self.note("no passage of the documents was found for it")
        elif not cited.citations:
            self.note("no passage supports it")
        elif cited.unsupported:
            self.note(f"{plural(len(cited.unsupported), 'sentence')} without support: /sources")

    def remembered(self, memory: Memory, found: Remembered, room: int) -> None:
        """What memory left out of the prompt, if anything."""
        for line in left_out(memory, found, room):
            self.note(line)


def left_out(memory: Memory, found: Remembered, room: int) -> list[str]:
    """What of a conversation is not sent as it was, in words.

    Args:
        room: tokens that the prompt may take.
    """
    from accordeur.parts.memory import TokenWindow

    if not found.dropped or memory == TokenWindow(0):
        return []
    window = room
    if isinstance(memory, TokenWindow) and memory.tokens is not None:
        window = min(memory.tokens, room)
    missing = 2 * (found.dropped - found.summarised - len(found.recalled))
    lines = []
    if missing > 0:
        verb = "is" if missing == 1 else "are"
        lines.append(
            f"{plural(missing, 'earlier message')} {verb} not sent (window of {window:,} tokens)"
        )
    if found.summarised:
        lines.append(
            f"{plural(2 * found.summarised, 'earlier message')} are sent as a summary "
            "(/memory shows it)"
        )
    if found.recalled:
        likeness = ", ".join(f"{one.similarity:.2f}" for one in found.recalled)
        lines.append(
            f"{plural(2 * len(found.recalled), 'earlier message')} are quoted, similarity "
            f"{likeness} (/prompt shows them)"
        )
    return lines
