"""What is asked: an index by its name or folder, or the documents inside a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from accordeur.core.errors import UsageError
from accordeur.documents.filtering import fits

if TYPE_CHECKING:
    from accordeur.core.span import Span
    from accordeur.documents.citations import TextAt
    from accordeur.documents.citations.support import Embed
    from accordeur.documents.document import Document
    from accordeur.documents.index import Index
    from accordeur.documents.passage import Filter, Ranking, Searchable
    from accordeur.models.source import Models
    from accordeur.parts.retrieval.collection import Collection


COMPARED = 50_000
"""Passages up to which an index is compared with its files before it is asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A collection of documents that can be asked.

    Attributes:
        name: as it was typed.
        searchable: finds passages.
        text_at: its documents' text, for checking quotes.
        file_of: the file of a document, `None` where nobody knows.
        documents: names and whole texts of those that a filter lets through.
        stands: page and headings of a place; `None` where passages alone tell.
        embed: unit vectors of texts; `None` where words alone are searched.
        folder: of an index; `None` for a bundle's.
    """

    name: str
    searchable: Searchable
    text_at: TextAt
    file_of: Callable[[str], Path | None]
    documents: Callable[[Filter], list[tuple[str, str]]]
    stands: Callable[[Span], tuple[int | None, tuple[str, ...]]] | None = None
    embed: Embed | None = None
    folder: Path | None = None


def in_bundle(name: str) -> Path | None:
    """The folder of a bundle with documents that a word means; `None` where it means an index."""
    folder = Path(name).expanduser()
    return folder if (folder / "bundle.json").is_file() else None


@contextmanager
def opened(
    name: str, ranking: Ranking | None, models: Models, rerank: str | None = None
) -> Iterator[Asked]:
    """Open what is asked.

    Args:
        name: of an index or a bundle.
        ranking: how it is searched; its own where it is not given.
        models: gives what embeds and reranks.
        rerank: name of a reranker; a bundle's own where it is not given.

    Raises:
        ModelError: a model is not here.
        StoreError: there is no such index, or it is damaged.
        UsageError: it holds nothing, or a bundle has no documents.
    """
    if (bundle := in_bundle(name)) is not None:
        yield _of_bundle(name, bundle, ranking, models, rerank)
        return
    from accordeur.cli.index.places import existing_index
    from accordeur.documents.index import open_index
    from accordeur.documents.ranking.order import asks_vectors

    folder = existing_index(name)
    with open_index(folder) as plain:
        known = plain.embedder
    reranker = None if rerank is None else models.reranker(rerank)
    embedder = None
    if known is not None and (ranking is None or asks_vectors(ranking)):
        embedder = models.embedder(known.name, known.dtype or None)
    with open_index(folder, embedder) as index:
        if not len(index):
            raise UsageError(
                f"The index `{name}` has no passages.", hint=f"accordeur index status {name}"
            )
        found = _of_index(name, index, embedder.embed if embedder is not None else None)
        if reranker is not None:
            from accordeur.documents.ranking.reranking import Reranked

            found = replace(found, searchable=Reranked(index, reranker))
        yield found


def _of_index(name: str, index: Index, embed: Embed | None) -> Asked:
    read: dict[str, Document] = {}

    def document(name: str) -> Document:
        if name not in read:
            read[name] = index.document(name)
        return read[name]

    def text_at(span: Span) -> str | None:
        try:
            text = document(span.document).text
        except UsageError:
            return None
        return text[span.start : span.end] if span.end <= len(text) else None

    def stands(span: Span) -> tuple[int | None, tuple[str, ...]]:
        held = document(span.document)
        return held.page(span.start), held.under(span.start)

    def file_of(document: str) -> Path | None:
        for source in index.sources:
            several = len(index.sources) > 1
            under = source.parent if source.is_file() or several else source
            path = under / document
            if path.is_file():
                return path
        return None

    def documents(where: Filter) -> list[tuple[str, str]]:
        known = [one for one in index.documents() if fits(where, one.name, one.metadata)]
        read_now = (document(one.name) for one in known)
        return [(one.name, one.text[one.body :]) for one in read_now]

    return Asked(name, index, text_at, file_of, documents, stands, embed, index.folder)


def _of_bundle(
    name: str, folder: Path, ranking: Ranking | None, models: Models, rerank: str | None
) -> Asked:
    from accordeur.documents.citations import text_of
    from accordeur.parts.bundle import load_bundle
    from accordeur.parts.retrieval import Retrieval
    from accordeur.parts.retrieval.reranking import Reranking

    part = load_bundle(folder).candidate.parts.get("retrieval")
    if not isinstance(part, Retrieval):
        raise UsageError(
            f"The bundle `{name}` has no documents.",
            hint=f'accordeur ask INDEX "your question" -m {name}',
        )
    how = ranking or part.ranking
    collection = part.collection
    if rerank is not None:
        part = replace(part, reranking=Reranking.by(models.reranker(rerank)))
    searchable = part.opened(models, how)
    known = collection.embedder if how.mode != "lexical" else None
    return Asked(
        name,
        searchable,
        text_of(collection.passages),
        lambda document: None,
        lambda where: _whole(collection, where),
        None,
        models.embedder(known).embed if known is not None else None,
    )


def _whole(collection: Collection, where: Filter) -> list[tuple[str, str]]:
    """Documents as far as a bundle has them: their passages, what two share once."""
    texts: dict[str, str] = {}
    ends: dict[str, int] = {}
    for one in sorted(collection.passages, key=lambda passage: passage.span):
        if not fits(where, one.span.document, one.metadata):
            continue
        name, start = one.span.document, one.span.start
        shared = max(0, ends.get(name, 0) - start)
        gap = "\n" if name in ends and not shared else ""
        texts[name] = texts.get(name, "") + gap + one.text[shared:]
        ends[name] = max(ends.get(name, 0), one.span.end)
    return list(texts.items())


def staleness(asked: Asked) -> str:
    """One line when the documents changed since the index was built; empty when they did not.

    A large index is not compared with its files at every question.
    """
    if asked.folder is None or len(asked.searchable) > COMPARED:
        return ""
    from accordeur.documents.index import index_status

    status = index_status(asked.folder)
    counts = {"new": status.added, "changed": status.changed, "gone": status.deleted}
    told = [f"{len(names):,} {word}" for word, names in counts.items() if names]
    if not told:
        return ""
    return f"Files have changed ({', '.join(told)}): accordeur index update {asked.name}"
