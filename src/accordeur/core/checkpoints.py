"""What a long fit leaves behind, so that a killed one goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from accordeur.core.model import FloatArray

Saved = tuple[dict[str, FloatArray], dict[str, Any]]
"""Arrays and facts of one checkpoint."""


class Checkpoints(Protocol):
    """Named checkpoints of one fit. Each is on disk whole or not at all."""

    def names(self) -> list[str]:
        """Of those that are there, sorted; one of them may prove damaged when it is read."""
        ...

    def write(self, name: str, arrays: Mapping[str, FloatArray], facts: Mapping[str, Any]) -> None:
        """Keep arrays and plain data under a name.

        Raises:
            StoreError: they cannot be written; what was there before is untouched.
        """
        ...

    def read(self, name: str) -> Saved | None:
        """What was kept, or `None` when it is not there or not what was written."""
        ...

    def remove(self, name: str) -> None:
        """Forget one; no error when it is not there."""
        ...
