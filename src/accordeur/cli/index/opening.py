"""An index by its name, with the embedder it was built with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.index.places import existing_index

if TYPE_CHECKING:
    from accordeur.documents.index import Index


def opened(name: str, *, vectors: bool) -> Index:
    """Open an index.

    Args:
        name: as on the command line.
        vectors: whether its embedder is needed; it is loaded only where the index has vectors.

    Raises:
        StoreError: there is no such index, or its embedder has changed.
        ModelError: its embedder cannot be loaded.
    """
    from accordeur.documents.index import open_index

    folder = existing_index(name)
    index = open_index(folder)
    if not vectors or index.embedder is None:
        return index
    from accordeur.cli.failures import note
    from accordeur.models.source import Models

    embedder = index.embedder.name
    index.close()
    return open_index(folder, Models(log=note).embedder(embedder))
