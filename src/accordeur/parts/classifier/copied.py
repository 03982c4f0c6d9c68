"""The question as its own answer: the whole input, or the context given beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.core.part import Slot
from accordeur.core.rendering import Request
from accordeur.parts.classifier.storage import read, refuse, write


@dataclass(frozen=True, slots=True)
class Copied:
    """Answers with what it was given.

    Attributes:
        source: `input`, or `context` (the input where a row has no context).
    """

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "copy"
    embedder: ClassVar[None] = None
    embedder_digest: ClassVar[None] = None

    source: Literal["input", "context"]

    @property
    def trained_parameters(self) -> int:
        """None."""
        return 0

    def predict_text(self, requests: Sequence[Request]) -> list[str]:
        """The source of each request, unchanged."""
        if self.source == "input":
            return [request.text for request in requests]
        return [request.context or request.text for request in requests]

    def describe(self) -> str:
        """Says what is copied."""
        return f"copy of the {self.source}"

    def files(self) -> Mapping[str, bytes]:
        """The source's name."""
        return write(self.kind, {"source": self.source})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Copied:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        source = read(files, cls.kind, ("source",)).text("source")
        if source == "input":
            return cls("input")
        if source == "context":
            return cls("context")
        refuse("`source` is neither `input` nor `context`")
