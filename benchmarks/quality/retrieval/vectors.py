"""Vectors of a set in each of the embedder's numbers, kept in a folder between runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from accordeur.core.model import Embedder, FloatArray
from benchmarks.quality.retrieval.sets import RetrievalSet


class KeptEmbedder:
    """Vectors of known texts.

    Attributes:
        dtype: they were computed in.
    """

    def __init__(self, dtype: str, texts: Sequence[str], vectors: FloatArray) -> None:
        self.dtype = dtype
        self._vectors = dict(zip(texts, vectors, strict=True))

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, d].

        Raises:
            KeyError: a text is not among the known ones.
        """
        return np.stack([self._vectors[text] for text in texts])


def kept(chosen: RetrievalSet, embedder: Embedder, folder: Path) -> KeptEmbedder:
    """Vectors of all texts of a set, computed where the folder does not hold them."""
    texts = [one.text for one in chosen.passages] + [one.text for one in chosen.questions]
    texts = list(dict.fromkeys(texts))
    dtype = embedder.identity.dtype
    path = folder / f"{chosen.name}-{dtype}-{len(texts)}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, embedder.embed(texts))
    return KeptEmbedder(dtype, texts, np.load(path))
