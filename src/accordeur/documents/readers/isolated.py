"""Readers of formats that can harm: each file in a process of its own, with little memory and time.

A file that needs more than it gets, or crashes its reader, is one file that is skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from accordeur.documents.document import Document, Heading
from accordeur.documents.readers.unreadable import Unreadable

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space."""

SECONDS = 60
"""Of processor time, and twice as many by the clock."""

_COMPLAINT = 4_000
"""Bytes at the end of what a crashed reader said that are looked at."""


def read_isolated(
    reader: str, data: bytes, name: str, *, memory: int = MEMORY, seconds: int = SECONDS
) -> Document:
    """What a reader makes of a file, elsewhere.

    Args:
        reader: its module's name.
        data: the file.
        name: of the document.
        memory: bytes.
        seconds: of processor time.

    Raises:
        Unreadable: it cannot be read within these limits, or not at all.
    """
    # -P: the working folder may hold files with the names of modules.
    command = [sys.executable, "-P", "-m", "accordeur.documents.readers.worker"]
    process = subprocess.Popen(
        [*command, reader, name, str(memory), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is ours alone
    )
    try:
        said, complaint = process.communicate(data, timeout=2 * seconds)
    except subprocess.TimeoutExpired as error:
        raise Unreadable(f"reading it took more than {2 * seconds} s") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    return _document(_answer(said, complaint, process.returncode, memory, seconds), name)


def _answer(said: bytes, complaint: bytes, code: int, memory: int, seconds: int) -> dict[str, Any]:
    try:
        answer = json.loads(said)
    except ValueError as error:
        raise Unreadable(
            f"reading it crashed (code {code}), or needed more than {memory // 2**20} MB or"
            f" {seconds} s{_said(complaint)}"
        ) from error
    if reason := answer.get("unreadable"):
        raise Unreadable(str(reason), lasting=bool(answer.get("lasting", True)))
    found: dict[str, Any] = answer
    return found


def _said(complaint: bytes) -> str:
    """The last error of what the process wrote, such as why Python could not start; no character
    of it reaches a terminal that could do harm there."""
    text = complaint[-_COMPLAINT:].decode("utf-8", "replace")
    lines = ["".join(c if c.isprintable() else " " for c in line) for line in text.split("\n")]
    told = [line.strip() for line in lines if "error" in line.lower()]
    return f"; it said: {told[-1]}" if told else ""


def _document(answer: dict[str, Any], name: str) -> Document:
    return Document(
        name,
        answer["text"],
        answer["body"],
        tuple(answer["pages"]),
        tuple(Heading(*one) for one in answer["headings"]),
        answer["metadata"],
        tuple(answer["notes"]),
    )
