"""The majority answer: every text gets the labels' shares among the train rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from accordeur.core.part import Slot
from accordeur.parts.classifier.classifier import Embed, Probabilities
from accordeur.parts.classifier.storage import read, refuse, write


@dataclass(frozen=True, slots=True)
class Majority:
    """Shares of the labels among train rows; the largest is the answer, ties to the first label.

    Attributes:
        labels: names, in task order.
        counts: train rows of each.
    """

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "majority"
    embedder: ClassVar[None] = None
    embedder_digest: ClassVar[None] = None

    labels: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def trained_parameters(self) -> int:
        """One count per label."""
        return len(self.counts)

    def predict(self, texts: Sequence[str], embed: Embed | None = None) -> Probabilities:
        """The same shares for every text, float64 [texts, labels]."""
        shares = np.array(self.counts, dtype=np.float64) / sum(self.counts)
        return np.tile(shares, (len(texts), 1))

    def describe(self) -> str:
        """Names the majority."""
        return f"always `{self.labels[self.counts.index(max(self.counts))]}`"

    def files(self) -> Mapping[str, bytes]:
        """Counts by label."""
        return write(self.kind, {"labels": list(self.labels), "counts": list(self.counts)})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Majority:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        stored = read(files, cls.kind, ("labels", "counts"))
        labels, counts = stored.texts("labels"), stored.settings["counts"]
        whole = isinstance(counts, list) and all(type(c) is int and c >= 0 for c in counts)
        if not whole or len(counts) != len(labels) or sum(counts) == 0:
            refuse("`counts` is no count for each label")
        return cls(labels, tuple(counts))
