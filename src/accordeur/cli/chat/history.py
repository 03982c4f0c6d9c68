"""The lines typed before, kept beside the conversations for their owner alone.

Each line is written as it is typed, so that neither a killed process nor a second one loses any.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from accordeur.core.paths import data_folder

FILE = "chat-history"
MOST = 1_000
"""Lines that are kept at least; twice as many are cut down to it."""


class History:
    """A file of lines. Where it cannot be written, nothing is kept and nobody is bothered.

    Args:
        path: the file; default `chat-history` in the user's data folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else data_folder() / FILE

    def lines(self) -> list[str]:
        """The last of them, oldest first."""
        found = self._read()
        if len(found) > 2 * MOST:
            self._rewrite(found[-MOST:])
        return found[-MOST:]

    def add(self, line: str) -> None:
        """Keep a line; an empty one is not worth it."""
        if not line.strip() or "\n" in line:
            return
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, f"{line}\n".encode("utf-8", "replace"))
            finally:
                os.close(descriptor)

    def forget(self, texts: Iterable[str]) -> None:
        """Remove the lines that these messages were typed in, by themselves or in a command."""
        typed = {line for text in texts for line in text.split("\n") if line.strip()}
        found = self._read()
        kept = [line for line in found if not _holds(line, typed)]
        if len(kept) < len(found):
            self._rewrite(kept)

    def _read(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        except OSError:
            return []

    def _rewrite(self, lines: Iterable[str]) -> None:
        # In place, so that no copy of what is forgotten stays in another file.
        with suppress(OSError), open(self.path, "r+", encoding="utf-8") as file:
            file.truncate()
            file.writelines(f"{line}\n" for line in lines)


def _holds(line: str, typed: Collection[str]) -> bool:
    if line.removesuffix("\\") in typed:
        return True
    return line.startswith("/") and any(line.endswith(text) for text in typed)
