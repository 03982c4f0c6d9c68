"""An index by its name, with the embedder it was built with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from accordeur.cli.index.places import existing_index

if TYPE_CHECKING:
    from accordeur.core.model import Embedder
    from accordeur.documents.index import Index

FASTEST = "fastest"
"""The dtype of a new index: of those measured to be as good, the one that is fastest here."""


def opened(name: str, *, vectors: bool, base_url: str | None = None) -> Index:
    """Open an index.

    Args:
        name: as on the command line.
        vectors: whether its embedder is needed; it is loaded only where the index has vectors.
        base_url: of an embedder behind an endpoint.

    Raises:
        StoreError: there is no such index, or its embedder has changed.
        ModelError: its embedder cannot be loaded.
    """
    from accordeur.documents.index import open_index

    folder = existing_index(name)
    return open_index(folder, embedder_of(folder, base_url) if vectors else None)


def embedder_of(folder: Path, base_url: str | None = None) -> Embedder | None:
    """What embeds for an index, in the numbers it has; `None` where words alone are indexed.

    Raises:
        StoreError: there is no such index.
        ModelError: its embedder cannot be loaded.
    """
    from accordeur.documents.index import open_index

    with open_index(folder) as index:
        info = index.embedder
    return None if info is None else _load(info.name, info.dtype or None, base_url)


def embedder_for(folder: Path, name: str, base_url: str | None = None) -> Embedder:
    """What embeds for an index that is built: where one is there, in the numbers it has already.

    Raises:
        ModelError: it cannot be found or loaded.
    """
    from accordeur.documents.index import embedder_info
    from accordeur.models.source import resolve

    info = embedder_info(folder)
    same = info is not None and info.name == resolve(name)
    return _load(name, (info.dtype or None) if info is not None and same else FASTEST, base_url)


def _load(name: str, dtype: str | None, base_url: str | None) -> Embedder:
    from accordeur.cli.failures import note
    from accordeur.models.source import Models

    return Models(log=note, base_url=base_url).embedder(name, dtype)
