"""`accordeur index status`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accordeur.documents.index import IndexStatus


def command(
    name: Annotated[str, typer.Argument(metavar="NAME_OR_FOLDER", help="Of the index.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> int:
    """Say what an index holds, and whether its documents have changed since.

    The exit code is 0 when it is clean, 1 when it needs an update or is damaged.
    """
    from accordeur.cli.index.places import existing_index
    from accordeur.documents.index import index_status

    status = index_status(existing_index(name))
    if as_json:
        print(json.dumps(status.to_json(), indent=1))
    else:
        print("\n".join(_lines(status, name)))
    return 0 if status.clean else 1


def _lines(status: IndexStatus, name: str) -> Iterator[str]:
    from accordeur.cli.figures import moment, plural
    from accordeur.cli.terminal import one_line
    from accordeur.report.numbers import size

    yield (
        f"{plural(status.documents, 'document')}, {plural(status.passages, 'passage')} of up to"
        f" {status.chunk_tokens} tokens, {plural(status.tokens, 'token')}, {size(status.size)}"
    )
    vectors = f"vectors of {one_line(status.embedder)}" if status.embedder else "words alone"
    yield f"{vectors}; updated {moment(status.updated)}"
    yield f"from {', '.join(one_line(source) for source in status.sources)}"
    if status.skipped:
        yield f"skipped: {_names([f'{one} ({why})' for one, why in status.skipped.items()])}"
    if status.building:
        yield "a process is changing it now"
    if status.fault:
        yield f"damaged: {one_line(status.fault)}"
        yield f"\nnext: accordeur index build {name} DOCS... --again"
        return
    for title, names in (
        ("new", status.added),
        ("changed", status.changed),
        ("gone", status.deleted),
        ("source is not there", status.lost),
    ):
        if names:
            yield f"{title}: {_names(names)}"
    if status.clean:
        yield "clean: it is as its documents are"
    elif not status.lost:
        yield f"\nnext: accordeur index update {name}"


def _names(names: Sequence[str]) -> str:
    from accordeur.cli.index.summary import SHOWN
    from accordeur.cli.terminal import one_line

    shown = ", ".join(one_line(one) for one in names[:SHOWN])
    more = len(names) - SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
