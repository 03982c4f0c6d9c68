"""A command with somebody at a terminal who answers its questions."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def converse(folder: Path, arguments: Sequence[object], answers: str) -> tuple[int, str, str]:
    """Exit code, stdout, and what the terminal showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "accordeur.cli", *map(str, arguments)],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        cwd=folder,
    )
    os.close(slave)
    os.write(master, answers.encode())
    out, _ = process.communicate(timeout=60)
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:
        pass  # the other end is closed
    finally:
        os.close(master)
    return process.returncode, out.decode(), shown.decode()
