"""One process at a time, by `flock`: the system releases it when its holder dies, however it dies.

The file says who holds it, for people; the lock is what counts. A lock file may be deleted together
with its run, so a fresh lock is checked against the path: a lock on a file that is no longer there
protects nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from accordeur.store.durable import disk_errors, timestamp

_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        pid: process number, 0 when the file does not say.
        since: start, ISO 8601 in UTC; empty when the file does not say.
        host: machine name.
    """

    pid: int = 0
    since: str = ""
    host: str = ""

    def __str__(self) -> str:
        who = f"process {self.pid}" if self.pid else "another process"
        here = f" on `{self.host}`" if self.host and self.host != socket.gethostname() else ""
        return f"{who}{here} (since {self.since})" if self.since else f"{who}{here}"


class FileLock:
    """An exclusive lock on a file.

    Args:
        path: the lock file; its folder exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """This object holds the lock."""
        return self._descriptor is not None

    def acquire(self, wait: float = 0.5) -> bool:
        """Take the lock; false when another holds it for longer than `wait` seconds.

        The default outlasts `locked`, which looks by taking a shared lock for a moment.

        Raises:
            StoreError: the file cannot be opened or locked.
        """
        end = time.monotonic() + wait
        while True:
            with disk_errors(self.path):
                if self._try():
                    return True
            if time.monotonic() >= end:
                return False
            time.sleep(_PAUSE)

    def release(self) -> None:
        """Give the lock back; without one, do nothing."""
        if self._descriptor is None:
            return
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def holder(self) -> Holder:
        """Who wrote into the file last."""
        try:
            data = json.loads(self.path.read_bytes())
            return Holder(int(data["pid"]), str(data["since"]), str(data["host"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Holder()

    def _try(self) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        taken = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken = _is_file(descriptor, self.path)
            if taken:
                self._sign(descriptor)
        except BlockingIOError:
            pass
        finally:
            if not taken:
                os.close(descriptor)
        if taken:
            self._descriptor = descriptor
        return taken

    def _sign(self, descriptor: int) -> None:
        holder = {"pid": os.getpid(), "since": timestamp(), "host": socket.gethostname()}
        with suppress(OSError):  # a full disk: the lock holds, only its signature is missing
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def locked(path: Path) -> bool:
    """Whether any process, this one included, holds the lock file at this moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _is_file(descriptor: int, path: Path) -> bool:
    """The open file is the one at this path now."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
