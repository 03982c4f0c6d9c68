"""Answers remembered for the length of one run, with `--no-cache`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class MemoryCache:
    """Lets a stack reuse the answers of the levers beneath it without touching the disk."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Any]] = {}

    def get_many(self, keys: Sequence[str]) -> Mapping[str, dict[str, Any]]:
        """The entries that are there."""
        return {key: self._entries[key] for key in keys if key in self._entries}

    def put_many(self, entries: Mapping[str, dict[str, Any]]) -> None:
        """Add entries; those already there stay."""
        for key, value in entries.items():
            self._entries.setdefault(key, value)
