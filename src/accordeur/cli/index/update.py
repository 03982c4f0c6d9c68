"""`accordeur index update`."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(metavar="NAME_OR_FOLDER", help="Of the index.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> int:
    """Read again what has changed in the documents an index was built from.

    Files that were not touched are not read, texts that were embedded are not embedded again.
    """
    from accordeur.cli.index.opening import embedder_of
    from accordeur.cli.index.places import existing_index
    from accordeur.cli.index.progress import BuildProgress
    from accordeur.cli.index.summary import summary
    from accordeur.documents.index import update_index

    folder = existing_index(name)
    embedder = embedder_of(folder)
    progress = BuildProgress()
    try:
        report = update_index(folder, embedder, progress=progress)
    finally:
        progress.clear()
    print(json.dumps(report.to_json(), indent=1) if as_json else "\n".join(summary(report)))
    return 0
