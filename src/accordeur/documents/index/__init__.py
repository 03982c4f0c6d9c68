"""An index of documents on disk: built, kept up to date with its files, and searched.

A folder with `index.sqlite` (documents, passages with their spans, words) and a file of vectors.
"""

from __future__ import annotations

from accordeur.documents.index.build import build_index, update_index
from accordeur.documents.index.build_report import BuildReport
from accordeur.documents.index.index import Index, IndexedDocument, open_index
from accordeur.documents.index.settings import IndexSettings

__all__ = [
    "BuildReport",
    "Index",
    "IndexSettings",
    "IndexedDocument",
    "build_index",
    "open_index",
    "update_index",
]
