"""A search whose passages a reranker puts in order, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.figures import plural

if TYPE_CHECKING:
    from accordeur.documents.passage import Searchable


def reranking_notes(searchable: Searchable) -> list[str]:
    """What a reranker did not read; nothing of a search without one."""
    from accordeur.documents.ranking.reranking import Reranked

    if not isinstance(searchable, Reranked):
        return []
    read = searchable.reread
    lines = []
    if read.cut:
        lines.append(
            f"{read.cut:,} of {plural(read.passages, 'passage')} are longer than the reranker "
            "reads; their ends did not count"
        )
    if read.left:
        lines.append(
            f"{plural(read.left, 'question')} left the reranker no room for a passage; passages "
            "stand in the order they were found in"
        )
    return lines
