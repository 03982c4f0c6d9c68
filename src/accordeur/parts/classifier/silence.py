"""No answer, whatever is asked: right where most questions have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from accordeur.core.part import Slot
from accordeur.core.rendering import Request
from accordeur.parts.classifier.storage import read, write


@dataclass(frozen=True, slots=True)
class Silence:
    """Always abstains."""

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "silence"
    embedder: ClassVar[None] = None
    embedder_digest: ClassVar[None] = None

    @property
    def trained_parameters(self) -> int:
        """None."""
        return 0

    def predict_text(self, requests: Sequence[Request]) -> list[str]:
        """Nothing for each request."""
        return [""] * len(requests)

    def describe(self) -> str:
        """In two words."""
        return "never answers"

    def files(self) -> Mapping[str, bytes]:
        """Its kind."""
        return write(self.kind, {})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Silence:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        read(files, cls.kind, ())
        return cls()
