"""A conversation on a real pseudo-terminal of 80 columns."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

from accordeur.store.conversation import exchanges
from accordeur.store.conversations import ConversationStore
from accordeur.testing.endpoint import Messages, ScriptedEndpoint

COLUMNS = 80
CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"


class Terminal:
    """A program on a terminal: type, and wait for what is shown."""

    def __init__(self, *arguments: object) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "accordeur.cli", *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", "INPUTRC": "/dev/null"},
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(slave)
        self.shown = ""
        self._seen = 0

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def wait_for(self, text: str, seconds: float = 30.0) -> str:
        """What was shown since the last time, up to a text."""
        end = time.monotonic() + seconds
        while (at := self.shown.find(text, self._seen)) < 0:
            assert time.monotonic() < end, f"no {text!r} in {self.shown[self._seen :]!r}"
            ready, _, _ = select.select([self._master], [], [], 0.1)
            if ready:
                try:
                    self.shown += os.read(self._master, 65536).decode(errors="replace")
                except OSError:
                    pytest.fail(f"it ended: {self.shown[self._seen :]!r}")
        found = self.shown[self._seen : at]
        self._seen = at + len(text)
        return found

    def end(self) -> int:
        """The exit code."""
        code = self.process.wait(timeout=30)
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                break
            if not piece:
                break
            self.shown += piece.decode(errors="replace")
        os.close(self._master)
        return code


def _own_terminal() -> None:
    """Ctrl-C reaches the program."""
    ioctl(0, termios.TIOCSCTTY, 0)


def answer(messages: Messages) -> str:
    """Long, hostile, or an echo."""
    asked = messages[-1]["content"]
    if asked == "long":
        return " ".join(f"w{n}" for n in range(400))
    if asked == "hostile":
        return "\x1b]0;owned\x07 \x1b[2J done"
    return f"{len(messages)}: {asked}"


@pytest.fixture
def server() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint(answer, pause=0.02) as server:
        yield server


def test_a_session_from_greeting_to_goodbye(server: ScriptedEndpoint, own_data: Path) -> None:
    terminal = Terminal("chat", "openai/scripted", "--base-url", server.base_url)
    greeting = terminal.wait_for("> ")
    assert "openai/scripted" in greeting
    assert "memory: a window as large as the context" in greeting
    terminal.type("Hello\r")
    terminal.wait_for("1: Hello\r\n")
    terminal.wait_for("> ")

    terminal.type("long\r")  # stopped in the middle
    terminal.wait_for("w5 ")
    terminal.type(CTRL_C)
    terminal.wait_for("(stopped; /retry asks again)")
    terminal.wait_for("> ")

    terminal.type("hostile\r")
    shown = terminal.wait_for("done")
    assert "\\x1b]0;owned\\x07" in shown.replace(" ", "")
    assert "\x1b]0" not in shown
    assert "\x1b[2J" not in shown
    terminal.wait_for("> ")

    terminal.type(UP + UP + UP)  # the line typed first
    terminal.wait_for("Hello")
    terminal.type(" again\r")
    terminal.wait_for("7: Hello again")
    terminal.wait_for("> ")

    terminal.type("/edit\r")
    terminal.wait_for("> Hello again")
    terminal.type(" and again\r")
    terminal.wait_for("7: Hello again and again")
    terminal.wait_for("> ")

    terminal.type("/help\r")
    told = terminal.wait_for("//text")
    assert max(len(line) for line in told.splitlines()) <= COLUMNS
    terminal.wait_for("> ")

    terminal.type("half a line")
    terminal.wait_for("half a line")
    # Python's readline does not notice a signal between two keys before the next one: as a person
    # would, the line is read to its end first.
    time.sleep(0.5)
    terminal.type(CTRL_C)
    terminal.wait_for("(Ctrl-D or /quit leaves)")
    terminal.wait_for("> ")
    terminal.type(CTRL_D)
    terminal.wait_for("kept: accordeur chat --resume ")
    assert terminal.end() == 0

    with ConversationStore() as store:
        said = exchanges(store.turns(store.find("last").id))
    assert [one.question.text for one in said] == [
        "Hello",
        "long",
        "hostile",
        "Hello again and again",
    ]
    assert said[1].answer is not None
    assert said[1].answer.cut
    assert 5 < len(said[1].answer.text.split()) < 400

    again = Terminal("chat", "--resume", "last", "--base-url", server.base_url)
    greeting = again.wait_for("7: Hello again and again")
    assert "8 messages so far; the last:\r\n> Hello again and again" in greeting
    again.wait_for("> ")
    again.type(UP)
    again.wait_for("/help")  # what was typed in the session before
    again.type("\x15/quit\r")
    again.wait_for("kept: ")
    assert again.end() == 0


def test_labels_come_with_their_probabilities(classifier: Path) -> None:
    terminal = Terminal("chat", classifier)
    assert "memory: no earlier messages" in terminal.wait_for("> ")
    terminal.type("Somebody stole my card\r")
    terminal.wait_for("card\r\n   60.0%  card\r\n   30.0%  login\r\n   10.0%  billing\r\n")
    terminal.wait_for("> ")
    terminal.type(CTRL_D)
    terminal.wait_for("kept: ")
    assert terminal.end() == 0
