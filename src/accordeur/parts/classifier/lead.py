"""The first sentences of the input: the baseline every summariser has to beat (Nenkova 2005).

A sentence ends at `.`, `!`, `?` or `…` (closing quotes and brackets included) before white space,
at `。`, `！` or `？`, or at the end of a line. `Dr. Smith` is therefore cut in two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from accordeur.core.part import Slot
from accordeur.core.rendering import Request
from accordeur.parts.classifier.storage import read, write

_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*(?=\s)|(?<=[。！？])[”’」』)]*|(?=\n)")


def sentences(text: str, most: int) -> list[str]:
    """The first `most` sentences of a text, white space around them removed."""
    found: list[str] = []
    start = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        sentence = text[start:end].strip()
        if sentence:
            found.append(sentence)
            if len(found) == most:
                break
        start = end
    return found


@dataclass(frozen=True, slots=True)
class Lead:
    """Answers with the first sentences of the input.

    Attributes:
        count: how many.
    """

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "lead"
    embedder: ClassVar[None] = None
    embedder_digest: ClassVar[None] = None

    count: int

    @property
    def trained_parameters(self) -> int:
        """None."""
        return 0

    def predict_text(self, requests: Sequence[Request]) -> list[str]:
        """The first sentences of each input, joined by spaces."""
        return [" ".join(sentences(request.text, self.count)) for request in requests]

    def describe(self) -> str:
        """Says how many."""
        return f"first {self.count} sentences" if self.count > 1 else "first sentence"

    def files(self) -> Mapping[str, bytes]:
        """The number of sentences."""
        return write(self.kind, {"count": self.count})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Lead:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        return cls(read(files, cls.kind, ("count",)).integer("count", 1))
