"""Texts as vectors of the embedding model a classifier was fitted on."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.errors import ModelError
from accordeur.core.model import FloatArray
from accordeur.parts.classifier.classifier import Embed


def vectors_of(
    texts: Sequence[str], embed: Embed | None, embedder: str, dimension: int
) -> FloatArray:
    """Vectors of texts, float32 [texts, dimension].

    Raises:
        ModelError: no embedding model was given, or its vectors have another length.
    """
    if embed is None:
        raise ModelError(
            f"The classifier needs the embedding model `{embedder}`.",
            hint=f"accordeur models pull {embedder.rpartition('/')[2]}",
        )
    vectors = embed(texts)
    if vectors.shape != (len(texts), dimension):
        raise ModelError(
            f"The embedding model gives vectors of shape {vectors.shape}; the classifier was"
            f" fitted on `{embedder}` with {dimension} numbers per text.",
            hint=f"use the embedding model `{embedder}`",
        )
    return vectors
