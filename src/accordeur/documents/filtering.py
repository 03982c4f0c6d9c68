"""Whether a document is among those that are searched."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

from accordeur.documents.passage import Filter


def fits(where: Filter, document: str, metadata: Mapping[str, str]) -> bool:
    """Whether a document may be found: one of the patterns fits its name, and of every metadata
    name that is asked for it has one of the values. An empty filter lets everything through.

    Args:
        where: what is asked for; `*` in a pattern also passes over `/`, as in `fnmatch`.
        document: its name.
        metadata: what is known of it; a value with commas, as `tags` have, is a list, and letters
            of either case are the same.
    """
    named = not where.documents or any(fnmatchcase(document, one) for one in where.documents)
    return named and all(
        _has(metadata.get(name), any_of) for name, any_of in where.metadata.items()
    )


def _has(value: str | None, any_of: Collection[str]) -> bool:
    if value is None:
        return False
    items = {value.casefold(), *(one.strip().casefold() for one in value.split(","))}
    return any(wanted.casefold() in items for wanted in any_of)
