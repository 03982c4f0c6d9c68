"""An index by its name, with the embedder it was built with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from accordeur.cli.index.places import existing_index

if TYPE_CHECKING:
    from accordeur.core.model import Embedder
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
    return open_index(folder, embedder_of(folder) if vectors else None)


def embedder_of(folder: Path) -> Embedder | None:
    """What embeds for an index; `None` where only words are indexed.

    Raises:
        StoreError: there is no such index.
        ModelError: its embedder cannot be loaded.
    """
    from accordeur.documents.index import open_index

    with open_index(folder) as index:
        info = index.embedder
    if info is None:
        return None
    from accordeur.cli.failures import note
    from accordeur.models.source import Models

    return Models(log=note).embedder(info.name)
