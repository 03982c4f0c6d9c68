"""A run on a terminal, through a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

CHILD = """
import sys, time
from accordeur.cli.terminal import lively
from accordeur.cli.watching.live import Live
from tests_scripted_run import tell
assert lively()
live = Live()
tell(live)
time.sleep(0.4)
live.close()
"""


def shown(columns: int, lines: int = 40) -> str:
    """What the terminal received."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    code = "import importlib.util as u, sys\n" + (
        f"s = u.spec_from_file_location('tests_scripted_run', {str(_SCRIPT)!r})\n"
        "m = u.module_from_spec(s); sys.modules[s.name] = m; s.loader.exec_module(m)\n"
    )
    hidden = {"COLUMNS", "LINES", "NO_COLOR", "CI"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    process = subprocess.Popen(
        [sys.executable, "-c", code + CHILD],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**environment, "TERM": "xterm-256color"},
    )
    os.close(slave)
    received = b""
    try:
        while piece := os.read(master, 65536):
            received += piece
    except OSError:
        pass  # the other end is closed
    finally:
        os.close(master)
    assert process.wait(timeout=60) == 0, received.decode()
    return received.decode().replace("\r\n", "\n")


_SCRIPT = Path(__file__).parents[1] / "scripted_run.py"
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_the_terminal_and_loses_no_digit(columns: int) -> None:
    plain = _SEQUENCE.sub("", shown(columns))
    assert max(len(line.rstrip("\n")) for line in plain.replace("\r", "\n").split("\n")) <= columns
    last = plain[plain.rindex("entry ") :]
    assert "41.7 [33.2, 50.6]" in last
    assert "65.8 [57.0, 73.7]" in last
    assert "stopped: after 40 rows" in last
    assert "64/120 rows" in last
    assert "waits, about" in last
    assert re.search(r"so far · about \d+ (s|min).* left", plain)


def test_the_sequences_are_our_own() -> None:
    text = shown(100)
    assert "\x1b]0;" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "\x1b[2J" not in text


def test_what_counts_stays_in_sight_on_a_low_terminal() -> None:
    plain = _SEQUENCE.sub("", shown(80, lines=9))
    assert "Pulling the levers" in plain
