"""`accordeur index inspect`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from accordeur.documents.index import IndexedDocument
    from accordeur.documents.passage import Passage


def command(
    name: Annotated[str, typer.Argument(metavar="NAME_OR_FOLDER", help="Of the index.")],
    document: Annotated[
        str | None,
        typer.Argument(
            metavar="[DOCUMENT]", help="Its passages are shown. Default: all documents."
        ),
    ] = None,
    passage: Annotated[
        int | None, typer.Option("--passage", metavar="N", help="Show this passage whole.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Show an index's documents, the passages of one with their spans, or one passage."""
    from accordeur.cli.index.opening import opened

    with opened(name, vectors=False) as index:
        if passage is not None:
            one = index.passage(passage)
            print(json.dumps(passage_row(one), indent=1)) if as_json else _show_one(one)
        elif document is not None:
            many = index.passages(document)
            if as_json:
                print(json.dumps([passage_row(one) for one in many], indent=1))
            else:
                _show_passages(many)
        else:
            documents = index.documents()
            if as_json:
                print(json.dumps([_document_row(one) for one in documents], indent=1))
            else:
                _show_documents(documents)
    return 0


def passage_row(one: Passage) -> dict[str, Any]:
    """A passage as plain data."""
    return {
        "passage": one.number,
        **one.span.to_json(),
        "page": one.page,
        "headings": list(one.headings),
        "metadata": dict(one.metadata),
        "text": one.text,
    }


def _document_row(one: IndexedDocument) -> dict[str, Any]:
    return {
        "document": one.name,
        "also": list(one.also),
        "characters": one.characters,
        "passages": one.passages,
        "metadata": dict(one.metadata),
    }


def _show_documents(documents: Sequence[IndexedDocument]) -> None:
    from accordeur.cli.terminal import console, cut, table

    made = table("~document", "~title", ">passages", ">characters", "~also as")
    for one in documents:
        made.add_row(
            cut(one.name),
            cut(one.metadata.get("title", "")),
            f"{one.passages:,}",
            f"{one.characters:,}",
            cut(", ".join(one.also)),
        )
    console().print(made)


def _show_passages(passages: Sequence[Passage]) -> None:
    from accordeur.cli.terminal import console, cut, table

    made = table(">passage", ">characters", ">page", "~under", "~begins")
    for one in passages:
        made.add_row(
            f"{one.number}",
            f"{one.span.start}-{one.span.end}",
            f"{one.page or ''}",
            cut(" › ".join(one.headings)),
            cut(one.text[:200]),
        )
    console().print(made)


def _show_one(one: Passage) -> None:
    from accordeur.cli.index.showing import place
    from accordeur.cli.terminal import one_line, safe

    print(f"{place(one)}\ncharacters {one.span.start}-{one.span.end}")
    for key, value in one.metadata.items():
        print(f"{one_line(key)}: {one_line(value)}")
    print(f"\n{safe(one.text)}")
