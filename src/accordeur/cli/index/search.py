"""`accordeur index search`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.documents.passage import Filter, Found, Searchable


def command(
    name: Annotated[str, typer.Argument(metavar="NAME_OR_FOLDER", help="Of the index.")],
    words: Annotated[list[str], typer.Argument(metavar="QUESTION...", help="What to look for.")],
    k: Annotated[int, typer.Option("-k", metavar="N", help="Show this many passages.")] = 5,
    mode: Annotated[
        str | None,
        typer.Option(
            metavar="MODE",
            help="lexical, dense, fusion or rrf. Default: fusion, lexical without vectors.",
        ),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only documents like `policies/*`. Repeat it."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Only documents that say so. Repeat it."),
    ] = None,
    rerank: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A cross-encoder that puts the first 30 passages in order."
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where an endpoint's embedder or reranker is."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> int:
    """Find passages. The exit code is 1 when there is none."""
    from accordeur.cli.failures import note
    from accordeur.cli.index.opening import opened
    from accordeur.cli.index.reranking import reranking_notes
    from accordeur.documents.passage import Ranking
    from accordeur.documents.ranking.order import asks_vectors, check_ranking
    from accordeur.documents.ranking.reranking import Reranked
    from accordeur.models.source import Models

    question = " ".join(words)
    if not question.strip():
        raise UsageError("Say what to look for.", hint=f"accordeur index search {name} QUESTION")
    if k < 1:
        raise UsageError(f"`-k {k}` shows nothing.", hint="-k 5")
    ranking = Ranking(mode) if mode is not None else None  # type: ignore[arg-type]
    if ranking is not None:
        check_ranking(ranking, vectors=True)
    vectors = ranking is None or asks_vectors(ranking)
    with opened(name, vectors=vectors, base_url=base_url) as index:
        searched: Searchable = index
        if rerank is not None:
            searched = Reranked(index, Models(log=note, base_url=base_url).reranker(rerank))
        (found,) = searched.search([question], k, ranking=ranking, where=as_filter(path, where))
        for line in reranking_notes(searched):
            note(line)
        also = {one.passage.span.document: index.also(one.passage.span.document) for one in found}
    if as_json:
        print(json.dumps([_row(one, also) for one in found], indent=1))
        return 0 if found else 1
    if not found:
        print("Nothing was found.")
        return 1
    from accordeur.cli.index.showing import show_found

    show_found(found, question, also)
    return 0


def as_filter(path: list[str] | None, where: list[str] | None) -> Filter:
    """The filter that options ask for.

    Raises:
        UsageError: a `--where` without `=`.
    """
    from accordeur.documents.passage import Filter

    wanted: dict[str, tuple[str, ...]] = {}
    for one in where or ():
        key, equals, value = one.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UsageError(f"`--where {one}` names no value.", hint="--where author=Ada")
        key = key.strip().lower()
        key = "tags" if key == "tag" else key
        wanted[key] = (*wanted.get(key, ()), value.strip())
    return Filter(tuple(path or ()), wanted)


def _row(one: Found, also: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    passage = one.passage
    return {
        **passage.span.to_json(),
        "also": list(also[passage.span.document]),
        "passage": passage.number,
        "page": passage.page,
        "headings": list(passage.headings),
        "metadata": dict(passage.metadata),
        "score": one.score,
        "lexical": one.lexical,
        "dense": one.dense,
        "text": passage.text,
    }
