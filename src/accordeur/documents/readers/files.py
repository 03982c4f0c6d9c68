"""A file's bytes, read whole and unchanged while they are read, and the document in them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from accordeur.core.fingerprint import digest_bytes
from accordeur.documents.readers.unreadable import Unreadable

_TRIES = 3
_PAUSE = 0.2


def read_whole(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """The bytes of a file and its status; nobody wrote into it between the first and the last.

    Args:
        path: the file; a link is not followed.
        most: bytes.

    Raises:
        Unreadable: too large, changing all the time, gone, or not to be read.
    """
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                before = os.fstat(descriptor)
                if before.st_size > most:
                    raise Unreadable(
                        f"it has {before.st_size / 1e6:,.0f} MB, more than {most / 1e6:,.0f} MB"
                        " (`--max-file-size`)"
                    )
                data = file.read(most + 1)
                after = os.fstat(descriptor)
        except FileNotFoundError as error:
            raise Unreadable("it went away while the others were read") from error
        except OSError as error:
            raise Unreadable(f"it cannot be read: {error.strerror or error}") from error
        if _same(before, after) and len(data) == after.st_size:
            return data, after
    raise Unreadable("it changes while it is read")


def content_hash(data: bytes) -> bytes:
    """SHA-256."""
    return bytes.fromhex(digest_bytes(data))


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
