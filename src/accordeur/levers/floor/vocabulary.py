"""Which words and pairs a floor knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from accordeur.core.model import FloatArray
from accordeur.parts.classifier.words import terms


def frequent_terms(texts: Sequence[str], most: int) -> tuple[tuple[str, ...], FloatArray]:
    """The terms that occur in most texts, and their inverse document frequency.

    idf_t = ln((1 + n) / (1 + n_t)) + 1, as scikit-learn's `TfidfVectorizer` (smooth).

    Args:
        texts: n train texts.
        most: terms at most; the rarest are dropped, equal ones from the end of the alphabet.

    Returns:
        Terms in alphabetical order, idf float32 [terms]. Without any word, one term no text has.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(terms(text)))
    kept = sorted(sorted(counts), key=lambda term: -counts[term])[:most]
    vocabulary = tuple(sorted(kept)) or ("",)
    frequencies = np.array([counts[term] for term in vocabulary])
    idf = np.log((1 + len(texts)) / (1 + frequencies)) + 1
    return vocabulary, idf.astype(np.float32)
