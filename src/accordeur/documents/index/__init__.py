"""An index of documents on disk: built, kept up to date with its files, and searched.

A folder with `index.sqlite` (documents, passages with their spans, words) and a file of vectors.
"""

from __future__ import annotations

from accordeur.documents.index.build import build_index, update_index
from accordeur.documents.index.build_report import BuildReport
from accordeur.documents.index.index import Index, IndexedDocument, open_index
from accordeur.documents.index.removal import remove_index
from accordeur.documents.index.settings import IndexSettings
from accordeur.documents.index.status import IndexStatus, index_status

__all__ = [
    "BuildReport",
    "Index",
    "IndexSettings",
    "IndexStatus",
    "IndexedDocument",
    "build_index",
    "index_status",
    "open_index",
    "remove_index",
    "update_index",
]
