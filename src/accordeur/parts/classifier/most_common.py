"""The most common answer of the train rows, whatever is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from accordeur.core.part import Slot
from accordeur.core.rendering import Request
from accordeur.parts.classifier.storage import read, write


@dataclass(frozen=True, slots=True)
class MostCommon:
    """Always answers the same.

    Attributes:
        text: the answer.
    """

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "most-common"
    embedder: ClassVar[None] = None
    embedder_digest: ClassVar[None] = None

    text: str

    @property
    def trained_parameters(self) -> int:
        """None: words, not numbers."""
        return 0

    def predict_text(self, requests: Sequence[Request]) -> list[str]:
        """The same text for each request."""
        return [self.text] * len(requests)

    def describe(self) -> str:
        """Quotes the start of the answer."""
        line = " ".join(self.text.split())
        return f"always “{line if len(line) <= 30 else line[:29] + '…'}”"

    def files(self) -> Mapping[str, bytes]:
        """The answer."""
        return write(self.kind, {"text": self.text})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> MostCommon:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        return cls(read(files, cls.kind, ("text",)).text("text"))
