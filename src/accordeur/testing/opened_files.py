"""Which files of a set are touched while some code runs, told by Python's audit events.

An audit hook cannot be removed, so one is installed for the process on first use and does nothing
unless it is armed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PROGRAMS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"})
_EVENTS = _PROGRAMS | {"open", "os.link", "os.symlink", "os.rename", "sqlite3.connect"}


class _Watch:
    """What is looked for, and what was seen; one at a time per process."""

    installed = False
    files: frozenset[str] | None = None
    seen: list[str] = []  # noqa: RUF012 - shared on purpose: there is one process


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    files = _Watch.files
    if files is None or event not in _EVENTS:
        return
    for text in _texts(arguments):
        named = event in _PROGRAMS and any(file in text for file in files)
        if named or os.path.realpath(text) in files:
            _Watch.seen.append(f"{event}: {text}")


def _texts(arguments: Any) -> Iterator[str]:
    for one in arguments:
        if isinstance(one, (str, bytes, os.PathLike)):
            try:
                yield os.fsdecode(one).replace("\0", "")
            except (TypeError, ValueError):
                continue
        elif isinstance(one, (list, tuple)):
            yield from _texts(one)


@contextmanager
def watching(files: Collection[Path]) -> Iterator[list[str]]:
    """Note every opening of these files inside the block, by any thread of this process.

    Yields:
        One line per opening, link, copy, or program started with the file's path.
    """
    if not _Watch.installed:
        sys.addaudithook(_hook)
        _Watch.installed = True
    seen: list[str] = []
    before = (_Watch.files, _Watch.seen)
    _Watch.files, _Watch.seen = frozenset(os.path.realpath(file) for file in files), seen
    try:
        yield seen
    finally:
        _Watch.files, _Watch.seen = before
