"""Which API keys may ask."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Collection
from pathlib import Path

from accordeur.core.errors import StoreError
from accordeur.store.keys import hashed, keys_file, read_keys

LOG = logging.getLogger(__name__)


class Keys:
    """The keys of a server.

    Args:
        hashes: of all of them.
    """

    def __init__(self, hashes: Collection[str] = ()) -> None:
        self._hashes = frozenset(hashes)

    @property
    def hashes(self) -> Collection[str]:
        """Of all that are known now."""
        return self._hashes

    @property
    def needed(self) -> bool:
        """Whether a request must bring one."""
        return True

    def owner(self, key: str) -> str | None:
        """The hash of a key that is known, else `None`. Takes equally long for every key."""
        given = hashed(key)
        found = [known for known in self.hashes if hmac.compare_digest(known, given)]
        return found[0] if found else None


class KeyFile(Keys):
    """Those of `accordeur keys`, read again when the file changes: a key that is removed is not
    let in any more, one that is added is.

    Once there was a key, one is needed as long as the server runs: removing the last does not open
    it to everybody. A file that cannot be read leaves the keys as they were.

    Raises:
        StoreError: the file cannot be read at first.
    """

    def __init__(self) -> None:
        self._place = keys_file()
        self._seen = _state(self._place)
        super().__init__([one.sha256 for one in read_keys().values()])
        self._needed = bool(self._hashes)

    @property
    def hashes(self) -> Collection[str]:
        """Of all that are known now."""
        self._look()
        return self._hashes

    @property
    def needed(self) -> bool:
        """Whether there are any, or were."""
        self._look()
        return self._needed

    def _look(self) -> None:
        now = _state(self._place)
        if now == self._seen:
            return
        self._seen = now
        try:
            self._hashes = frozenset(one.sha256 for one in read_keys().values())
        except StoreError as error:
            LOG.warning("%s The keys known before stay.", error.message)
        self._needed = self._needed or bool(self._hashes)


def _state(place: Path) -> tuple[int, int, int] | None:
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
