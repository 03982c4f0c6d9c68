"""Multinomial naive Bayes on words and pairs of words (McCallum & Nigam 1998).

    log p(j | text) = log prior_j + sum_t count_t * log p(t | j) + constant

Terms never seen in training are ignored.
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
from accordeur.parts.classifier.words import count_terms


@dataclass(frozen=True, eq=False, slots=True)
class NaiveBayes:
    """Priors and term probabilities per learned label.

    Attributes:
        labels: all names, in task order.
        learned: those with train rows, in the same order.
        vocabulary: terms, in column order.
        log_prior: nats, float32 [learned].
        log_likelihood: log p(term | label), nats, float32 [vocabulary, learned].
    """

    slot: ClassVar[Slot] = "classifier"
    kind: ClassVar[str] = "naive-bayes"
    embedder: ClassVar[None] = None
    embedder_digest: ClassVar[None] = None

    labels: tuple[str, ...]
    learned: tuple[str, ...]
    vocabulary: tuple[str, ...] = field(repr=False)
    log_prior: FloatArray = field(repr=False)
    log_likelihood: FloatArray = field(repr=False)

    @property
    def trained_parameters(self) -> int:
        """A prior and a probability per term for each label."""
        return int(self.log_prior.size + self.log_likelihood.size)

    def predict(self, texts: Sequence[str], embed: Embed | None = None) -> Probabilities:
        """Posterior probabilities, float64 [texts, labels]; the prior if no word is known."""
        columns = {term: column for column, term in enumerate(self.vocabulary)}
        counts = count_terms(texts, columns)
        scores = counts.times(self.log_likelihood.astype(np.float64)) + self.log_prior
        return over_all_labels(softmax(scores), self.learned, self.labels)

    def describe(self) -> str:
        """Says what it counts."""
        return f"naive Bayes on {len(self.vocabulary):,} words and pairs"

    def files(self) -> Mapping[str, bytes]:
        """Words as JSON, probabilities as safetensors."""
        names = {
            "labels": list(self.labels),
            "learned": list(self.learned),
            "vocabulary": list(self.vocabulary),
        }
        tensors = {"log_prior": self.log_prior, "log_likelihood": self.log_likelihood}
        return write(self.kind, names, tensors)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> NaiveBayes:
        """Inverse of `files`.

        Raises:
            BundleError: anything odd.
        """
        stored = read(files, cls.kind, ("labels", "learned", "vocabulary"), tensors=2)
        labels = stored.texts("labels")
        learned = stored.texts("learned", within=labels)
        vocabulary = stored.texts("vocabulary")
        return cls(
            labels,
            learned,
            vocabulary,
            stored.tensor("log_prior", (len(learned),)),
            stored.tensor("log_likelihood", (len(vocabulary), len(learned))),
        )
