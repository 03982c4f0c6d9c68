"""The part that shows each request its nearest train rows."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.model import Embedder
from accordeur.core.task import Example
from accordeur.parts.demonstrations import Demonstration, NearestDemonstrations


def nearest_part(rows: Sequence[Example], k: int, embedder: Embedder) -> NearestDemonstrations:
    """Index the labelled rows by the embedding of their input."""
    labelled = [row for row in rows if row.expected]
    vectors = embedder.embed([row.text for row in labelled])
    return NearestDemonstrations(
        tuple(Demonstration.from_example(row) for row in labelled),
        vectors,
        k,
        embedder.identity.name,
        embedder.identity.digest,
    )
