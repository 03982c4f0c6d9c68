"""The embedding model a part was fitted with, and no other."""

from __future__ import annotations

from accordeur.core.errors import ModelError
from accordeur.core.model import Embedder, ModelSource


def matching_embedder(source: ModelSource, name: str, digest: str | None) -> Embedder:
    """The embedding model of this name, if its weights are those the part's vectors came from.

    Raises:
        ModelError: it cannot be loaded, or has other weights.
    """
    embedder = source.embedder(name)
    if digest and embedder.identity.digest != digest:
        raise ModelError(
            f"This candidate was fitted with another `{name}` than the one installed here.",
            hint="run the task again to fit it with the embedding model at hand",
        )
    return embedder
