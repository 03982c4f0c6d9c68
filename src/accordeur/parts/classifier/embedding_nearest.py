"""k nearest neighbours among the embedded train rows (Cover & Hart 1967), by cosine.

Neighbours vote with their similarity as weight (Dudani 1976), so a tie of counts goes to the nearer
ones. A similarity of 0 or less counts as next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from accordeur.core.model import FloatArray
from accordeur.core.part import Slot
from accordeur.documents.vectors import VectorIndex
from accordeur.parts.classifier.classifier import Embed, Probabilities
from accordeur.parts.classifier.embedded import vectors_of
from accordeur.parts.classifier.storage import read, refuse, write

_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class EmbeddingNearest:
    """Vectors of the train rows and what they were answered with.

    Attributes:
        labels: names, in task order.
        vectors: unit vectors, float32 [rows, d].
        codes: position in `labels` of each row's answer, int64 [rows].
        k: neighbours that vote.
        embedder, embedder_digest: the embedding model.
    """

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "embedding-nearest"

    labels: tuple[str, ...]
    vectors: FloatArray = field(repr=False)
    codes: npt.NDArray[np.int64] = field(repr=False)
    k: int
    embedder: str
    embedder_digest: str

    @property
    def trained_parameters(self) -> int:
        """None: vectors are looked up, not fitted."""
        return 0

    def predict(self, texts: Sequence[str], embed: Embed | None = None) -> Probabilities:
        """Shares of the neighbours' votes, float64 [texts, labels].

        Raises:
            ModelError: the embedding model is missing or another one.
        """
        if not texts:
            return np.zeros((0, len(self.labels)))
        queries = vectors_of(texts, embed, self.embedder, self.vectors.shape[1])
        index = VectorIndex(self.vectors, [""] * len(self.vectors))
        found, similarities = index.search(queries, self.k)
        votes = np.zeros((len(texts), len(self.labels)))
        weights = np.maximum(similarities.astype(np.float64), _LEAST_WEIGHT)
        np.add.at(votes, (np.arange(len(texts))[:, None], self.codes[found]), weights)
        result: Probabilities = votes / votes.sum(axis=1, keepdims=True)
        return result

    def describe(self) -> str:
        """Says how many are asked."""
        return f"{self.k} nearest of {len(self.vectors):,} embedded rows"

    def files(self) -> Mapping[str, bytes]:
        """Settings as JSON, vectors as safetensors; the rows' texts are not kept."""
        settings = {
            "labels": list(self.labels),
            "k": self.k,
            "embedder": self.embedder,
            "embedder_digest": self.embedder_digest,
        }
        return write(self.kind, settings, {"vectors": self.vectors, "codes": self.codes})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> EmbeddingNearest:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        names = ("labels", "k", "embedder", "embedder_digest")
        stored = read(files, cls.kind, names, tensors=2)
        labels = stored.texts("labels")
        codes = stored.tensor("codes", (None,), np.int64)
        if not len(codes) or codes.min() < 0 or codes.max() >= len(labels):
            refuse("`codes` points outside the labels")
        return cls(
            labels,
            stored.tensor("vectors", (len(codes), None)),
            codes,
            stored.integer("k", 1),
            stored.text("embedder"),
            stored.text("embedder_digest"),
        )
