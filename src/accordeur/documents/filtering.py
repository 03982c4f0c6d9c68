"""Whether a document is among those that are searched."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from accordeur.documents.passage import Filter


def fits(where: Filter, document: str, metadata: Mapping[str, str]) -> bool:
    """Whether a document may be found: one of the patterns fits its name, and of every metadata
    name that is asked for it has one of the values. An empty filter lets everything through.

    Args:
        where: what is asked for; `*` in a pattern also passes over `/`, as in `fnmatch`.
        document: its name.
        metadata: what is known of it.
    """
    named = not where.documents or any(fnmatchcase(document, one) for one in where.documents)
    return named and all(metadata.get(name) in values for name, values in where.metadata.items())
