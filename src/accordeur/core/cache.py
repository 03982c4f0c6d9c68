"""What an answer cache promises; `accordeur.store` keeps one on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class AnswerCache(Protocol):
    """Model calls by the hash of everything that could change them (DESIGN section 8)."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, dict[str, Any]]:
        """The entries that are there, by key."""
        ...

    def put_many(self, entries: Mapping[str, dict[str, Any]]) -> None:
        """Add entries; those already there stay as they are."""
        ...
