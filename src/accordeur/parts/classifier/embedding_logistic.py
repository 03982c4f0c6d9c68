"""A logistic head on sentence embeddings: p = softmax(v W + b), v the text's unit vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from accordeur.core.model import FloatArray
from accordeur.core.part import Slot
from accordeur.parts.classifier.classifier import Embed, Probabilities
from accordeur.parts.classifier.embedded import vectors_of
from accordeur.parts.classifier.probabilities import over_all_labels, softmax
from accordeur.parts.classifier.storage import read, write


@dataclass(frozen=True, eq=False, slots=True)
class EmbeddingLogistic:
    """Weights per dimension and learned label.

    Attributes:
        labels: all names, in task order.
        learned: those with train rows, in the same order.
        weights: W, float32 [d, learned].
        intercept: b, float32 [learned].
        c: inverse strength of the penalty, chosen by cross-validation on train.
        embedder, embedder_digest: the embedding model.
    """

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "embedding-logistic"

    labels: tuple[str, ...]
    learned: tuple[str, ...]
    weights: FloatArray = field(repr=False)
    intercept: FloatArray = field(repr=False)
    c: float
    embedder: str
    embedder_digest: str

    @property
    def trained_parameters(self) -> int:
        """A weight per dimension and label, an intercept per label."""
        return int(self.weights.size + self.intercept.size)

    def predict(self, texts: Sequence[str], embed: Embed | None = None) -> Probabilities:
        """Probabilities, float64 [texts, labels].

        Raises:
            ModelError: the embedding model is missing or another one.
        """
        if not texts:
            return np.zeros((0, len(self.labels)))
        vectors = vectors_of(texts, embed, self.embedder, len(self.weights))
        scores = vectors.astype(np.float64) @ self.weights.astype(np.float64) + self.intercept
        return over_all_labels(softmax(scores), self.learned, self.labels)

    def describe(self) -> str:
        """Says what it weighs."""
        return f"logistic head on embeddings, C={self.c:g}"

    def files(self) -> Mapping[str, bytes]:
        """Settings as JSON, weights as safetensors."""
        settings = {
            "labels": list(self.labels),
            "learned": list(self.learned),
            "c": self.c,
            "embedder": self.embedder,
            "embedder_digest": self.embedder_digest,
        }
        return write(self.kind, settings, {"weights": self.weights, "intercept": self.intercept})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> EmbeddingLogistic:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        names = ("labels", "learned", "c", "embedder", "embedder_digest")
        stored = read(files, cls.kind, names, tensors=2)
        labels = stored.texts("labels")
        learned = stored.texts("learned", within=labels)
        return cls(
            labels,
            learned,
            stored.tensor("weights", (None, len(learned))),
            stored.tensor("intercept", (len(learned),)),
            stored.number("c"),
            stored.text("embedder"),
            stored.text("embedder_digest"),
        )
