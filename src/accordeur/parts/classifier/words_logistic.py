"""A logistic head on tf-idf weighted words and pairs of words.

x_t = count_t * idf_t, scaled to unit length;  p = softmax(x W + b)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from accordeur.core.model import FloatArray
from accordeur.core.part import Slot
from accordeur.parts.classifier.classifier import Embed, Probabilities
from accordeur.parts.classifier.probabilities import over_all_labels, softmax
from accordeur.parts.classifier.storage import read, write
from accordeur.parts.classifier.words import count_terms, tf_idf


@dataclass(frozen=True, eq=False, slots=True)
class WordsLogistic:
    """Weights per term and learned label.

    Attributes:
        labels: all names, in task order.
        learned: those with train rows, in the same order.
        vocabulary: terms, in column order.
        idf: weight of each term, float32 [vocabulary].
        weights: W, float32 [vocabulary, learned].
        intercept: b, float32 [learned].
        c: inverse strength of the penalty it was fitted with.
    """

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "words-logistic"
    embedder: ClassVar[None] = None
    embedder_digest: ClassVar[None] = None

    labels: tuple[str, ...]
    learned: tuple[str, ...]
    vocabulary: tuple[str, ...] = field(repr=False)
    idf: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    intercept: FloatArray = field(repr=False)
    c: float

    @property
    def trained_parameters(self) -> int:
        """Term weights, a weight per term and label, an intercept per label."""
        return int(self.idf.size + self.weights.size + self.intercept.size)

    def predict(self, texts: Sequence[str], embed: Embed | None = None) -> Probabilities:
        """Probabilities, float64 [texts, labels]."""
        columns = {term: column for column, term in enumerate(self.vocabulary)}
        rows = tf_idf(count_terms(texts, columns), self.idf)
        scores = rows.times(self.weights.astype(np.float64)) + self.intercept
        return over_all_labels(softmax(scores), self.learned, self.labels)

    def describe(self) -> str:
        """Says what it weighs."""
        return f"logistic head on {len(self.vocabulary):,} words and pairs, C={self.c:g}"

    def files(self) -> Mapping[str, bytes]:
        """Words as JSON, weights as safetensors."""
        names = {
            "labels": list(self.labels),
            "learned": list(self.learned),
            "vocabulary": list(self.vocabulary),
            "c": self.c,
        }
        tensors = {"idf": self.idf, "weights": self.weights, "intercept": self.intercept}
        return write(self.kind, names, tensors)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> WordsLogistic:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        stored = read(files, cls.kind, ("labels", "learned", "vocabulary", "c"), tensors=3)
        labels = stored.texts("labels")
        learned = stored.texts("learned", within=labels)
        vocabulary = stored.texts("vocabulary")
        return cls(
            labels,
            learned,
            vocabulary,
            stored.tensor("idf", (len(vocabulary),)),
            stored.tensor("weights", (len(vocabulary), len(learned))),
            stored.tensor("intercept", (len(learned),)),
            stored.number("c"),
        )
