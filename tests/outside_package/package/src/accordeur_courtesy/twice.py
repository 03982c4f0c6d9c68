"""The pattern `twice`: asks, and asks whether that is all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.part import Slot
from accordeur.parts.pattern import Asked, stored


@dataclass(frozen=True, slots=True)
class Twice:
    """Two calls; the reply to the second is the answer."""

    slot: ClassVar[Slot] = "pattern"
    kind: ClassVar[str] = "twice"
    opening: ClassVar[str] = ""
    first_reply: ClassVar[str] = "first"
    most_calls: ClassVar[int] = 2
    trained_parameters: ClassVar[int] = 0

    max_tokens: int = 16

    def describe(self) -> str:
        """A few words."""
        return "asked twice"

    def follow(self, replies: Sequence[str]) -> Asked | None:
        """Once more, then done."""
        return Asked("Is that all? Answer again.", "second") if len(replies) == 1 else None

    def files(self) -> Mapping[str, bytes]:
        """`pattern.json`."""
        return stored(self.kind, {"max_tokens": self.max_tokens})

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Twice:
        """Inverse of `files`."""
        return cls(int(settings["max_tokens"]))
