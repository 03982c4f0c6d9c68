"""Which API keys may ask."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass

from accordeur.store.keys import hashed


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a server.

    Attributes:
        hashes: of all of them.
    """

    hashes: Collection[str]

    def owner(self, key: str) -> str | None:
        """The hash of a key that is known, else `None`. Takes equally long for every key."""
        given = hashed(key)
        found = [known for known in self.hashes if hmac.compare_digest(known, given)]
        return found[0] if found else None
