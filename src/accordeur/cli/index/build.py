"""`accordeur index build`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME_OR_FOLDER", help="Of the index; a name lies in ./.accordeur/indexes."
        ),
    ],
    docs: Annotated[
        list[Path], typer.Argument(metavar="DOCS...", help="Folders and files to index.")
    ],
    chunk_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", help="Tokens of a passage at most. Default: 200."),
    ] = None,
    overlap: Annotated[
        int | None,
        typer.Option(metavar="N", help="Tokens a passage repeats of the last. Default: 32."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Leave out names like `drafts` or `*.log`. Repeat it."
        ),
    ] = None,
    max_file_size: Annotated[
        float | None,
        typer.Option(metavar="MB", help="Skip larger files, and say so. Default: 50."),
    ] = None,
    embedder: Annotated[
        str, typer.Option(metavar="NAME", help="What makes the vectors.")
    ] = "local/minilm",
    no_embeddings: Annotated[
        bool, typer.Option("--no-embeddings", help="Index words alone; no model is needed.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Build anew, whatever it was built with.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> int:
    """Index documents: read them, cut them into passages, embed these.

    An index that is there is brought up to date with the documents. Until the command is finished
    the old one answers, and a killed command leaves it whole.
    """
    from accordeur.cli.index.places import index_folder
    from accordeur.cli.index.progress import BuildProgress
    from accordeur.cli.index.summary import summary
    from accordeur.documents.index import IndexSettings, build_index

    defaults = IndexSettings()
    settings = IndexSettings(
        defaults.chunk_tokens if chunk_tokens is None else chunk_tokens,
        defaults.overlap if overlap is None else overlap,
        tuple(exclude or ()),
        defaults.max_file_size if max_file_size is None else round(max_file_size * 1e6),
    )
    model = None
    if not no_embeddings:
        from accordeur.cli.failures import note
        from accordeur.models.source import Models

        model = Models(log=note).embedder(embedder)
    folder = index_folder(name)
    progress = BuildProgress()
    try:
        report = build_index(docs, folder, settings, model, progress=progress, again=again)
    finally:
        progress.clear()
    if as_json:
        print(json.dumps(report.to_json(), indent=1))
    else:
        print("\n".join(summary(report)))
        print(f'\nnext: accordeur index search {name} "QUESTION"', file=sys.stderr)
    return 0
